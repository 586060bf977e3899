import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

extension IntegrationTests {
    /// Makes and activates an automation with this definition.
    private func automate(_ key: String, definition: String) async throws {
        let created = try await installation.client().post(
            "/admin/api/automations",
            json: #"{"automation_key":"\#(key)","name":"\#(key)","definition":\#(definition)}"#
        )
        #expect(created.status == 201, "\(created.text)")
        try await installation.change(key, "activate")
    }

    @Test func stepsSideBySideMeetAndEachItemIsExecuted() async throws {
        let key = Self.unique("graph")
        try await RecordingSink.with { _, _ in
            .answer(200, body: #"{"ok":true}"#)
        } _: { sink in
            // "left" waits until "right" has been called: neither waits for the other's end in the definition.
            try await automate(
                key,
                definition: """
                    {"trigger":{"signalType":"\(key)"},"steps":[
                     {"name":"left","action_key":"http.request","input":{"method":"POST","url":"\(sink.url)/left"}},
                     {"name":"pause","action_key":"flow.delay","needs":[],"input":{"for":"300ms"}},
                     {"name":"each","action_key":"http.request","needs":[],
                      "for_each":{"items":"{{ signal.data.ids }}","concurrency":3},
                      "input":{"method":"POST","url":"\(sink.url)/each","body":{"id":"{{ item }}","n":"{{ index }}"}}},
                     {"name":"all","action_key":"data.transform","needs":["left","pause","each"],
                      "input":{"last":"{{ steps.each.output[-1].body.ok }}"}}]}
                    """
            )
            let receipt = try await installation.post(id: key, type: key, data: #"{"ids":["a","b","c","d"]}"#)
            let run = try await run(of: receipt.signalID, "succeeded")
            #expect(run["steps"]?[3]?["output"]?["last"]?.boolValue == true)
            let bodies = sink.calls.filter { $0.path == "/each" }.map(\.body).sorted()
            #expect(bodies == ["a", "b", "c", "d"].enumerated().map { #"{"id":"\#($0.element)","n":\#($0.offset)}"# })
            #expect(Set(sink.calls.map(\.idempotencyKey)).count == 5)
            let items = run["steps"]?[2]?["items"]
            #expect(items?[3]?["status"]?.stringValue == "succeeded")
            #expect(items?[3]?["name"]?.stringValue == "each.3")
            let id = try #require(run["run_id"]?.stringValue)
            let output = try await installation.read("/api/runs/\(id)/steps/each.3/output")
            #expect(output["status"]?.int64Value == 200)
        }
    }

    @Test func aFailureLeadsToItsBranchAndAResumeToTheEnd() async throws {
        let key = Self.unique("branch")
        try await RecordingSink.with { call, earlier in
            call.path == "/service" && earlier == 0 ? .answer(400) : .answer(200)
        } _: { sink in
            try await automate(
                key,
                definition: """
                    {"trigger":{"signalType":"\(key)"},"steps":[
                     {"name":"call","action_key":"http.request","on_error":{"branch":"tell"},
                      "input":{"method":"POST","url":"\(sink.url)/service"}},
                     {"name":"after","action_key":"data.transform"}],
                     "branches":{"tell":{"steps":[
                      {"name":"mail","action_key":"http.request",
                       "input":{"method":"POST","url":"\(sink.url)/mail","body":{"why":"{{ steps.call.error.code }}"}}}]}}}
                    """
            )
            let receipt = try await installation.post(id: key, type: key)
            let failed = try await run(of: receipt.signalID, "failed")
            #expect(sink.calls.filter { $0.path == "/mail" }.map(\.body) == [#"{"why":"http_status"}"#])
            #expect(failed["error"]?["step"]?.stringValue == "call")
            let id = try #require(failed["run_id"]?.stringValue)
            let resumed = try await installation.client().post("/api/runs/\(id)/resume", json: "{}")
            #expect(resumed.status == 200, "\(resumed.text)")
            let ended = try await run(of: receipt.signalID, "succeeded")
            #expect(ended["steps"]?[2]?["status"]?.stringValue == "skipped")
            #expect(sink.calls.count { $0.path == "/mail" } == 1)
            #expect(sink.calls.count { $0.path == "/service" } == 2)
        }
    }
}
