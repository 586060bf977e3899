import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

/// A12: one audit row per real change, and none for a mere view.
extension ContractTests {
    @Test("A12: a query of the audit log itself leaves one row, and what proves the log none")
    func queriesOfTheLogAreAudited() async throws {
        let key = Self.unique("queried")
        try await automate(key, on: key, steps: Self.transform)
        let id = try #require(try await ask(.GET, "\(Self.automations)/\(key)")["id"]?.stringValue)
        let (_, author) = try await token("admin")
        let query = "/api/audit/entries?object_type=automation&object_id=\(id)&action=create"
        let entry = try await eventually("the entry of the creation is in the log") {
            try await ask(.GET, query, as: author)
        } until: {
            $0["items"]?[0] != nil
        }
        let index = try #require(entry["items"]?[0]?["leaf_index"]?.int64Value)
        let (auditor, text) = try await token("auditor")
        func rows() async throws -> [String] {
            // The audit-writer's own entries go the way of all others before they are in the log.
            try await installation.texts(
                "SELECT action FROM audit.entries WHERE actor_id = '\(auditor)' ORDER BY action"
            )
        }
        func expect(_ expected: [String]) async throws {
            try await eventually("the log holds \(expected)", look: rows) { $0 == expected }
        }
        let proofs = [
            "/api/audit/checkpoint", "/api/audit/consistency?from=1",
            "/api/audit/tiles/0/0",
        ]
        for path in proofs {
            let answer = try await eventually("the entry is covered by a checkpoint") {
                try await ask(.GET, path, as: text)
            } until: {
                $0.status != 409
            }
            #expect(answer.status == 200, "\(path): \(answer.text)")
        }
        #expect(try await rows().isEmpty)
        #expect(try await ask(.GET, "/api/audit/entries/\(index)", as: text).status == 200)
        try await expect(["audit.query"])
        #expect(try await ask(.GET, query, as: text).status == 200)
        #expect(try await ask(.GET, "/api/audit/objects/automation/\(id)", as: text).status == 200)
        try await expect(["audit.query", "audit.query", "audit.query"])
        let export = try await ask(.POST, "/api/audit/exports", as: text)
        let exported = try #require(export["export_id"]?.stringValue, "\(export.text)")
        #expect(try await ask(.GET, "/api/audit/exports/\(exported)/entries", as: text).status == 200)
        try await expect(["audit.export", "audit.query", "audit.query", "audit.query"])
    }

