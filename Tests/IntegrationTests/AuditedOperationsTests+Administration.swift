import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

/// The rows of actions, secrets, tokens and hooks.
extension AuditedOperationsTests {
    private static let registration = """
        {"title":"One","input_schema":{"type":"object"},"output_schema":true,"endpoint":{"http":{"url":"https://example.com/"}}}
        """

    /// Registers an action.
    func register(_ key: String) async throws {
        try await prepare(.PUT, "/admin/api/actions/\(key)", Self.registration)
    }

    private static func entry(
        _ action: String,
        _ type: String,
        _ id: String,
        version: JSONValue? = nil,
        before: JSONValue = .null,
        after: JSONValue = .null
    ) -> Entry {
        Entry(
            action: action,
            type: type,
            id: .string(id),
            version: version?.int64Value,
            before: before,
            after: after
        )
    }

    func putAction(_ person: Person) async throws {
        let key = "\(Self.unique("put")).act"
        let path = "/admin/api/actions/\(key)"
        func put(_ body: String, basedOn etag: String? = nil) async throws -> Asked {
            let headers = etag.map { ["If-Match": $0] } ?? [:]
            return try await ask(.PUT, path, body, headers: headers, by: person, seeing: resource(path))
        }
        func sent(_ body: String) throws -> JSONValue { try JSONValue(parsing: Array(body.utf8)) }
        let (one, two) = (Self.registration, Self.registration.replacing("One", with: "Two"))
        expectNothing(try await put("{}"), 422)
        let created = try await put(one)
        #expect(created.after?["title"] == "One")
        try await expect(
            created,
            201,
            leaves: Self.entry("create", "action", key, version: created.after?["version"], after: try sent(one)),
            by: person
        )
        let etag = try #require(created.answer.etag)
        expectNothing(try await put(one, basedOn: etag), 200)
        expectNothing(try await put(two), 428)
        expectNothing(try await put(two, basedOn: "\"other\""), 412)
        let updated = try await put(two, basedOn: etag)
        #expect(updated.before?["title"] == "One" && updated.after?["title"] == "Two")
        try await expect(
            updated,
            leaves: Self.entry(
                "update",
                "action",
                key,
                version: updated.after?["version"],
                before: try sent(one),
                after: try sent(two)
            ),
            by: person
        )
        expectNothing(try await put(two, basedOn: etag), 412)
    }

