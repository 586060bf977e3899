import Foundation
import JSON
import TestSupport
import Testing

extension IntegrationTests {
    /// One way through everything that clients see of limits and pauses.
    @Test("A15: a collision answers with the run that is there; limits and pauses are seen")
    func limitsAndPausesAreSeen() async throws {
        let key = Self.unique("limited")
        let client = try installation.client()
        let created = try await client.post(
            "/admin/api/automations",
            json: """
                {"automation_key":"\(key)","name":"\(key)","definition":{"trigger":{"signalType":"\(key)"},
                 "concurrency":{"limit":1},"dedupe":{"key":"{{ signal.data.n }}","window":"1h"},
                 "steps":[{"action_key":"flow.delay","input":{"for":"1h"}}]}}
                """
        )
        #expect(created.status == 201, "\(created.text)")
        try await installation.change(key, "activate")
        var runs: [String] = []
        for number in 1...3 {
            if number == 3 { try await installation.change(key, "pause") }
            let receipt = try await installation.post(id: "\(key)-\(number)", type: key, data: #"{"n":\#(number)}"#)
            let decision = decision(key, in: try await processed(receipt.signalID))
            runs.append(try #require(decision?["run_id"]?.stringValue))
        }
        let automation = try await installation.read("/admin/api/automations/\(key)")
        #expect(automation["paused"]?.boolValue == true && automation["version"]?.int64Value == 1)
        for (run, reason) in [(runs[1], "concurrency"), (runs[2], "paused")] {
            #expect(try await installation.read("/api/runs/\(run)")["held_by"]?.stringValue == reason)
        }
        let again = try await installation.post(id: "\(key)-again", type: key, data: #"{"n":1}"#)
        let duplicate = decision(key, in: try await processed(again.signalID))
        #expect(duplicate?["outcome"]?.stringValue == "deduplicated")
        #expect(duplicate?["run_id"]?.stringValue == runs[0])
        let manual = try await client.post(
            "/admin/api/automations/\(key)/execute",
            json: #"{"mode":"live_run","context":{"n":1}}"#
        )
        #expect(manual.status == 200, "\(manual.text)")
        #expect(try JSONValue(parsing: manual.body)["deduplicated"]?.boolValue == true)
        try await installation.change(key, "resume")
        for run in runs {
            try await eventually("it has its turn", within: .seconds(30)) {
                try await installation.read("/api/runs/\(run)")["status"]?.stringValue
            } until: {
                $0 == "waiting"
            }
            #expect(try await client.send("POST", "/api/runs/\(run)/cancel").status == 200)
        }
    }
}
