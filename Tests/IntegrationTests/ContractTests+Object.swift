import Foundation
import JSON
import NIOHTTP1
import Persistence
import TestSupport
import Testing

/// The rows of the table "The object".
extension ContractTests {
    @Test("Object id: a UUID that the engine makes, and no body may bring")
    func objectID() async throws {
        let key = Self.unique("id")
        let mine = UUID().uuidString.lowercased()
        let body = Self.body(key, Self.definition(on: key), more: #","id":"\#(mine)""#)
        let refused = try await ask(.POST, Self.automations, body)
        #expect(refused.status == 422 && refused.pointers == ["/id"], "\(refused.text)")
        #expect(try await stored(key).isEmpty)
        let created = try await create(key, Self.definition(on: key))
        let id = try #require(created["id"]?.stringValue)
        #expect(UUID(uuidString: id) != nil && created.location == "\(Self.automations)/\(id)")
        #expect(try await installation.read("\(Self.automations)/\(id)") == created.body)
        let edit = try await ask(.PUT, "\(Self.automations)/\(id)", #"{"version":1,"id":"\#(mine)"}"#)
        #expect(edit.status == 422 && edit.pointers == ["/id"], "\(edit.text)")
    }

    @Test("Object automation_key: a slug, not shaped like a UUID")
    func objectKeySlug() async throws {
        let key = Self.unique("k")
        let longest = key + String(repeating: "z", count: 100 - key.utf8.count)
        for good in ["\(key).a_b-9", longest] {
            #expect(try await create(good, Self.definition(on: key))["automation_key"]?.stringValue == good)
        }
        let bad = [
            #""""#, #""A\#(key)""#, #""1\#(key)""#, #""-\#(key)""#, #"".\#(key)""#, #""\#(key) x""#, #""\#(key)ñ""#,
            #""\#(key)/x""#, #""\#(key)\n""#, #""\#(longest)z""#, #""c0ffee00-0000-4000-8000-000000000000""#,
            #""C0FFEE00-0000-4000-8000-000000000000""#, "5", "null", "[]",
        ]
        let before = try await installation.count("SELECT count(*) FROM engine.automations")
        for value in bad {
            let body = #"{"automation_key":\#(value),"name":"N","definition":\#(Self.definition(on: key))}"#
            let refused = try await ask(.POST, Self.automations, body)
            #expect(refused.status == 422 && refused.pointers == ["/automation_key"], "\(value): \(refused.text)")
        }
        #expect(try await installation.count("SELECT count(*) FROM engine.automations") == before)
    }

    @Test("Object automation_key: unique in its tenant, immutable, and not used again after a deletion")
    func objectKeyUnique() async throws {
        let key = Self.unique("once")
        let body = Self.body(key, Self.definition(on: key))
        try await create(key, Self.definition(on: key))
        let before = try await stored(key)
        let second = try await ask(.POST, Self.automations, body)
        #expect(second.status == 409 && second.code == "key_taken", "\(second.text)")
        let edit = #"{"version":1,"automation_key":"\#(key)-other"}"#
        let renamed = try await ask(.PUT, "\(Self.automations)/\(key)", edit)
        #expect(renamed.status == 422 && renamed.pointers == ["/automation_key"], "\(renamed.text)")
        #expect(try await stored(key) == before)
        #expect(try await ask(.DELETE, "\(Self.automations)/\(key)").status == 204)
        #expect(try await ask(.GET, "\(Self.automations)/\(key)").status == 404)
        #expect(try await ask(.POST, Self.automations, body).code == "key_taken")
        let other = try await installation.addTenant(Self.unique("tenant"))
        #expect(try await ask(.POST, Self.automations, body, as: other).status == 201)
        // And the database knows no other way.
        await #expect {
            try await installation.sql.execute(
                .simple(
                    """
                    INSERT INTO engine.automations
                    SELECT (jsonb_populate_record(a, '{"automation_id":"\(UUID().uuidString)"}')).*
                    FROM engine.automations a WHERE automation_key = '\(key)' AND tenant = 'acme'
                    """
                )
            )
        } throws: {
            ($0 as? PostgresError)?.sqlState == "23505"
        }
    }

    @Test("Object name: required, and readable")
    func objectName() async throws {
        let key = Self.unique("name")
        let definition = Self.definition(on: key)
        let names = [
            "", #","name":"""#, #","name":"   ""#, #","name":"\#(String(repeating: "ñ", count: 201))""#, #","name":5"#,
            #","name":null"#, #","name":"a\u0000b""#, #","name":"a\u001bb""#,
        ]
        for name in names {
            let body = #"{"automation_key":"\#(key)","definition":\#(definition)\#(name)}"#
            let refused = try await ask(.POST, Self.automations, body)
            #expect(refused.status == 422 && refused.pointers == ["/name"], "\(name): \(refused.text)")
        }
        #expect(try await stored(key).isEmpty)
        let longest = String(repeating: "ñ", count: 200)
        let body = #"{"automation_key":"\#(key)","name":"\#(longest)","definition":\#(definition)}"#
        #expect(try await ask(.POST, Self.automations, body)["name"]?.stringValue == longest)
    }

    @Test("Object description: optional")
    func objectDescription() async throws {
        let key = Self.unique("described")
        #expect(try await create(key, Self.definition(on: key))["description"] == .null)
        for wrong in ["5", "[]", #""\#(String(repeating: "x", count: 10_001))""#] {
            let body = Self.body("\(key)-no", Self.definition(on: key), more: #","description":\#(wrong)"#)
            let refused = try await ask(.POST, Self.automations, body)
            #expect(refused.status == 422 && refused.pointers == ["/description"], "\(refused.text)")
        }
        let body = Self.body("\(key)-yes", Self.definition(on: key), more: #","description":"Por qué""#)
        #expect(try await ask(.POST, Self.automations, body)["description"]?.stringValue == "Por qué")
    }

    @Test("Object definition: a trigger and steps that name registered actions, with what a user expects of a step")
    func objectDefinition() async throws {
        let key = Self.unique("defined")
        let step = #"{"action_key":"data.transform"}"#
        let faulty: [(String, String)] = [
            ("null", "/definition"), (#"{"steps":[\#(step)]}"#, "/definition/trigger"),
            (#"{"trigger":{},"steps":[\#(step)]}"#, "/definition/trigger/signalType"),
            (#"{"trigger":{"signalType":"x","filter":[]},"steps":[\#(step)]}"#, "/definition/trigger/filter"),
            (#"{"trigger":{"signalType":"x"}}"#, "/definition/steps"),
            (#"{"trigger":{"signalType":"x"},"steps":[]}"#, "/definition/steps"),
            (#"{"trigger":{"signalType":"x"},"steps":{}}"#, "/definition/steps"),
            (#"{"trigger":{"signalType":"x"},"steps":[{}]}"#, "/definition/steps/0/action_key"),
            (Self.definition(on: "x", #"{"action_key":"no.such"}"#), "/definition/steps/0/action_key"),
        ]
        for (definition, pointer) in faulty {
            let refused = try await ask(.POST, Self.automations, Self.body(key, definition))
            #expect(refused.status == 422 && refused.pointers == [pointer], "\(definition): \(refused.text)")
        }
        for (member, value) in [
            ("name", "5"), ("when", "5"), ("retry", "5"), ("timeout", "5"), ("on_error", "5"), ("input", "5"),
            ("else", "5"),
        ] {
            let definition = Self.definition(on: "x", #"{"action_key":"data.transform","\#(member)":\#(value)}"#)
            let refused = try await ask(.POST, Self.automations, Self.body(key, definition))
            #expect(refused.pointers == ["/definition/steps/0/\(member)"], "\(refused.text)")
        }
        #expect(try await stored(key).isEmpty)
        let whole = """
            {"trigger": {"signalType": "\(key)", "filter": {"data": {"n": [1]}}}, "steps": [{"name": "call",
             "action_key": "http.request", "input": {"url": "https://example.com/"}, "when": {"signal": {"type": ["\(key)"]}},
             "retry": {"max_attempts": 2, "delay": "1s", "backoff": "constant", "max_delay": "2s", "jitter": false},
             "timeout": "5s", "on_error": "continue"}]}
            """
        let created = try await create(key, whole)
        #expect(created["definition"] == (try JSONValue(parsing: Array(whole.utf8))))
    }

    @Test("Object status: draft, active, deprecated or broken, and nothing else")
    func objectStatus() async throws {
        let key = Self.unique("status")
        try await create(key, Self.definition(on: key))
        #expect(try await status(key) == "draft")
        try await installation.change(key, "activate")
        #expect(try await status(key) == "active")
        try await installation.change(key, "deactivate")
        #expect(try await status(key) == "deprecated")
        try await makeBroken("\(key)-b", on: key)
        #expect(try await status("\(key)-b") == "broken")
        for status in ["paused", "ACTIVE", ""] {
            await #expect(throws: PostgresError.self) {
                try await installation.sql.execute(
                    .simple("UPDATE engine.automations SET status = '\(status)' WHERE automation_key = '\(key)'")
                )
            }
            #expect(try await ask(.GET, "\(Self.automations)?status=\(status)").status == 400)
        }
    }

    @Test(
        "Object version: from 1, one more with every update and each kept whole; a change of status changes the ETag alone"
    )
    func objectVersion() async throws {
        let key = Self.unique("version")
        let path = "\(Self.automations)/\(key)"
        let created = try await create(key, Self.definition(on: key))
        #expect(created["version"]?.int64Value == 1)
        var etags = [created.etag]
        for verb in ["activate", "deactivate", "activate"] {
            let changed = try await ask(.POST, "\(path)/\(verb)")
            #expect(changed["version"]?.int64Value == 1, "\(changed.text)")
            etags.append(changed.etag)
        }
        for version in 1...3 {
            let edit = #"{"version":\#(version),"name":"N\#(version + 1)"}"#
            let edited = try await ask(.PUT, path, edit)
            #expect(edited["version"]?.int64Value == Int64(version + 1), "\(edited.text)")
            etags.append(edited.etag)
        }
        #expect(etags.allSatisfy { $0 != nil } && Set(etags).count == etags.count)
        let kept = try await installation.read("\(path)/versions")["items"]?.arrayValue ?? []
        #expect(kept.map { $0["version"]?.int64Value } == [4, 3, 2, 1])
        let first = try await installation.read("\(path)/versions/1")
        #expect(first["name"] == created["name"] && first["definition"] == created["definition"])
        let changes = try await installation.read("\(path)/diff?from=1&to=4")["changes"]?.arrayValue ?? []
        #expect(changes.map { $0["pointer"]?.stringValue } == ["/name"])
    }
}
