import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

/// The rows of automations.
extension AuditedOperationsTests {
    private static func content(_ document: JSONValue?, adding more: [JSONMember] = []) -> JSONValue {
        part(document, "name", "description", "definition", "version", adding: more)
    }

    private static func entry(
        _ action: String,
        _ document: JSONValue?,
        _ before: JSONValue,
        _ after: JSONValue
    ) -> Entry {
        Entry(
            action: action,
            type: "automation",
            id: document?["id"],
            version: document?["version"]?.int64Value,
            before: before,
            after: after
        )
    }

    func createAutomation(_ person: Person) async throws {
        let key = Self.unique("create")
        let look = resource("\(Self.automations)/\(key)")
        func create(_ body: String, key: String? = nil) async throws -> Asked {
            let headers = key.map { ["Idempotency-Key": $0] } ?? [:]
            return try await ask(.POST, Self.automations, body, headers: headers, by: person, seeing: look)
        }
        let body = Self.automation(key)
        expectNothing(try await create(body.replacing("data.transform", with: "no.such"), key: key), 422)
        expectNothing(try await create(body.replacing(#""name""#, with: #""status":"active","name""#)), 422)
        let created = try await create(body, key: key)
        try await expect(
            created,
            201,
            leaves: Self.entry("create", created.answer.body, .null, Self.content(created.after)),
            by: person
        )
        expectNothing(try await create(body, key: key), 201)
        expectNothing(try await create(body.replacing("Of ", with: "For "), key: key), 422)
        expectNothing(try await create(body), 409)
        try await createLargeAutomation(person)
    }

    /// What is too large for an entry stands beside the log, and the entry names it by its hash.
    private func createLargeAutomation(_ person: Person) async throws {
        let key = Self.unique("large")
        let text = String(repeating: "x", count: 9_000)
        let body = Self.automation(key, [#"{"action_key":"data.transform","input":{"text":"\#(text)"}}"#])
        let look = resource("\(Self.automations)/\(key)")
        let created = try await ask(.POST, Self.automations, body, by: person, seeing: look)
        #expect(created.entries.first?["after"]?["$kept"] != nil)
        let entry = Self.entry("create", created.after, .null, Self.content(created.after))
        try await expect(created, 201, leaves: entry, by: person)
    }

    func updateAutomation(_ person: Person) async throws {
        let key = try await draft("update")
        let path = "\(Self.automations)/\(key)"
        func update(_ body: String, headers: [String: String] = [:]) async throws -> Asked {
            try await ask(.PUT, path, body, headers: headers, by: person, seeing: resource(path))
        }
        expectNothing(try await update(#"{"version":1,"name":""}"#), 422)
        expectNothing(try await update(#"{"version":1,"status":"active"}"#), 422)
        expectNothing(try await update(#"{"name":"Two"}"#), 428)
        expectNothing(try await update(#"{"name":"Two"}"#, headers: ["If-Match": "\"other\""]), 412)
        let body = #"{"version":1,"name":"Two","description":null}"#
        let updated = try await update(body)
        #expect(updated.after?["name"]?.stringValue == "Two" && updated.after?["version"]?.int64Value == 2)
        try await expect(
            updated,
            leaves: Self.entry("update", updated.after, Self.content(updated.before), Self.content(updated.after)),
            by: person
        )
        expectNothing(try await update(body), 409)
        // Every edit that is taken is a version more, one of the same content as well.
        let again = try await update(body.replacing(#""version":1"#, with: #""version":2"#))
        #expect(again.after?["version"]?.int64Value == 3)
        try await expect(
            again,
            leaves: Self.entry("update", again.after, Self.content(again.before), Self.content(again.after)),
            by: person
        )
        try await healAutomation(person)
    }

    /// The one edit that changes a status, which the entry then has as well.
    private func healAutomation(_ person: Person) async throws {
        let action = "\(Self.unique("heal")).act"
        try await register(action)
        let key = try await active("heal", #"{"action_key":"\#(action)"}"#)
        try await prepare(.DELETE, "/admin/api/actions/\(action)?force=true")
        let path = "\(Self.automations)/\(key)"
        let body = #"{"version":1,"definition":{"trigger":{"signalType":"x"},"steps":[\#(ContractTests.transform)]}}"#
        let healed = try await ask(.PUT, path, body, by: person, seeing: resource(path))
        #expect(healed.before?["status"] == "broken" && healed.after?["status"] == "draft")
        func content(_ document: JSONValue?) -> JSONValue {
            Self.content(document, adding: [JSONMember("status", document?["status"] ?? .null)])
        }
        try await expect(
            healed,
            leaves: Self.entry("update", healed.after, content(healed.before), content(healed.after)),
            by: person
        )
    }

    func deleteAutomation(_ person: Person) async throws {
        let key = try await active("kept")
        let kept = "\(Self.automations)/\(key)"
        expectNothing(try await ask(.DELETE, kept, by: person, seeing: resource(kept)), 409)
        let path = "\(Self.automations)/\(try await draft("delete"))"
        func delete(_ headers: [String: String] = [:]) async throws -> Asked {
            try await ask(.DELETE, path, headers: headers, by: person, seeing: resource(path))
        }
        expectNothing(try await delete(["If-Match": "\"other\""]), 412)
        let deleted = try await delete()
        #expect(deleted.before != nil && deleted.after == nil)
        try await expect(
            deleted,
            204,
            leaves: Self.entry("delete", deleted.before, Self.content(deleted.before), .null),
            by: person
        )
        expectNothing(try await delete(), 404)
    }

    func restoreAutomation(_ person: Person) async throws {
        let path = "\(Self.automations)/\(try await draft("restore"))"
        try await prepare(.PUT, path, #"{"version":1,"name":"Two"}"#)
        func restore(_ version: Int, basedOn newest: Int) async throws -> Asked {
            let body = #"{"version":\#(newest)}"#
            return try await ask(
                .POST,
                "\(path)/versions/\(version)/restore",
                body,
                by: person,
                seeing: resource(path)
            )
        }
        expectNothing(try await restore(9, basedOn: 2), 404)
        let restored = try await restore(1, basedOn: 2)
        #expect(restored.after?["version"]?.int64Value == 3 && restored.after?["name"] != restored.before?["name"])
        try await expect(
            restored,
            leaves: Self.entry(
                "update",
                restored.after,
                Self.content(restored.before),
                Self.content(restored.after, adding: [JSONMember("restored_from", 1)])
            ),
            by: person
        )
        expectNothing(try await restore(1, basedOn: 2), 409)
    }

    func activateAutomation(_ person: Person) async throws {
        try await turn(
            "activate",
            try await draft("activate"),
            "status",
            from: "draft",
            to: "active",
            again: 409,
            person
        )
    }

    func deactivateAutomation(_ person: Person) async throws {
        let key = try await active("deactivate")
        try await turn("deactivate", key, "status", from: "active", to: "deprecated", again: 409, person)
    }

    func pauseAutomation(_ person: Person) async throws {
        try await turn("pause", try await draft("pause"), "paused", from: false, to: true, again: 200, person)
    }

    func resumeAutomation(_ person: Person) async throws {
        let key = try await draft("resume")
        try await prepare(.POST, "\(Self.automations)/\(key)/pause")
        try await turn("resume", key, "paused", from: true, to: false, again: 200, person)
    }

    /// A change of one member, which cannot be made, or is none, once it is made.
    private func turn(
        _ verb: String,
        _ key: String,
        _ member: String,
        from before: JSONValue,
        to after: JSONValue,
        again status: Int,
        _ person: Person
    ) async throws {
        let path = "\(Self.automations)/\(key)"
        func turn(_ headers: [String: String] = [:]) async throws -> Asked {
            try await ask(.POST, "\(path)/\(verb)", headers: headers, by: person, seeing: resource(path))
        }
        expectNothing(try await turn(["If-Match": "\"other\""]), 412)
        let turned = try await turn()
        #expect(turned.before?[member] == before && turned.after?[member] == after)
        try await expect(
            turned,
            leaves: Self.entry(verb, turned.after, Self.part(turned.before, member), Self.part(turned.after, member)),
            by: person
        )
        expectNothing(try await turn(), status)
    }

    func executeAutomation(_ person: Person) async throws {
        let idle = "\(Self.automations)/\(try await draft("execute"))"
        let body = #"{"mode":"live_run","context":{"n":1}}"#
        expectNothing(try await ask(.POST, "\(idle)/execute", body, by: person, seeing: resource(idle)), 409)
        let key = try await active("execute")
        let path = "\(Self.automations)/\(key)"
        func execute(_ body: String, key: String? = nil) async throws -> Asked {
            let headers = key.map { ["Idempotency-Key": $0] } ?? [:]
            return try await ask(.POST, "\(path)/execute", body, headers: headers, by: person, seeing: resource(path))
        }
        expectNothing(try await execute(#"{"mode":"wet_run"}"#), 422)
        for mode in ["live_run", "dry_run"] {
            let body = body.replacing("live_run", with: mode)
            let executed = try await execute(body, key: "\(key)-\(mode)")
            #expect(executed.answer["run_id"]?.stringValue != nil && !executed.hasChanged)
            let after = Self.part(
                executed.answer.body,
                "run_id",
                "signal_id",
                adding: [JSONMember("mode", .string(mode))]
            )
            try await expect(executed, leaves: Self.entry("execute_manual", executed.after, .null, after), by: person)
            expectNothing(try await execute(body, key: "\(key)-\(mode)"), 200)
            expectNothing(try await execute(#"{"mode":"\#(mode)"}"#, key: "\(key)-\(mode)"), 422)
        }
        #expect(
            try await installation.count("SELECT count(*) FROM engine.automation_runs WHERE automation_key = '\(key)'")
                == 2
        )
        try await executeWithinLimits(person)
    }

    /// Whose run has begun already gets that one, which is recorded with its signal; whose limit is reached gets none.
    private func executeWithinLimits(_ person: Person) async throws {
        let key = Self.unique("limited")
        let limits =
            #""dedupe":{"key":"{{ signal.data.n }}","window":"1h"},"rate_limit":{"limit":1,"per":"1h","on_limit":"skip"}"#
        let body = Self.automation(key).replacing(#""steps""#, with: #"\#(limits),"steps""#)
        try await prepare(.POST, Self.automations, body)
        let path = "\(Self.automations)/\(key)"
        try await prepare(.POST, "\(path)/activate")
        func execute(_ number: Int) async throws -> Asked {
            let body = #"{"mode":"live_run","context":{"n":\#(number)}}"#
            return try await ask(.POST, "\(path)/execute", body, by: person, seeing: resource(path))
        }
        let first = try await execute(1)
        #expect(first.answer.status == 200 && first.entries.count == 1, "\(first.answer.text)")
        let second = try await execute(1)
        #expect(second.answer["run_id"] == first.answer["run_id"] && second.answer["deduplicated"] == true)
        let more = [JSONMember("mode", "live_run")]
        let after = Self.part(second.answer.body, "deduplicated", "run_id", "signal_id", adding: more)
        try await expect(second, leaves: Self.entry("execute_manual", second.after, .null, after), by: person)
        expectNothing(try await execute(2), 409)
    }

    func validateAutomation(_ person: Person) async throws {
        for action in ["data.transform", "no.such"] {
            let body = #"{"definition":{"trigger":{"signalType":"x"},"steps":[{"action_key":"\#(action)"}]}}"#
            expectNothing(try await ask(.POST, "\(Self.automations)/validate", body, by: person), 200)
        }
        expectNothing(try await ask(.POST, "\(Self.automations)/validate", "{", by: person), 400)
    }

    func whyAutomation(_ person: Person) async throws {
        let path = "\(Self.automations)/\(try await active("why"))"
        let question = #"{"event":{"type":"x"}}"#
        expectNothing(try await ask(.POST, "\(path)/why", question, by: person, seeing: resource(path)), 200)
        expectNothing(try await ask(.POST, "\(path)-none/why", question, by: person), 404)
    }
}
