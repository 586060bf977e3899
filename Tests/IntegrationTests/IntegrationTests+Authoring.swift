import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

extension IntegrationTests {
    private func put(_ key: String, _ json: String, ifMatch: String? = nil) async throws -> HTTPTestClient.Response {
        var headers = ["Content-Type": "application/json"]
        headers["If-Match"] = ifMatch
        return try await installation.client()
            .send(.PUT, "/admin/api/automations/\(key)", headers: headers, body: Array(json.utf8))
    }

    private func problemCode(_ answer: HTTPTestClient.Response) throws -> String? {
        try JSONValue(parsing: answer.body)["code"]?.stringValue
    }

    /// The contract's row "edit", from outside: conflicts, and that an answered edit holds for every later signal.
    @Test("Operation edit: it is guarded, and holds at once")
    func anEditIsGuardedAndHoldsAtOnce() async throws {
        let key = Self.unique("edit")
        try await installation.automate(key, on: "\(key).old")
        let path = "/admin/api/automations/\(key)"
        let read = try await installation.client().get(path)
        let etag = try #require(read.header("ETag"))
        let definition =
            #"{"trigger":{"signalType":"\#(key).new"},"steps":[{"name":"one","action_key":"data.transform"}]}"#
        let refused = try await put(key, #"{"name":"X"}"#)
        #expect(refused.status == 428)
        #expect(try problemCode(refused) == "precondition_required")
        let edited = try await put(key, #"{"definition":\#(definition)}"#, ifMatch: etag)
        #expect(edited.status == 200, "\(edited.text)")
        #expect(edited.header("ETag") != etag)
        let met = try await installation.post(id: "\(key)-1", type: "\(key).new")
        let missed = try await installation.post(id: "\(key)-2", type: "\(key).old")
        let run = try await run(of: met.signalID, "succeeded")
        #expect(run["automation_version"]?.int64Value == 2)
        try await eventually("the other is processed") {
            try await installation.read("/api/signals/\(missed.signalID.uuidString.lowercased())")
        } until: {
            $0["status"]?.stringValue == "processed" && $0["decisions"]?.arrayValue?.isEmpty == true
        }
        let stale = try await put(key, #"{"name":"X"}"#, ifMatch: etag)
        #expect(stale.status == 412)
        #expect(try problemCode(stale) == "precondition_failed")
        let old = try await put(key, #"{"version":1,"name":"X"}"#)
        #expect(old.status == 409)
        #expect(try problemCode(old) == "stale_version")

        let versions = try await installation.read("\(path)/versions?limit=1")
        #expect(versions["items"]?[0]?["version"]?.int64Value == 2)
        #expect(try await installation.read("\(path)/versions/1")["version"]?.int64Value == 1)
        let diff = try await installation.read("\(path)/diff?from=1&to=2")
        #expect(diff["changes"]?.arrayValue?.isEmpty == false)
        #expect(try await installation.client().get("\(path)/versions/3").status == 404)
        #expect(try await installation.client().get("\(path)/diff?from=x").status == 400)
        let restored = try await installation.client()
            .send(.POST, "\(path)/versions/1/restore", headers: ["If-Match": "*"])
        #expect(restored.status == 200, "\(restored.text)")
        #expect(try JSONValue(parsing: restored.body)["version"]?.int64Value == 3)
        #expect(try await installation.client().send(.DELETE, path).status == 409)
        let valid = try await installation.client()
            .post("/admin/api/automations/validate", json: #"{"definition":\#(definition)}"#)
        #expect(try JSONValue(parsing: valid.body)["valid"]?.boolValue == true)
    }

    /// Both modes through the engine's one path: nothing of a dry run reaches the outside, and a live run does.
    @Test("Mode: nothing of a dry run reaches the outside, and a live run does")
    func aDryRunReachesNothingAndALiveRunDoes() async throws {
        let key = Self.unique("hand")
        try await RecordingSink.with { call, _ in
            call.path == "/broken" ? .answer(500) : .answer(201, body: #"{"ticket":7}"#)
        } _: { sink in
            try await automate(
                key,
                on: "\(key).*",
                steps: """
                    {"name":"open","action_key":"http.request","input":{"method":"POST","url":"\(sink.url)/tickets",
                     "body":{"title":"{{ signal.data.title }}","by":"{{ signal.metadata.source.actor.id }}"}}}
                    """,
                #"{"name":"tell","action_key":"signal.emit","input":{"type":"\#(key).told"}}"#
            )
            try await automate("\(key)-other", on: "\(key).told", steps: #"{"action_key":"data.transform"}"#)
            func execute(_ body: String, _ headers: [String: String] = [:]) async throws -> HTTPTestClient.Response {
                try await installation.client().send(
                    .POST,
                    "/admin/api/automations/\(key)/execute",
                    headers: headers.merging(["Content-Type": "application/json"]) { $1 },
                    body: Array(body.utf8)
                )
            }
            let dry = try await execute(#"{"mode":"dry_run","context":{"title":"T"}}"#)
            #expect(dry.status == 200, "\(dry.text)")
            let simulated = try JSONValue(parsing: dry.body)
            #expect(simulated["status"]?.stringValue == "succeeded" && simulated["dry_run"]?.boolValue == true)
            #expect(
                simulated["steps"]?.arrayValue?.map { $0["simulation"]?["would"]?.stringValue?.prefix(5) }
                    == ["Send ", "Emit "]
            )
            let actor = try #require(simulated["metadata"]?["source"]?["actor"]?["id"]?.stringValue)

            let live = try await execute(
                #"{"mode":"live_run","context":{"title":"T"}}"#,
                ["Idempotency-Key": key]
            )
            #expect(live.status == 200, "\(live.text)")
            let run = try JSONValue(parsing: live.body)
            #expect(run["status"]?.stringValue == "succeeded" && run["dry_run"]?.boolValue == false)
            #expect(run["steps"]?[0]?["output"]?["body"]?["ticket"]?.int64Value == 7)
            #expect(run["steps"]?[0]?["simulation"] == nil)
            let again = try await execute(
                #"{"mode":"live_run","context":{"title":"T"}}"#,
                ["Idempotency-Key": key]
            )
            #expect(try JSONValue(parsing: again.body)["run_id"] == run["run_id"])
            #expect(sink.calls.map(\.body) == [#"{"title":"T","by":"\#(actor)"}"#])

            // Only what the live run has emitted wakes the other one.
            try await eventually("the emitted signal has its run") {
                try await installation.read("/api/runs?automation_key=\(key)-other")["items"]?.arrayValue?.count == 1
            }
            let signal = try #require(run["signal_id"]?.stringValue)
            #expect(try await installation.read("/api/signals/\(signal)")["status"]?.stringValue == "processed")
            let unsent = try #require(simulated["signal_id"]?.stringValue)
            #expect(try await installation.client().get("/api/signals/\(unsent)").status == 404)

            // What waits for a person is not waited for.
            try await automate(
                "\(key)-broken",
                on: "\(key).broken",
                steps: """
                    {"name":"call","action_key":"http.request","input":{"method":"POST","url":"\(sink.url)/broken"}}
                    """
            )
            let parked = try await installation.client()
                .post("/admin/api/automations/\(key)-broken/execute", json: #"{"mode":"live_run"}"#)
            #expect(parked.status == 202, "\(parked.text)")
            let id = try #require(try JSONValue(parsing: parked.body)["run_id"]?.stringValue)
            #expect(parked.header("Location") == "/api/runs/\(id)")

            try await installation.change(key, "deactivate")
            let refused = try await execute(#"{"mode":"dry_run"}"#, ["Accept-Language": "es"])
            #expect(refused.status == 409)
            #expect(refused.text.contains("Solo se pueden ejecutar automatizaciones activas"))
        }
    }
}
