import Contracts
import Crypto
import JSON
import MerkleLog
import TestSupport
import Testing

@testable import AuditWriterCore

/// What is exported of the log, and to whom.
@Suite(.requiresServers, .timeLimit(.minutes(5)))
struct ExportRequestTests {
    @Test("an export of one tenant holds its entries, and a signed word of how many they are")
    func scopedExport() async throws {
        try await SignedLog.with(700) { log in
            let (status, root) = try await log.ask(log.exports.begin, "{}")
            #expect(status == 201)
            let scope = try SignedNote(parsing: try #require(root["scope"]?.stringValue))
            #expect(try scope.verified(by: [log.signer.verifierKey]).count == 1)
            let own = log.entries.indices.filter { log.tenant(of: $0) == "acme" }
            let digest = try #require(
                MerkleHash(Array(SHA256.hash(data: own.flatMap { MerkleHash.leaf(log.entries[$0]).bytes })))
            )
            let lines = scope.text.split(separator: "\n")
            #expect(lines[0] == "example.com/audit/scope" && lines[1] == "700" && lines[3] == "tenant acme")
            #expect(lines[4] == "entries \(own.count)" && String(lines[5]) == digest.base64)
            try await log.append(100)
            let found = try await log.exported(try #require(root["export_id"]?.stringValue), as: "acme")
            #expect(found.map(\.index) == own, "What came later is no part of it.")
            #expect(found.map(\.entry) == own.map { log.entries[$0] })
        }
    }

    @Test("what an export holds of a tenant is worked out over many requests, by any replica, while the log grows")
    func scopeInParts() async throws {
        try await SignedLog.with(700) { log in
            let whole = try #require(try await log.ask(log.exports.begin, "{}").root["scope"]?.stringValue)
            let replicas = [log.exports(window: 100), log.exports(window: 60)]
            let (status, root) = try await log.ask(replicas[0].begin, "{}")
            #expect(status == 201 && root["scope"] == nil && root["looked_through"]?.int64Value == 100)
            let id = try #require(root["export_id"]?.stringValue)
            try await log.append(200)
            _ = try await log.appender.sign()
            let asked = "{\"export_id\":\"\(id)\"}"
            for (replica, window) in zip(replicas, [100, 60]) {
                var through = window == 100 ? 100 : 0
                while through + window < 700 {
                    through += window
                    let (status, root) = try await log.ask(replica.get, asked)
                    #expect(status == 200 && root["looked_through"]?.int64Value == Int64(through))
                    #expect(root["scope"] == nil && root["size"]?.int64Value == 700)
                }
                for _ in 1...2 {
                    let (_, root) = try await log.ask(replica.get, asked)
                    let scope = try SignedNote(parsing: try #require(root["scope"]?.stringValue))
                    #expect(try scope.text == SignedNote(parsing: whole).text && root["looked_through"] == nil)
                    #expect(try scope.verified(by: [log.signer.verifierKey]).count == 1)
                }
            }
            #expect(try await log.ask(replicas[0].get, asked, as: "other").status == 404)
            #expect(try await log.ask(replicas[0].get, "{}").status == 400)
        }
    }

    @Test("the auditors of the installation export the whole log, and nobody another one's export")
    func wholeExport() async throws {
        try await SignedLog.with(300) { log in
            let (status, root) = try await log.ask(log.exports.begin, "{}", as: "batuta")
            #expect(status == 201 && root["scope"] == nil)
            let id = try #require(root["export_id"]?.stringValue)
            #expect(try await log.exported(id, as: "batuta").map(\.entry) == log.entries)
            #expect(try await log.ask(log.exports.entries, "{\"export_id\":\"\(id)\",\"from\":0}").status == 404)
        }
    }
}
