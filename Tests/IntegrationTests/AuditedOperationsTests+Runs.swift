import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

/// The rows of runs, which leave an entry of their own when they end besides.
extension AuditedOperationsTests {
    /// What of a run does not move by itself: its status, and those of its steps with their outputs.
    private func look(at run: String) -> Look {
        let look = resource("/api/runs/\(run)")
        return {
            guard let document = try await look() else {
                return nil
            }
            let steps = document["steps"]?.arrayValue ?? []
            return [
                "status": document["status"] ?? .null,
                "steps": .array(steps.map { Self.part($0, "name", "status", "output") }),
            ]
        }
    }

    private static func entry(
        _ action: String,
        _ run: String,
        _ before: JSONValue,
        _ after: JSONValue,
        personal: [String] = []
    ) -> Entry {
        Entry(action: action, type: "run", id: .string(run), before: before, after: after, personal: personal)
    }

    /// Posts a signal of a type, and waits until its run has a status.
    private func run(_ type: String, _ status: String) async throws -> (id: String, signal: UUID) {
        let receipt = try await installation.post(id: Self.unique(type), type: type)
        let run = try await run(of: receipt.signalID, status)
        return (try #require(run["run_id"]?.stringValue), receipt.signalID)
    }

    /// A step that calls a sink.
    private static func call(_ sink: RecordingSink) -> String {
        #"{"name":"call","action_key":"http.request","input":{"method":"POST","url":"\#(sink.url)/"}}"#
    }

    func cancelRun(_ person: Person) async throws {
        let key = try await active("cancel", #"{"name":"wait","action_key":"flow.delay","input":{"for":"1h"}}"#)
        let (id, _) = try await run(key, "waiting")
        func cancel(_ id: String) async throws -> Asked {
            try await ask(.POST, "/api/runs/\(id)/cancel", by: person, seeing: look(at: id))
        }
        expectNothing(try await cancel(UUID().uuidString.lowercased()), 404)
        let canceled = try await cancel(id)
        #expect(canceled.before?["status"] == "waiting" && canceled.after?["status"] == "canceled")
        try await expect(
            canceled,
            leaves: Self.entry(
                "run.cancel",
                id,
                Self.part(canceled.before, "status"),
                Self.part(canceled.after, "status")
            ),
            by: person
        )
        expectNothing(try await cancel(id), 409)
        // The run's own entry, of its end, is another one, by the engine.
        try await eventually("the end is in the log") { try await ends(of: id) == 1 }
    }

    private func ends(of run: String) async throws -> Int {
        try await installation.count(
            """
            SELECT count(*) FROM audit.entries, convert_from(canonical, 'UTF8') AS text
            WHERE text::jsonb ->> 'action' = 'run.end' AND text::jsonb -> 'object' ->> 'id' = '\(run)'
              AND text::jsonb -> 'actor' ->> 'type' = 'system'
            """
        )
    }

    func resumeRun(_ person: Person) async throws {
        try await RecordingSink.with { _, earlier in
            earlier == 0 ? .answer(400) : .answer(200)
        } _: { sink in
            let key = try await active("resume", Self.call(sink))
            let (id, signal) = try await run(key, "failed")
            func resume() async throws -> Asked {
                try await ask(.POST, "/api/runs/\(id)/resume", by: person, seeing: look(at: id))
            }
            try await prepare(.POST, "\(Self.automations)/\(key)/deactivate")
            expectNothing(try await resume(), 409)
            try await prepare(.POST, "\(Self.automations)/\(key)/activate")
            let resumed = try await resume()
            #expect(resumed.before?["status"] == "failed" && resumed.answer["status"] == "queued")
            let after = Self.part(resumed.answer.body, "status")
            try await expect(
                resumed,
                leaves: Self.entry("run.resume", id, Self.part(resumed.before, "status"), after),
                by: person
            )
            _ = try await run(of: signal, "succeeded")
            expectNothing(try await resume(), 409)
        }
    }

    func rerunRun(_ person: Person) async throws {
        let (id, _) = try await run(try await active("rerun"), "succeeded")
        func rerun(_ body: String? = nil, key: String? = nil) async throws -> Asked {
            let headers = key.map { ["Idempotency-Key": $0] } ?? [:]
            return try await ask(
                .POST,
                "/api/runs/\(id)/rerun",
                body,
                headers: headers,
                by: person,
                seeing: look(at: id)
            )
        }
        expectNothing(try await rerun(#"{"context":{}}"#), 422)
        let again = try await rerun(key: id)
        #expect(again.answer["run_id"]?.stringValue != id && again.before == again.after && !again.hasChanged)
        let after = Self.part(again.answer.body, "run_id", "signal_id", adding: [JSONMember("mode", "live_run")])
        try await expect(again, leaves: Self.entry("run.rerun", id, .null, after), by: person)
        expectNothing(try await rerun(key: id), 200)
        expectNothing(try await rerun(#"{"mode":"dry_run"}"#, key: id), 422)
    }

    func resolveStep(_ person: Person) async throws {
        let given: JSONValue = ["n": 7]
        let rows = [
            ("happened", Optional.some(given), true), ("happened", given, false), ("did_not_happen", .none, false),
        ]
        for (decision, output, isPersonal) in rows {
            try await RecordingSink.with { _, earlier in
                earlier == 0 ? .answer(500) : .answer(200)
            } _: { sink in
                let (id, signal) = try await run(try await active("resolve", Self.call(sink)), "unknown")
                func resolve(_ decision: String, _ more: String? = nil) async throws -> Asked {
                    let output = decision == "happened" ? #","output":{"n":7},"personal":\#(isPersonal)"# : ""
                    return try await ask(
                        .POST,
                        "/api/runs/\(id)/steps/call/resolve",
                        #"{"decision":"\#(decision)"\#(more ?? output)}"#,
                        by: person,
                        seeing: look(at: id)
                    )
                }
                expectNothing(try await resolve("maybe"), 400)
                expectNothing(try await resolve("happened", #","output":7,"personal":"yes""#), 400)
                expectNothing(try await resolve("happened", #","personal":true"#), 400)
                let resolved = try await resolve(decision)
                #expect(resolved.before?["steps"]?[0]?["status"] == "unknown")
                #expect(resolved.answer["status"] == "queued")
                var after = [JSONMember("decision", .string(decision))]
                if let output { after.append(JSONMember("output", output)) }
                try await expect(
                    resolved,
                    leaves: Self.entry(
                        "run.resolve",
                        id,
                        Self.part(resolved.before, "status", adding: [JSONMember("step", "call")]),
                        Self.part(resolved.answer.body, "status", "step", adding: after),
                        personal: isPersonal ? ["/after/output"] : []
                    ),
                    by: person
                )
                let ended = try await run(of: signal, "succeeded")
                #expect(output == nil || ended["steps"]?[0]?["output"] == output)
                expectNothing(try await resolve(decision), 409)
            }
        }
    }

    func approveStep(_ person: Person) async throws {
        let form = #"{"form":{"window":"tonight"},"comment":"Go"}"#
        let output: JSONValue = [
            "approved": true, "by": .string(person.name), "comment": "Go", "decision": "approved",
            "form": ["window": "tonight"],
        ]
        let step = try await decide("approve", form, output, refused: #"{"form":{}}"#, 422, person)
        #expect(try ContractTests.canonical(step?["output"]) == ContractTests.canonical(output))
    }

    func rejectStep(_ person: Person) async throws {
        let output: JSONValue = [
            "approved": false, "by": .string(person.name), "comment": "No", "decision": "rejected", "form": .null,
        ]
        let refused = #"{"form":{"window":"tonight"}}"#
        let step = try await decide("reject", #"{"comment":"No"}"#, output, refused: refused, 400, person)
        #expect(step?["error"]?["detail"]?.stringValue?.contains(person.name) == true)
    }

    /// A decision about an approval; answers what has become of its step.
    private func decide(
        _ verb: String,
        _ body: String,
        _ output: JSONValue,
        refused: String,
        _ status: Int,
        _ person: Person
    ) async throws -> JSONValue? {
        let key = try await active(
            verb,
            """
            {"name":"ask","action_key":"flow.approval","on_error":"continue","input":{"title":"Go?","roles":["\(person.role)"],
             "form":{"type":"object","properties":{"window":{"type":"string","x-personal":true}},"required":["window"]}}}
            """
        )
        let (id, signal) = try await run(key, "waiting")
        func decide(_ body: String) async throws -> Asked {
            try await ask(.POST, "/api/runs/\(id)/steps/ask/\(verb)", body, by: person, seeing: look(at: id))
        }
        expectNothing(try await decide(refused), status)
        let decided = try await decide(body)
        let step = try #require(decided.before?["steps"]?[0])
        #expect(step["status"] == "waiting")
        try await expect(
            decided,
            leaves: Self.entry(
                "run.\(verb)",
                id,
                Self.part(step, "status", adding: [JSONMember("step", "ask")]),
                ["decision": output, "step": "ask"],
                personal: ["/after/decision/comment"] + (verb == "approve" ? ["/after/decision/form"] : [])
            ),
            by: person
        )
        let ended = try await run(of: signal, "succeeded")
        expectNothing(try await decide(body), 409)
        return ended["steps"]?[0]
    }
}
