import Foundation
import JSON
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

/// What the field suffers from, as far as it concerns automations. A7, A8, A9, A15 and A16 have further tests by their names.
extension ContractTests {
    @Test("A6: deactivating and activating, pausing and resuming makes no burst of what was missed")
    func noBurst() async throws {
        let key = Self.unique("burst")
        let gate = RecordingSink.Gate()
        try await RecordingSink.with { _, _ in
            .held(gate, 200)
        } _: { sink in
            let call = #"{"name":"call","action_key":"http.request","input":{"method":"POST","url":"\#(sink.url)/"}}"#
            try await create(key, String(Self.definition(on: key, call).dropLast()) + #","concurrency":{"limit":1}}"#)
            for verb in ["activate", "deactivate"] { try await installation.change(key, verb) }
            for number in 1...3 {
                let receipt = try await installation.post(id: "\(key)-\(number)", type: key)
                let missed = decision(key, in: try await processed(receipt.signalID))
                #expect(missed?["outcome"]?.stringValue == "skipped")
            }
            try await installation.change(key, "activate")
            try await installation.change(key, "pause")
            var held: [Installation.Receipt] = []
            for number in 4...6 {
                held.append(try await installation.post(id: "\(key)-\(number)", type: key))
                _ = try await processed(held[number - 4].signalID)
            }
            #expect(try await runs(of: key) == 3, "what was missed starts nothing")
            #expect(sink.calls.isEmpty)
            try await installation.change(key, "resume")
            try await eventually("the first one goes") { sink.calls.count == 1 }
            let waiting = "SELECT count(*) FROM engine.automation_runs WHERE automation_key = '\(key)' AND held"
            #expect(try await installation.count(waiting) == 2, "the others wait for their turn")
            gate.open()
            for receipt in held { _ = try await run(of: receipt.signalID, "succeeded") }
            #expect(sink.calls.count == 3)
        }
    }

    @Test(
        "A9: whoever has started a run decides about it on no route, and no parallel branch leads around the approval"
    )
    func noSelfApproval() async throws {
        let key = Self.unique("self")
        try await RecordingSink.with { sink in
            func call(_ name: String, _ needs: String) -> String {
                """
                {"name":"\(name)","action_key":"http.request","needs":[\(needs)],
                 "input":{"method":"POST","url":"\(sink.url)/\(name)"}}
                """
            }
            try await automate(
                key,
                on: key,
                steps: #"{"name":"ask","action_key":"flow.approval","input":{"title":"Go?"}}"#,
                call("beside", ""),
                call("after", #""ask""#),
                call("both", #""beside","after""#)
            )
            let (_, starter) = try await token("operator")
            let (_, other) = try await token("operator")
            async let answer = execute(key, "live_run", as: starter)
            let item = try await eventually("the approval is asked for") {
                try await installation.read("/api/approvals?limit=200")["items"]?.arrayValue?
                    .first { $0["automation_key"]?.stringValue == key }
            } until: {
                $0 != nil
            }
            let path = "/api/runs/\(item?["run_id"]?.stringValue ?? "")"
            try await eventually("the step beside it is called") { sink.calls.count == 1 }
            for (verb, body, status) in [
                ("steps/ask/approve", "{}", 403), ("steps/ask/reject", "{}", 403),
                ("steps/ask/resolve", #"{"decision":"happened"}"#, 409),
                ("steps/after/resolve", #"{"decision":"happened"}"#, 409), ("steps/after/approve", "{}", 404),
                ("steps/both/approve", "{}", 404), ("resume", nil, 409),
            ] as [(String, String?, Int)] {
                let refused = try await ask(.POST, "\(path)/\(verb)", body, as: starter)
                #expect(refused.status == status, "\(verb): \(refused.text)")
            }
            let run = try await installation.read(path)
            let statuses = run["steps"]?.arrayValue?.map { $0["status"]?.stringValue }
            #expect(statuses == ["waiting", "succeeded", "queued", "queued"])
            #expect(sink.calls.map(\.path) == ["/beside"])
            // Whoever runs it once more has started that run.
            let approved = try await ask(.POST, "\(path)/steps/ask/approve", "{}", as: other)
            #expect(approved.status == 200, "\(approved.text)")
            try await eventually("the run has ended") {
                try await installation.read(path)["status"]?.stringValue == "succeeded"
            }
            #expect(sink.calls.map(\.path) == ["/beside", "/after", "/both"])
            #expect([200, 202].contains(try await answer.status))
        }
    }

    @Test(
        "A11: durations are parsed strictly wherever one stands, and what is more than one number and unit is never cut down"
    )
    func strictDurations() async throws {
        let key = Self.unique("durations")
        func definition(_ duration: String) -> String {
            """
            {"trigger":{"signalType":"\(key)"},"rate_limit":{"limit":1,"per":\(duration)},
             "dedupe":{"key":"{{ signal.id }}","window":\(duration)},"steps":[
             {"action_key":"http.request","input":{"url":"https://example.org/"},"timeout":\(duration),
              "retry":{"delay":\(duration),"max_delay":\(duration)}},
             {"action_key":"flow.delay","input":{"for":\(duration)}},
             {"action_key":"flow.approval","input":{"title":"Go?","within":\(duration)}},
             {"action_key":"flow.wait_for_signal","input":{"type":"x","within":\(duration)}}]}
            """
        }
        let places: Set = [
            "/definition/rate_limit/per", "/definition/dedupe/window", "/definition/steps/0/timeout",
            "/definition/steps/0/retry/delay", "/definition/steps/0/retry/max_delay", "/definition/steps/1/input/for",
            "/definition/steps/2/input/within", "/definition/steps/3/input/within",
        ]
        for wrong in [
            #""42m30s""#, #""1""#, #""s""#, #""""#, #""1 s""#, #"" 1s""#, #""1s ""#, #""-1s""#, #""+1s""#, #""1.5h""#,
            #""1e3ms""#, #""1w""#, #""1S""#, #""1M""#, #""PT1S""#, #""0x10s""#, #""1_000ms""#, #""٣s""#, #""1s\n""#,
            #""99999999999999999999s""#, #""9223372036854775807d""#, "5", "null", "true", #"["1s"]"#,
        ] {
            let answer = try await ask(.POST, "\(Self.automations)/validate", #"{"definition":\#(definition(wrong))}"#)
            #expect(answer["valid"]?.boolValue == false && Set(answer.pointers) == places, "\(wrong): \(answer.text)")
        }
        for right in ["1ms", "250ms", "30s", "5m", "007s"] {
            let body = #"{"definition":\#(definition("\"\(right)\""))}"#
            let answer = try await ask(.POST, "\(Self.automations)/validate", body)
            #expect(answer["valid"]?.boolValue == true, "\(right): \(answer.text)")
        }
        // What a template decides is judged as strictly when it is resolved.
        try await automate(key, on: key, steps: #"{"action_key":"flow.delay","input":{"for":"{{ signal.data.for }}"}}"#)
        for (duration, status) in [("42m30s", "failed"), ("1 s", "failed"), ("42m", "succeeded")] {
            let run = try await execute(key, "dry_run", #"{"for":"\#(duration)"}"#)
            #expect(run["status"]?.stringValue == status, "\(run.text)")
        }
        let token = #"{"name":"\#(key)","role":"viewer","expires_in":"1h30m"}"#
        #expect(try await ask(.POST, "/admin/api/tokens", token).pointers == ["/expires_in"])
    }

    @Test("A13: a poison message is put away as a dead letter, and the others proceed")
    func poison() async throws {
        let key = Self.unique("poison")
        try await automate(key, on: key, steps: Self.transform)
        var receipts = [try await installation.post(id: "\(key)-0", type: key)]
        for (number, body) in ["not JSON", #"[{"batutasignalid":7}]"#, "{}"].enumerated() {
            let message = UUID().uuidString.lowercased()
            installation.poison.withLock { _ = $0.insert(message) }
            try await installation.broker.publish(
                Array(body.utf8),
                to: "engine.signals",
                properties: [
                    "message_id": .string(message), "type": "batuta.signals.accepted",
                    "headers": ["x-tenant": "acme", "x-schema-version": 1],
                ]
            )
            receipts.append(try await installation.post(id: "\(key)-\(number + 1)", type: key))
            try await eventually("the message is a letter") {
                let letters = try await installation.read("/admin/api/dead-letters?service=engine&limit=200")
                return letters["items"]?.arrayValue?.contains { $0["message_id"]?.stringValue == message } == true
            }
        }
        for receipt in receipts { _ = try await run(of: receipt.signalID, "succeeded") }
        #expect(try await runs(of: key) == receipts.count)
    }

    @Test("A14: messages carry ids, and nothing of what a run has read, sent or got but the signals themselves")
    func messagesCarryIDs() async throws {
        let key = Self.unique("small")
        let (data, input, output) = ("data-\(key)", "input-\(key)", "output-\(key)")
        let long = String(repeating: "x", count: 100_000)
        try await RecordingSink.with { _, _ in
            .answer(200, body: #"{"text":"\#(output)\#(long)"}"#)
        } _: { sink in
            let text = String(repeating: "d", count: 40_000)
            let created = try await create(
                key,
                Self.definition(
                    on: key,
                    """
                    {"name":"call","action_key":"http.request","input":{"method":"POST","url":"\(sink.url)/",
                     "body":{"own":"\(input)","data":"{{ signal.data.text }}"}}}
                    """,
                    #"{"name":"note","action_key":"data.transform","input":{"t":"{{ steps.call.output.body.text }}","d":"\#(text)"}}"#
                )
            )
            try await installation.change(key, "activate")
            let receipt = try await installation.post(id: key, type: key, data: #"{"text":"\#(data)"}"#)
            let run = try await run(of: receipt.signalID, "succeeded")
            #expect(sink.calls.first?.body == #"{"own":"\#(input)","data":"\#(data)"}"#)
            // The definition is an audited value of its own: kept beside the log where it is long, and named by its hash.
            let kept = "destination <> 'commands'"
            for word in [data, input, output] {
                for schema in ["engine", "gateway"] {
                    let found = try await installation.count(
                        """
                        SELECT count(*) FROM \(schema).outbox
                        WHERE \(kept) AND body IS NOT NULL AND position('\(word)'::bytea IN body) > 0
                        """
                    )
                    #expect(found == 0, "\(word) stands in a message of \(schema)")
                }
            }
            let creation = try #require(try await audited(created["id"]).first)
            #expect(creation["after"]?["$kept"] != nil, "\(creation)")
            let end = try await audited(run["run_id"])
            #expect(Self.actions(end) == ["run.end"])
            #expect(end[0]["after"]?["signal_id"] == run["signal_id"])
            #expect(end[0]["after"]?["record"]?.stringValue?.count == 64)
            #expect(try end[0].canonicalBytes().count < 2_048)
        }
    }
}
