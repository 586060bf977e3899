import Foundation
import JSON
import MerkleLog
import NIOHTTP1
import TestSupport
import Testing

/// The log's own operations.
extension AuditedOperationsTests {
    func startExport(_ person: Person) async throws {
        _ = try await covered()
        let started = try await ask(.POST, "/api/audit/exports", by: person)
        let size = try #require(started.answer["size"]?.int64Value, "\(started.answer.text)")
        let entry = Entry(
            action: "audit.export",
            type: "audit_log",
            id: .string(Installation.tenant),
            after: ["size": .number(size)]
        )
        try await expect(started, 201, leaves: entry, by: person)
    }

    /// A witness says what it has seen; nothing that users see is changed.
    func addCosignature(_ person: Person) async throws {
        let checkpoint = try await covered()
        let witness = try NoteSigner(parsing: TestKeys.witness()).cosigner
        let stranger = try NoteSigner.generate(name: "witness.test", kind: .cosignature)
        func cosign(_ time: UInt64, with signer: NoteSigner, as key: NoteVerifierKey) async throws -> Asked {
            let body: JSONValue = [
                "size": .number(Int64(checkpoint.size)), "key": .string(key.description),
                "line": .string(try signer.cosign(checkpoint.text, time: time).line),
            ]
            let json = String(decoding: try body.canonicalBytes(), as: UTF8.self)
            return try await ask(.POST, "/api/audit/checkpoint/cosignatures", json, by: person)
        }
        expectNothing(try await cosign(1_800_000_000, with: witness, as: witness.verifierKey), 201)
        expectNothing(try await cosign(1_800_000_000, with: witness, as: witness.verifierKey), 201)
        expectNothing(try await cosign(1_800_000_001, with: stranger, as: witness.verifierKey), 400)
        expectNothing(try await cosign(1_800_000_001, with: stranger, as: stranger.verifierKey), 403)
        expectNothing(try await ask(.POST, "/api/audit/checkpoint/cosignatures", "{}", by: person), 400)
    }

    func eraseKeptValue(_ person: Person) async throws {
        let steps = (0..<60).map { index in
            #"{"name":"s\#(index)","action_key":"data.transform","input":{"x":"\#(String(repeating: "y", count: 120))"}}"#
        }
        let key = Self.unique("large")
        let made = try await prepare(.POST, Self.automations, Self.automation(key, steps))
        let id = try #require(made["id"]?.stringValue, "\(made.text)")
        let history = "/api/audit/objects/automation/\(id)"
        // The value goes its own way to the log.
        let answer = try await eventually("the kept value is there") {
            try await prepare(.GET, history)
        } until: {
            $0["items"]?[0]?["changes"]?[0] != nil
        }
        #expect(answer["items"]?[0]?["erased"] == nil)
        let listed = try await prepare(.GET, "/api/audit/entries?object_type=automation&object_id=\(id)")
        let base64 = try #require(listed["items"]?[0]?["entry"]?["after"]?["$kept"]?["sha256"]?.stringValue)
        let hash = try #require(MerkleHash(base64: base64)).hex
        let value = try await prepare(.GET, "/api/audit/kept/\(hash)")
        #expect(value["value"]?["name"]?.stringValue != nil && value["sha256"]?.stringValue == hash)
        let path = "/admin/api/audit/kept/\(hash)/erase"
        expectNothing(try await ask(.POST, path, "{}", by: person), 400)
        let erased = try await ask(.POST, path, #"{"reason":"asked for by the person"}"#, by: person)
        let entry = Entry(
            action: "erase",
            type: "kept_value",
            id: .string(hash),
            before: ["bytes": .number(try #require(erased.answer["bytes"]?.int64Value)), "sha256": .string(hash)],
            reason: "asked for by the person"
        )
        try await expect(erased, leaves: entry, by: person)
        expectNothing(try await ask(.POST, path, #"{"reason":"again"}"#, by: person), 404)
        // One that has not come yet is remembered.
        let other = String(repeating: "0", count: 32) + UUID().uuidString.lowercased().filter { $0 != "-" }
        let early = "/admin/api/audit/kept/\(other)/erase"
        let remembered = try await ask(.POST, early, #"{"reason":"asked for"}"#, by: person)
        #expect(remembered.answer["erased"] == false && remembered.answer["bytes"] == .null)
        let note = Entry(action: "erase", type: "kept_value", id: .string(other), reason: "asked for")
        try await expect(remembered, 202, leaves: note, by: person)
        expectNothing(try await ask(.POST, early, #"{"reason":"again"}"#, by: person), 404)
        let after = try await prepare(.GET, history)
        #expect(after["items"]?[0]?["erased"] == true)
        expectNothing(try await ask(.GET, "/api/audit/kept/\(hash)", by: person), 404)
    }

    /// The newest checkpoint, which there is soon after the first entry.
    private func covered() async throws -> Checkpoint {
        let text = try await eventually("the log is signed") {
            try await installation.client().send(.GET, "/api/audit/checkpoint")
        } until: {
            $0.status == 200
        }.text
        return try Checkpoint(parsing: try SignedNote(parsing: text).text)
    }
}
