import AuditExport
import Contracts
import Foundation
import JSON
import MerkleLog
import Persistence
import TestSupport
import Testing

@testable import AuditWriterCore

/// What the log gives out proves what it says, to somebody who has its key and nothing else.
@Suite(.requiresServers, .timeLimit(.minutes(5)))
struct ProofRequestTests {
    @Test("every entry of a tenant is proved under the newest checkpoint, and those of others are not shown")
    func inclusion() async throws {
        try await SignedLog.with(700) { log in
            for index in [0, 1, 255, 256, 511, 512, 699] {
                let (status, root) = try await log.ask(log.proofs.prove, "{\"leaf_index\":\(index)}")
                guard log.tenant(of: index) == "acme" else {
                    #expect(status == 404)
                    continue
                }
                let note = try SignedNote(parsing: try #require(root["checkpoint"]?.stringValue))
                #expect(try !note.verified(by: [log.signer.verifierKey]).isEmpty)
                let checkpoint = try Checkpoint(parsing: note.text)
                let entry = Array(try #require(root["entry"]).rawBytes)
                #expect(entry == log.entries[index])
                try MerkleProof.verifyInclusion(
                    of: .leaf(entry),
                    index: UInt64(index),
                    size: checkpoint.size,
                    proof: try Self.proof(root),
                    root: checkpoint.root
                )
            }
            for body in ["{}", "{\"leaf_index\":-1}", "{\"leaf_index\":\"1\"}"] {
                #expect(try await log.ask(log.proofs.prove, body).status == 400)
            }
            #expect(try await log.ask(log.proofs.prove, "{\"leaf_index\":700}").status == 404)
        }
    }

    @Test("an entry that no checkpoint covers yet is said to be so, and proved later")
    func notYetCovered() async throws {
        try await SignedLog.with(3) { log in
            try await log.append(3)
            #expect(try await log.ask(log.proofs.prove, "{\"leaf_index\":3}").status == 409)
            _ = try await log.appender.sign()
            #expect(try await log.ask(log.proofs.prove, "{\"leaf_index\":3}").status == 200)
        }
    }

    @Test("entries of a tenant are proved page after page under one checkpoint, also while the log grows")
    func provedPages() async throws {
        try await SignedLog.with(700) { log in
            let own = log.entries.indices.filter { log.tenant(of: $0) == "acme" }
            // No checkpoint covers these yet.
            try await log.append(50)
            var lines: [UInt8] = []
            var indexes: [Int] = []
            var cursor = ""
            var pages = 0
            repeat {
                let (status, root) = try await log.ask(log.proved.list, "{\"limit\":100\(cursor)}")
                try #require(status == 200)
                if pages == 0 { lines = ProofsLine.head(checkpoint: try #require(root["checkpoint"]?.stringValue)) }
                for item in try #require(root["items"]).elements {
                    let index = try #require(item["leaf_index"]?.int64Value)
                    let entry = Array(try #require(item["entry"]).rawBytes)
                    indexes.append(Int(index))
                    #expect(entry == log.entries[Int(index)])
                    lines += ProofsLine.entry(entry, index: UInt64(index), proof: try Self.proof(item))
                }
                cursor = root["next"]?.stringValue.map { ",\"cursor\":\"\($0)\"" } ?? ""
                pages += 1
                // The log goes on, and is signed, between the pages.
                try await log.append(300)
                _ = try await log.appender.sign()
            } while !cursor.isEmpty
            #expect(indexes.sorted() == own && pages == 5)
            let file = Command.temporaryURL("proofs.jsonl")
            defer { try? FileManager.default.removeItem(at: file) }
            try Data(lines).write(to: file)
            let verifier = ProofsVerifier(keys: try ExportKeys(log: [log.signer.verifierKey], witnesses: []))
            guard case .good(let summary) = try verifier.verify(file.path) else {
                Issue.record("\(try verifier.verify(file.path))")
                return
            }
            #expect(summary.entries == UInt64(own.count) && summary.head.checkpoint.size == 700)
            let queries = try await log.database.execute(
                PostgresStatement(
                    """
                    SELECT count(*) FROM audit.outbox WHERE convert_from(body, 'UTF8') LIKE '%"after":{"size":700}%'
                    """
                )
            )
            #expect(try #require(queries.first).decode(0, as: Int.self) == pages)
            for cursor in ["x", "700", "701.\(UUID().uuidString)", "-1.\(UUID().uuidString)", "700.x"] {
                #expect(try await log.ask(log.proved.list, "{\"cursor\":\"\(cursor)\"}").status == 400, "\(cursor)")
            }
        }
    }

    @Test("sizes of the log are proved to be consistent")
    func consistency() async throws {
        try await SignedLog.with(700) { log in
            let leaves = log.entries.map { MerkleHash.leaf($0) }
            for (from, to) in [(1, 2), (255, 257), (256, 512), (300, 700), (700, 700)] {
                let (status, root) = try await log.ask(log.proofs.consistency, "{\"from\":\(from),\"to\":\(to)}")
                #expect(status == 200)
                try MerkleProof.verifyConsistency(
                    from: UInt64(from),
                    root: LogChecks.root(Array(leaves[..<from])),
                    to: UInt64(to),
                    root: LogChecks.root(Array(leaves[..<to])),
                    proof: try Self.proof(root)
                )
            }
            for body in [
                "{}", "{\"from\":0,\"to\":4}", "{\"from\":5,\"to\":4}", "{\"from\":1,\"to\":701}", "{\"from\":-1}",
            ] {
                #expect(try await log.ask(log.proofs.consistency, body).status == 400)
            }
        }
    }

    @Test("the tiles are those of the tree that was signed, also after it has grown")
    func tiles() async throws {
        try await SignedLog.with(700) { log in
            let leaves = log.entries.map { MerkleHash.leaf($0) }
            try await log.append(900)
            func tile(_ level: Int, _ index: Int, _ width: Int?) async throws -> [MerkleHash]? {
                let width = width.map { ",\"width\":\($0)" } ?? ""
                let (status, root) = try await log.ask(
                    log.proofs.tile,
                    "{\"level\":\(level),\"index\":\(index)\(width)}"
                )
                guard status == 200, let text = root["hashes"]?.stringValue, let data = Data(base64Encoded: text) else {
                    return nil
                }
                return [MerkleHash](concatenated: data)
            }
            #expect(try await tile(0, 0, nil) == Array(leaves[..<256]))
            #expect(try await tile(0, 2, nil) == Array(leaves[512...]), "It is as wide as the checkpoint covers.")
            #expect(try await tile(0, 2, 5) == Array(leaves[512..<517]))
            let roots = [leaves[..<256], leaves[256..<512]].map { LogChecks.root(Array($0)) }
            #expect(try await tile(1, 0, nil) == roots)
            for (level, index, width) in [(0, 3, nil), (0, 2, 189), (1, 1, nil), (2, 0, nil), (8, 0, nil), (0, 0, 0)] {
                #expect(try await tile(level, index, width) == nil)
            }
        }
    }

    private static func proof(_ root: JSONView) throws -> [MerkleHash] {
        try #require(root["proof"]).elements.map { try #require(MerkleHash(base64: $0.stringValue ?? "")) }
    }
}
