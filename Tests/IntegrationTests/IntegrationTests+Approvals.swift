import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

extension IntegrationTests {
    /// A run waits for a person beside another step; whoever started it may not decide, and somebody else does.
    @Test func anApprovalHoldsItsRunUntilAnotherPersonHasGivenIt() async throws {
        let key = Self.unique("approve")
        try await RecordingSink.with { _, _ in
            .answer(200)
        } _: { sink in
            try await automate(
                key,
                on: key,
                steps: """
                    {"name":"ask","action_key":"flow.approval","input":{"title":"Release {{ signal.data.name }}?",
                     "people":["\(key)-vera"],"roles":["admin"],
                     "form":{"type":"object","properties":{"window":{"type":"string"}},"required":["window"]}}}
                    """,
                #"{"name":"beside","action_key":"http.request","needs":[],"input":{"method":"POST","url":"\#(sink.url)/beside"}}"#,
                """
                {"name":"release","action_key":"http.request","needs":["ask","beside"],"input":{"method":"POST",
                 "url":"\(sink.url)/release","body":{"by":"{{ steps.ask.output.by }}","window":"{{ steps.ask.output.form.window }}"}}}
                """
            )
            let started = try await installation.client().post(
                "/admin/api/automations/\(key)/execute",
                json: #"{"mode":"dry_run","context":{"name":"4.2"}}"#
            )
            #expect(started.status == 200, "\(started.text)")
            #expect(try JSONValue(parsing: started.body)["steps"]?[0]?["status"]?.stringValue == "succeeded")

            async let answer = installation.client().post(
                "/admin/api/automations/\(key)/execute",
                json: #"{"mode":"live_run","context":{"name":"4.2"}}"#
            )
            let item = try await eventually("the approval is asked for") {
                try await installation.read("/api/approvals?limit=200")["items"]?.arrayValue?
                    .first { $0["automation_key"]?.stringValue == key }
            } until: {
                $0 != nil
            }
            #expect(item?["title"]?.stringValue == "Release 4.2?")
            let run = try #require(item?["run_id"]?.stringValue)
            let path = "/api/runs/\(run)/steps/ask"
            let form = #"{"form":{"window":"tonight"},"comment":"Go"}"#
            #expect(try await installation.client().post("\(path)/approve", json: form).status == 403)
            let vera = try await installation.client().post(
                "/admin/api/tokens",
                json: #"{"name":"\#(key)-vera","role":"viewer"}"#
            )
            let token = try JSONValue(parsing: vera.body)["token"]?.stringValue
            let client = try installation.client(token: try #require(token))
            #expect(try await client.post("\(path)/approve", json: "{}").status == 422)
            let approved = try await client.post("\(path)/approve", json: form)
            #expect(approved.status == 200, "\(approved.text)")
            #expect(try await client.post("\(path)/reject", json: "{}").status == 409)
            let ended = try await eventually("the run has ended") {
                try await installation.read("/api/runs/\(run)")
            } until: {
                $0["status"]?.stringValue == "succeeded"
            }
            #expect(ended["steps"]?[0]?["output"]?["comment"]?.stringValue == "Go")
            #expect(
                sink.calls.filter { $0.path == "/release" }.map(\.body) == [
                    #"{"by":"\#(key)-vera","window":"tonight"}"#
                ]
            )
            #expect(sink.calls.count { $0.path == "/beside" } == 1)
            #expect([200, 202].contains(try await answer.status))
        }
    }
}
