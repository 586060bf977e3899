import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

/// The rows of the table "Operations", but those of executing by hand.
extension ContractTests {
    @Test("Operation create: always a draft, the key unique, the definition valid, every action registered; audited")
    func operationCreate() async throws {
        let key = Self.unique("create")
        let definition = Self.definition(on: key)
        for status in ["active", "deprecated", "broken", "other", ""] {
            let body = Self.body(key, definition, more: #","status":"\#(status)""#)
            let refused = try await ask(.POST, Self.automations, body)
            #expect(refused.status == 422 && refused.code == "invalid_status_in_body", "\(refused.text)")
            #expect(refused.pointers == ["/status"])
        }
        let unknown = Self.body(key, Self.definition(on: key, #"{"action_key":"no.such"}"#))
        #expect(try await ask(.POST, Self.automations, unknown).code == "unknown_action")
        #expect(try await stored(key).isEmpty)
        let created = try await ask(.POST, Self.automations, Self.body(key, definition, more: #","status":"draft""#))
        #expect(created.status == 201 && created["status"]?.stringValue == "draft")
        let before = try await stored(key)
        #expect(try await ask(.POST, Self.automations, Self.body(key, definition)).code == "key_taken")
        #expect(try await stored(key) == before)

        let entries = try await audited(created["id"])
        #expect(Self.actions(entries) == ["create"])
        #expect(entries[0]["before"] == .null && entries[0]["outcome"]?.stringValue == "done")
        #expect(try Self.canonical(entries[0]["after"]?["definition"]) == Self.canonical(created["definition"]))
        #expect(entries[0]["actor"]?["id"]?.stringValue == "admin")
    }

    @Test("Operation edit: 409 by version, 412 by If-Match, 428 with neither, and nothing changes")
    func operationEditConflicts() async throws {
        let key = Self.unique("edit")
        let path = "\(Self.automations)/\(key)"
        let created = try await create(key, Self.definition(on: key))
        let old = try #require(created.etag)
        #expect(try await ask(.PUT, path, #"{"version":1,"name":"Two"}"#).status == 200)
        let before = try await stored(key)
        for (body, tag, status) in [
            (#"{"version":1,"name":"X"}"#, nil, 409), (#"{"version":3,"name":"X"}"#, nil, 409),
            (#"{"name":"X"}"#, old, 412), (#"{"version":2,"name":"X"}"#, old, 412), (#"{"name":"X"}"#, nil, 428),
            (#"{}"#, nil, 428),
        ] {
            let refused = try await ask(.PUT, path, body, headers: tag.map { ["If-Match": $0] } ?? [:])
            #expect(refused.status == status, "\(body): \(refused.text)")
        }
        #expect(try await ask(.PUT, "\(path)-none", #"{"version":1}"#).status == 404)
        #expect(try await stored(key) == before)
        #expect(Self.actions(try await audited(created["id"])) == ["create", "update"])
    }

    @Test(
        "Operation edit: one version more, what is absent stays, any other member is refused; audited with before and after"
    )
    func operationEdit() async throws {
        let key = Self.unique("edited")
        let path = "\(Self.automations)/\(key)"
        let created = try await create(key, Self.definition(on: key))
        let faulty = Self.definition(on: key, #"{"action_key":"no.such"}"#)
        for (body, pointer) in [
            (#""status":"active""#, "/status"), (#""status":"draft""#, "/status"), (#""id":"x""#, "/id"),
            (#""automation_key":"x""#, "/automation_key"), (#""paused":true"#, "/paused"), (#""name":"""#, "/name"),
            (#""definition":\#(faulty)"#, "/definition/steps/0/action_key"),
        ] {
            let refused = try await ask(.PUT, path, #"{"version":1,\#(body)}"#)
            #expect(refused.status == 422 && refused.pointers == [pointer], "\(body): \(refused.text)")
        }
        #expect(try await installation.read(path) == created.body)
        let named = try await ask(.PUT, path, #"{"version":1,"name":"Two","description":"text"}"#)
        #expect(named["version"]?.int64Value == 2 && named["definition"] == created["definition"])
        let definition = Self.definition(on: "\(key).new")
        let edited = try await ask(
            .PUT,
            path,
            #"{"definition":\#(definition)}"#,
            headers: ["If-Match": try #require(named.etag)]
        )
        #expect(edited["version"]?.int64Value == 3 && edited["status"]?.stringValue == "draft")
        #expect(edited["name"]?.stringValue == "Two" && edited["description"]?.stringValue == "text")

        let entries = try await audited(created["id"])
        #expect(Self.actions(entries) == ["create", "update", "update"])
        for (member, answer) in [("before", named), ("after", edited)] {
            let value = try #require(entries[2][member])
            for part in ["name", "description", "definition", "version"] {
                #expect(try Self.canonical(value[part]) == Self.canonical(answer[part]), "\(member) \(part)")
            }
        }
    }

    @Test(
        "Operation edit: holds at once for signals accepted after the answer; runs keep the version they started with"
    )
    func operationEditHolds() async throws {
        let key = Self.unique("kept")
        let gate = RecordingSink.Gate()
        try await RecordingSink.with { _, _ in
            .held(gate, 200)
        } _: { sink in
            let call = #"{"name":"call","action_key":"http.request","input":{"method":"POST","url":"\#(sink.url)/"}}"#
            try await automate(
                key,
                on: key,
                steps: call,
                #"{"name":"tell","action_key":"data.transform","input":{"text":"old"}}"#
            )
            let first = try await installation.post(id: "\(key)-1", type: key)
            try await eventually("the run is at its call") { sink.calls.count == 1 }
            let other = Self.definition(
                on: key,
                #"{"name":"tell","action_key":"data.transform","input":{"text":"new"}}"#
            )
            let edited = try await ask(.PUT, "\(Self.automations)/\(key)", #"{"version":1,"definition":\#(other)}"#)
            #expect(edited.status == 200 && edited["status"]?.stringValue == "active", "\(edited.text)")
            let second = try await installation.post(id: "\(key)-2", type: key)
            let new = try await run(of: second.signalID, "succeeded")
            #expect(new["automation_version"]?.int64Value == 2)
            #expect(new["steps"]?.arrayValue?.map { $0["output"]?["text"]?.stringValue } == ["new"])
            gate.open()
            let old = try await run(of: first.signalID, "succeeded")
            #expect(old["automation_version"]?.int64Value == 1)
            #expect(old["steps"]?[1]?["output"]?["text"]?.stringValue == "old")
        }
    }

    @Test(
        "Operation activate: from draft and deprecated, never from broken, and every action is registered now; audited"
    )
    func operationActivate() async throws {
        let key = Self.unique("activate")
        let path = "\(Self.automations)/\(key)"
        let created = try await create(key, Self.definition(on: key))
        #expect(try await ask(.POST, "\(path)/activate")["status"]?.stringValue == "active")
        let again = try await ask(.POST, "\(path)/activate")
        #expect(again.status == 409 && again.code == "wrong_state", "\(again.text)")
        #expect(try await ask(.POST, "\(path)/deactivate").status == 200)
        #expect(try await ask(.POST, "\(path)/activate").status == 200)
        let entries = try await audited(created["id"])
        #expect(Self.actions(entries) == ["create", "activate", "deactivate", "activate"])
        let statuses = entries.dropFirst().map {
            "\($0["before"]?["status"]?.stringValue ?? "") \($0["after"]?["status"]?.stringValue ?? "")"
        }
        #expect(statuses == ["draft active", "active deprecated", "deprecated active"])

        let broken = "\(key)-broken"
        try await makeBroken(broken, on: key)
        let before = try await stored(broken)
        #expect(try await ask(.POST, "\(Self.automations)/\(broken)/activate").code == "wrong_state")
        #expect(try await stored(broken) == before)

        // Its action was there when it was written.
        let late = "\(key)-late"
        try await register("\(late).act", at: "https://example.com/")
        try await create(late, Self.definition(on: key, #"{"action_key":"\#(late).act"}"#))
        #expect(try await ask(.DELETE, "/admin/api/actions/\(late).act").status == 204)
        let refused = try await ask(.POST, "\(Self.automations)/\(late)/activate")
        #expect(refused.code == "unknown_action", "\(refused.text)")
        #expect(try await status(late) == "draft")
    }

    @Test("Operation deactivate: from active to deprecated, and from nothing else; audited")
    func operationDeactivate() async throws {
        let key = Self.unique("deactivate")
        let path = "\(Self.automations)/\(key)/deactivate"
        let created = try await create(key, Self.definition(on: key))
        #expect(try await ask(.POST, path).code == "wrong_state")
        try await installation.change(key, "activate")
        #expect(try await ask(.POST, path)["status"]?.stringValue == "deprecated")
        #expect(try await ask(.POST, path).code == "wrong_state")
        try await makeBroken("\(key)-broken", on: key)
        #expect(try await ask(.POST, "\(Self.automations)/\(key)-broken/deactivate").code == "wrong_state")
        #expect(try await status("\(key)-broken") == "broken")
        let entries = try await audited(created["id"])
        #expect(Self.actions(entries) == ["create", "activate", "deactivate"])
        #expect(entries[2]["before"]?["status"]?.stringValue == "active")
        #expect(entries[2]["after"]?["status"]?.stringValue == "deprecated")
    }

    @Test("Operation deactivate: stops new runs, and runs under way finish")
    func operationDeactivateFinishes() async throws {
        let key = Self.unique("finish")
        let gate = RecordingSink.Gate()
        try await RecordingSink.with { _, _ in
            .held(gate, 200)
        } _: { sink in
            try await automate(
                key,
                on: key,
                steps: #"{"name":"call","action_key":"http.request","input":{"method":"POST","url":"\#(sink.url)/"}}"#,
                #"{"name":"wait","action_key":"flow.delay","input":{"for":"10ms"}}"#,
                #"{"name":"last","action_key":"http.request","input":{"method":"POST","url":"\#(sink.url)/"}}"#
            )
            let first = try await installation.post(id: "\(key)-1", type: key)
            try await eventually("the run is at its call") { sink.calls.count == 1 }
            try await installation.change(key, "deactivate")
            let second = try await installation.post(id: "\(key)-2", type: key)
            let skipped = decision(key, in: try await processed(second.signalID))
            #expect(skipped?["outcome"]?.stringValue == "skipped")
            gate.open()
            _ = try await run(of: first.signalID, "succeeded")
            #expect(sink.calls.count == 2)
            #expect(try await runs(of: key) == 1)
        }
    }

    @Test("Operation list, get, versions, diff, validate: what a user expects, and none of them is audited")
    func operationReads() async throws {
        let key = Self.unique("reads")
        let path = "\(Self.automations)/\(key)"
        let created = try await create(key, Self.definition(on: key))
        let edited = try await ask(.PUT, path, #"{"version":1,"name":"Two"}"#)
        let (reader, text) = try await token("author")
        func read(_ path: String) async throws -> Answer { try await ask(.GET, path, as: text) }
        #expect(try await read(path).body == edited.body)
        #expect(try await read(path).etag == edited.etag)
        let drafts = try await read("\(Self.automations)?status=draft&limit=200")
        #expect(drafts["items"]?.arrayValue?.contains(edited.body) == true)
        let active = try await read("\(Self.automations)?status=active&limit=200")
        #expect(active["items"]?.arrayValue?.contains { $0["automation_key"]?.stringValue == key } == false)
        #expect(try await read("\(path)/versions")["items"]?.arrayValue?.count == 2)
        #expect(try await read("\(path)/versions/1")["name"] == created["name"])
        let change = try await read("\(path)/diff")["changes"]?[0]
        #expect(change?["pointer"]?.stringValue == "/name" && change?["before"] == created["name"])
        for missing in ["\(path)/versions/3", "\(path)/diff?from=1&to=9", "\(path)-none", "\(path)-none/versions"] {
            #expect(try await read(missing).status == 404, "\(missing)")
        }
        let before = try await stored(key)
        for (definition, isValid) in [(Self.definition(on: key), true), ("{}", false)] {
            let body = #"{"definition":\#(definition)}"#
            let answer = try await ask(.POST, "\(Self.automations)/validate", body, as: text)
            #expect(answer.status == 200 && answer["valid"]?.boolValue == isValid, "\(answer.text)")
        }
        #expect(try await stored(key) == before)
        #expect(try await written("e -> 'actor' ->> 'id' = '\(reader)'").isEmpty)
        // A change by the same token would have been.
        _ = try await ask(.POST, "\(path)/activate", as: text)
        #expect(try await written("e -> 'actor' ->> 'id' = '\(reader)'").count == 1)
    }

    @Test("Operation delete: a draft alone, once; audited")
    func operationDelete() async throws {
        let key = Self.unique("delete")
        let path = "\(Self.automations)/\(key)"
        let created = try await create(key, Self.definition(on: key))
        for verb in ["activate", "deactivate"] {
            try await installation.change(key, verb)
            let refused = try await ask(.DELETE, path)
            #expect(refused.status == 409 && refused.code == "wrong_state", "\(refused.text)")
        }
        #expect(Self.actions(try await audited(created["id"])) == ["create", "activate", "deactivate"])
        let draft = try await create("\(key)-draft", Self.definition(on: key))
        let stale = try await ask(.DELETE, "\(path)-draft", headers: ["If-Match": "\"other\""])
        #expect(stale.status == 412, "\(stale.text)")
        #expect(try await ask(.DELETE, "\(path)-draft").status == 204)
        #expect(try await ask(.DELETE, "\(path)-draft").status == 404)
        let entries = try await audited(draft["id"])
        #expect(Self.actions(entries) == ["create", "delete"])
        #expect(entries[1]["after"] == .null)
        #expect(try Self.canonical(entries[1]["before"]?["definition"]) == Self.canonical(draft["definition"]))
    }

    @Test("Broken: only what is active is marked, audited and told why; an edit that validates makes it a draft")
    func broken() async throws {
        let key = Self.unique("broken")
        let action = "\(key).act"
        try await register(action, at: "https://example.com/")
        let step = #"{"name":"one","action_key":"\#(action)"}"#
        let active = try await create(key, Self.definition(on: key, step))
        let draft = try await create("\(key)-draft", Self.definition(on: key, step))
        try await installation.change(key, "activate")
        let kept = try await ask(.DELETE, "/admin/api/actions/\(action)")
        #expect(kept.status == 409 && kept.text.contains(key), "\(kept.text)")
        #expect(try await status(key) == "active")
        #expect(try await ask(.DELETE, "/admin/api/actions/\(action)?force=true").status == 204)

        let path = "\(Self.automations)/\(key)"
        let marked = try await installation.read(path)
        #expect(marked["status"]?.stringValue == "broken" && marked["version"]?.int64Value == 1)
        #expect(marked["broken_reason"]?.stringValue?.contains(action) == true)
        #expect(try await status("\(key)-draft") == "draft")
        #expect(Self.actions(try await audited(draft["id"])) == ["create"])
        let entries = try await audited(active["id"])
        #expect(Self.actions(entries) == ["create", "activate", "break"])
        #expect(entries[2]["before"]?["status"]?.stringValue == "active")
        #expect(entries[2]["after"]?["status"]?.stringValue == "broken")

        // Neither the action's return nor an edit that does not validate heals anything.
        let invalid = try await ask(.PUT, path, #"{"version":1,"definition":\#(Self.definition(on: key, step))}"#)
        #expect(invalid.code == "unknown_action", "\(invalid.text)")
        try await register(action, at: "https://example.com/")
        #expect(try await status(key) == "broken")
        let healed = try await ask(.PUT, path, #"{"version":1,"definition":\#(Self.definition(on: key, step))}"#)
        #expect(healed["status"]?.stringValue == "draft" && healed["broken_reason"] == nil, "\(healed.text)")
        try await installation.change(key, "activate")
    }
}