    func deleteAction(_ person: Person) async throws {
        let key = "\(Self.unique("delete")).act"
        let path = "/admin/api/actions/\(key)"
        try await register(key)
        let user = try await active("uses", #"{"action_key":"\#(key)"}"#)
        func delete(_ query: String = "") async throws -> Asked {
            try await ask(.DELETE, path + query, by: person, seeing: resource(path))
        }
        expectNothing(try await delete(), 409)
        let before = try await installation.read("\(Self.automations)/\(user)")
        let deleted = try await delete("?force=true")
        let after = try await installation.read("\(Self.automations)/\(user)")
        #expect(deleted.before != nil && deleted.after == nil && after["status"] == "broken")
        // It changes two objects, and leaves one entry for each.
        try await expect(
            deleted,
            204,
            leaves: [
                Self.entry(
                    "delete",
                    "action",
                    key,
                    version: deleted.before?["version"],
                    before: try JSONValue(parsing: Array(Self.registration.utf8))
                ),
                Self.entry(
                    "break",
                    "automation",
                    after["id"]?.stringValue ?? "",
                    version: after["version"],
                    before: Self.part(before, "status"),
                    after: Self.part(after, "status", "broken_reason")
                ),
            ],
            by: person
        )
        expectNothing(try await delete(), 404)
        expectNothing(try await ask(.DELETE, "/admin/api/actions/data.transform", by: person), 409)
    }

    func putSecret(_ person: Person) async throws {
        let name = Self.unique("put")
        let look = item("/admin/api/secrets", "name", name)
        func put(_ value: String) async throws -> Asked {
            try await ask(.PUT, "/admin/api/secrets/\(name)", #"{"value":"\#(value)"}"#, by: person, seeing: look)
        }
        expectNothing(try await put("abc"), 400)
        for (value, action) in [("the first value", "create"), ("the second value", "update")] {
            let changed = try await put(value)
            try await expect(
                changed,
                leaves: Self.entry(
                    action,
                    "secret",
                    name,
                    version: changed.after?["version"],
                    before: Self.part(changed.before, "name", "version"),
                    after: Self.part(changed.after, "name", "version")
                ),
                by: person
            )
            let again = try await put(value)
            expectNothing(again, 200)
            #expect(again.answer.body == changed.answer.body)
        }
    }

    func deleteSecret(_ person: Person) async throws {
        let name = Self.unique("delete")
        let look = item("/admin/api/secrets", "name", name)
        try await prepare(.PUT, "/admin/api/secrets/\(name)", #"{"value":"some value"}"#)
        func delete() async throws -> Asked {
            try await ask(.DELETE, "/admin/api/secrets/\(name)", by: person, seeing: look)
        }
        let deleted = try await delete()
        #expect(deleted.before != nil && deleted.after == nil)
        try await expect(
            deleted,
            leaves: Self.entry(
                "delete",
                "secret",
                name,
                version: deleted.before?["version"],
                before: Self.part(deleted.before, "name", "version")
            ),
            by: person
        )
        expectNothing(try await delete(), 404)
    }

    func createToken(_ person: Person) async throws {
        let name = Self.unique("token")
        let look = item("/admin/api/tokens", "name", name)
        func create(_ role: String, key: String?) async throws -> Asked {
            let headers = key.map { ["Idempotency-Key": $0] } ?? [:]
            let body = #"{"name":"\#(name)","role":"\#(role)","expires_in":"90d"}"#
            return try await ask(.POST, "/admin/api/tokens", body, headers: headers, by: person, seeing: look)
        }
        expectNothing(try await create("nobody", key: name), 422)
        let created = try await create("viewer", key: name)
        let id = try #require(created.answer["token_id"]?.stringValue)
        try await expect(
            created,
            201,
            leaves: Self.entry(
                "token.create",
                "token",
                id,
                after: Self.present(created.after, "name", "role", "expires_at", "revoked_at")
            ),
            by: person
        )
        expectNothing(try await create("viewer", key: name), 201)
        expectNothing(try await create("author", key: name), 422)
    }

    func revokeToken(_ person: Person) async throws {
        let name = Self.unique("token")
        let made = try await prepare(.POST, "/admin/api/tokens", #"{"name":"\#(name)","role":"viewer"}"#)
        let id = try #require(made["token_id"]?.stringValue)
        func revoke(_ id: String) async throws -> Asked {
            let look = item("/admin/api/tokens", "token_id", id)
            return try await ask(.DELETE, "/admin/api/tokens/\(id)", by: person, seeing: look)
        }
        expectNothing(try await revoke(UUID().uuidString.lowercased()), 404)
        let revoked = try await revoke(id)
        #expect(revoked.before?["revoked_at"] == .null && revoked.after?["revoked_at"]?.stringValue != nil)
        try await expect(
            revoked,
            leaves: Self.entry(
                "token.revoke",
                "token",
                id,
                before: Self.present(revoked.before, "name", "role", "expires_at", "revoked_at"),
                after: Self.present(revoked.after, "name", "role", "expires_at", "revoked_at")
            ),
            by: person
        )
        expectNothing(try await revoke(id), 200)
    }

    private static func hook(_ document: JSONValue?) -> JSONValue {
        present(
            document,
            "kind",
            "name",
            "secret_version",
            "type_prefix",
            "mapping",
            "signature",
            "previous_secret_until"
        )
    }

    func createHook(_ person: Person) async throws {
        let name = Self.unique("hook")
        func create(_ kind: String, key: String? = nil) async throws -> Asked {
            let headers = key.map { ["Idempotency-Key": $0] } ?? [:]
            let body = #"{"name":"\#(name)","kind":"\#(kind)"}"#
            let look = resource("/admin/api/hooks/\(name)")
            return try await ask(.POST, "/admin/api/hooks", body, headers: headers, by: person, seeing: look)
        }
        expectNothing(try await create("nobody's", key: name), 422)
        let created = try await create("github", key: name)
        let entry = Self.entry("hook.create", "hook", name, after: Self.hook(created.after))
        try await expect(created, 201, leaves: entry, by: person)
        expectNothing(try await create("github", key: name), 201)
        expectNothing(try await create("stripe", key: name), 422)
        expectNothing(try await create("github"), 409)
    }

    func deleteHook(_ person: Person) async throws {
        let name = Self.unique("hook")
        try await prepare(.POST, "/admin/api/hooks", #"{"name":"\#(name)","kind":"github"}"#)
        let path = "/admin/api/hooks/\(name)"
        let deleted = try await ask(.DELETE, path, by: person, seeing: resource(path))
        #expect(deleted.before != nil && deleted.after == nil)
        try await expect(
            deleted,
            204,
            leaves: Self.entry("hook.delete", "hook", name, before: Self.hook(deleted.before)),
            by: person
        )
        expectNothing(try await ask(.DELETE, path, by: person, seeing: resource(path)), 404)
    }

    func rotateHook(_ person: Person) async throws {
        let name = Self.unique("hook")
        try await prepare(.POST, "/admin/api/hooks", #"{"name":"\#(name)","kind":"github"}"#)
        let path = "/admin/api/hooks/\(name)"
        func rotate(_ body: String, key: String? = nil) async throws -> Asked {
            let headers = key.map { ["Idempotency-Key": $0] } ?? [:]
            return try await ask(.POST, "\(path)/rotate", body, headers: headers, by: person, seeing: resource(path))
        }
        expectNothing(try await rotate(#"{"grace":"for ever"}"#, key: name), 422)
        let rotated = try await rotate(#"{"grace":"1h"}"#, key: name)
        #expect(rotated.before?["secret_version"] == 1 && rotated.after?["secret_version"] == 2)
        try await expect(
            rotated,
            leaves: Self.entry(
                "hook.rotate",
                "hook",
                name,
                before: Self.hook(rotated.before),
                after: Self.hook(rotated.after)
            ),
            by: person
        )
        expectNothing(try await rotate(#"{"grace":"1h"}"#, key: name), 200)
        expectNothing(try await rotate(#"{"grace":"2h"}"#, key: name), 422)
    }
}
