import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

extension IntegrationTests {
    /// A run that waits for its next attempt is canceled; a failed one is resumed; a finished one is run once more.
    @Test func runsAreCanceledResumedAndRunAgain() async throws {
        let key = Self.unique("control")
        try await RecordingSink.with { call, earlier in
            switch call.path {
            case "/busy": .answer(503)
            case "/mended": earlier == 0 ? .answer(400) : .answer(200, body: #"{"n":2}"#)
            default: .answer(200)
            }
        } _: { sink in
            for (name, delay) in [("busy", "1h"), ("mended", "1s")] {
                try await automate(
                    "\(key)-\(name)",
                    on: "\(key).\(name)",
                    steps: #"{"name":"first","action_key":"data.transform","input":{"n":"{{ signal.data.n }}"}}"#,
                    """
                    {"name":"call","action_key":"http.request","input":{"method":"POST","url":"\(sink.url)/\(name)"},
                     "retry":{"delay":"\(delay)","max_delay":"\(delay)"}}
                    """,
                    #"{"name":"last","action_key":"data.transform","input":{"n":"{{ steps.call.output.status }}"}}"#
                )
            }
            func ask(_ run: JSONValue, _ verb: String, _ body: String? = nil) async throws -> HTTPTestClient.Response {
                let id = try #require(run["run_id"]?.stringValue)
                return try await installation.client().send(
                    .POST,
                    "/api/runs/\(id)/\(verb)",
                    headers: body == nil ? [:] : ["Content-Type": "application/json"],
                    body: body.map { Array($0.utf8) }
                )
            }
            let busy = try await installation.post(id: "\(key)-busy", type: "\(key).busy", data: #"{"n":1}"#)
            let waiting = try await run(of: busy.signalID, "waiting")
            #expect(try await ask(waiting, "cancel").status == 200)
            let canceled = try await run(of: busy.signalID, "canceled")
            #expect(
                canceled["steps"]?.arrayValue?.map { $0["status"]?.stringValue } == [
                    "succeeded", "canceled", "canceled",
                ]
            )
            #expect(try await ask(waiting, "cancel").status == 409)

            let mended = try await installation.post(id: "\(key)-mended", type: "\(key).mended", data: #"{"n":1}"#)
            let failed = try await run(of: mended.signalID, "failed")
            #expect(try await ask(failed, "resume").status == 200)
            let resumed = try await run(of: mended.signalID, "succeeded")
            #expect(resumed["run_id"] == failed["run_id"])
            #expect(resumed["steps"]?[1]?["attempts"]?.arrayValue?.count == 2)
            #expect(resumed["steps"]?[2]?["output"]?["n"]?.int64Value == 200)
            #expect(Set(sink.calls.filter { $0.path == "/mended" }.map(\.idempotencyKey)).count == 1)

            let again = try await ask(resumed, "rerun")
            #expect(again.status == 200, "\(again.text)")
            let rerun = try JSONValue(parsing: again.body)
            #expect(rerun["run_id"] != resumed["run_id"] && rerun["signal_id"] != resumed["signal_id"])
            #expect(rerun["metadata"]?["rerun_of_run"] == resumed["run_id"])
            #expect(rerun["metadata"]?["rerun_of"] == resumed["signal_id"])
            #expect(rerun["metadata"]?["source"]?["type"]?.stringValue == "rerun")
            #expect(rerun["steps"]?[0]?["output"]?["n"]?.int64Value == 1, "the payload is copied")
            let dry = try await ask(resumed, "rerun", #"{"mode":"dry_run"}"#)
            #expect(try JSONValue(parsing: dry.body)["dry_run"]?.boolValue == true)
            #expect(sink.calls.count { $0.path == "/mended" } == 3)
            #expect(try await ask(resumed, "rerun", #"{"context":{}}"#).status == 422)
        }
    }
}