    @Test("A12: no read leaves a row in the audit log, on any route but those of the log itself")
    func readsAreNotAudited() async throws {
        let key = Self.unique("viewed")
        try await automate(key, on: key, steps: Self.transform)
        let receipt = try await installation.post(id: key, type: key)
        let run = try await run(of: receipt.signalID, "succeeded")["run_id"]?.stringValue ?? ""
        let hook = try await ask(.POST, "/admin/api/hooks", #"{"name":"\#(key)","kind":"github"}"#)
        #expect(hook.status == 201, "\(hook.text)")
        let span = #"{"from":"2026-01-01T00:00:00Z","until":"2026-01-01T00:00:01Z","dry_run":true}"#
        let replay = try await ask(.POST, "\(Self.automations)/\(key)/replays", span)
        let replayID = try #require(replay["replay_id"]?.stringValue, "\(replay.text)")
        let parameters = [
            "{id}": key, "{version}": "1", "{action_key}": "http.request", "{run_id}": run, "{name}": "one",
            "{signal_id}": receipt.signalID.uuidString.lowercased(),
        ]
        let (reader, text) = try await token("admin")
        for pattern in RouteNames.reads where !pattern.hasPrefix("/api/audit/") {
            var path = pattern
            if pattern.contains("/hooks/") { path = path.replacing("{name}", with: key) }
            if pattern.contains("/replays/") { path = path.replacing("{id}", with: replayID) }
            for (parameter, value) in parameters { path = path.replacing(parameter, with: value) }
            if pattern.hasSuffix("/diff") { path += "?from=1&to=1" }
            let answer = try await ask(.GET, path, as: text)
            let isThere = !pattern.contains("/dead-letters/")
            #expect(answer.status == (isThere ? 200 : 404), "\(path): \(answer.text)")
            #expect(!path.contains("{") || !isThere, "\(path)")
        }
        let definition = #"{"definition":\#(Self.definition(on: key))}"#
        #expect(try await ask(.POST, "\(Self.automations)/validate", definition, as: text).status == 200)
        let question = #"{"event":{"type":"\#(key)"}}"#
        #expect(try await ask(.POST, "\(Self.automations)/\(key)/why", question, as: text).status == 200)
        #expect(try await written("e -> 'actor' ->> 'id' = '\(reader)'").isEmpty)
    }

    @Test("A12: every real change leaves one row, and what changes nothing none")
    func changesAreAuditedOnce() async throws {
        let key = Self.unique("changed")
        let (author, text) = try await token("admin")
        var expected: [String] = []
        @discardableResult
        func change(
            _ action: String?,
            _ method: HTTPMethod,
            _ path: String,
            _ body: String? = nil,
            headers: [String: String] = [:],
            status: Int = 200
        ) async throws -> Answer {
            let answer = try await ask(method, path, body, headers: headers, as: text)
            #expect(answer.status == status, "\(method) \(path): \(answer.text)")
            if let action { expected.append(action) }
            let actions = Self.actions(try await written("e -> 'actor' ->> 'id' = '\(author)'"))
            #expect(actions == expected, "\(method) \(path)")
            return answer
        }
        let path = "\(Self.automations)/\(key)"
        let creation = Self.body(key, Self.definition(on: key))
        let again = ["Idempotency-Key": key]
        try await change("create", .POST, Self.automations, creation, headers: again, status: 201)
        try await change(nil, .POST, Self.automations, creation, headers: again, status: 201)
        try await change(nil, .POST, Self.automations, creation, status: 409)
        try await change("update", .PUT, path, #"{"version":1,"name":"Two"}"#)
        try await change(nil, .PUT, path, #"{"version":1,"name":"Three"}"#, status: 409)
        try await change("update", .POST, "\(path)/versions/1/restore", #"{"version":2}"#)
        try await change("activate", .POST, "\(path)/activate")
        try await change(nil, .POST, "\(path)/activate", status: 409)
        try await change("pause", .POST, "\(path)/pause")
        try await change(nil, .POST, "\(path)/pause")
        try await change("resume", .POST, "\(path)/resume")
        try await change(nil, .POST, "\(path)/resume")
        let body = #"{"mode":"live_run"}"#
        let run = try await change("execute_manual", .POST, "\(path)/execute", body, headers: again)
        try await change(nil, .POST, "\(path)/execute", body, headers: again)
        try await change("execute_manual", .POST, "\(path)/execute", #"{"mode":"dry_run"}"#)
        try await change("run.rerun", .POST, "/api/runs/\(run["run_id"]?.stringValue ?? "")/rerun")
        try await change(nil, .POST, "/api/runs/\(run["run_id"]?.stringValue ?? "")/cancel", status: 409)
        try await change("deactivate", .POST, "\(path)/deactivate")
        try await change(nil, .POST, "\(path)/execute", body, status: 409)

        let action = """
            {"title":"A","input_schema":true,"output_schema":true,"endpoint":{"http":{"url":"https://example.com/"}}}
            """
        let actions = "/admin/api/actions/\(key).act"
        let put = try await change("create", .PUT, actions, action, status: 201)
        let etag = ["If-Match": put.etag ?? ""]
        try await change(nil, .PUT, actions, action, headers: etag)
        try await change("update", .PUT, actions, action.replacing("\"A\"", with: "\"B\""), headers: etag)
        try await change("delete", .DELETE, actions, status: 204)
        try await change(nil, .DELETE, actions, status: 404)

        let draft = "\(key)-draft"
        try await change("create", .POST, Self.automations, Self.body(draft, Self.definition(on: key)), status: 201)
        try await change("delete", .DELETE, "\(Self.automations)/\(draft)", status: 204)
        try await change(nil, .DELETE, "\(Self.automations)/\(draft)", status: 404)
    }
}
