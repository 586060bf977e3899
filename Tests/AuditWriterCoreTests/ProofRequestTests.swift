import AuditExport
import Checkpoints
import Contracts
import Crypto
import Domain
import Foundation
import JSON
import MerkleLog
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AuditWriterCore

/// What the log gives out proves what it says, to somebody who has its key and nothing else.
@Suite(.requiresServers, .timeLimit(.minutes(5)))
struct ProofRequestTests {
    @Test("every entry of a tenant is proved under the newest checkpoint, and those of others are not shown")
    func inclusion() async throws {
        try await Log.with(700) { log in
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
        try await Log.with(3) { log in
            try await log.append(3)
            #expect(try await log.ask(log.proofs.prove, "{\"leaf_index\":3}").status == 409)
            _ = try await log.appender.sign()
            #expect(try await log.ask(log.proofs.prove, "{\"leaf_index\":3}").status == 200)
        }
    }

    @Test("entries of a tenant are proved page after page under one checkpoint, also while the log grows")
    func provedPages() async throws {
        try await Log.with(700) { log in
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
        try await Log.with(700) { log in
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
        try await Log.with(700) { log in
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

    @Test("an export of one tenant holds its entries, and a signed word of how many they are")
    func scopedExport() async throws {
        try await Log.with(700) { log in
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
        try await Log.with(700) { log in
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

    @Test("the auditors of the installation read the entries of any tenant or all, and say so; others only their own")
    func tenants() async throws {
        try await Log.with(30) { log in
            let reader = EntryReader(database: log.database, accesses: log.accesses, window: 7)
            let history = HistoryRequests(database: log.database, accesses: log.accesses)
            let others = log.entries.indices.filter { log.tenant(of: $0) == "other" }
            let all = Array(log.entries.indices)
            func found(
                _ list: (RequestContext, JSONDocument) async throws -> Reply,
                _ query: String
            ) async throws -> [Int] {
                var indexes: [Int] = []
                var cursor = ""
                repeat {
                    let (status, root) = try await log.ask(list, "{\(query)\(cursor)}", as: "batuta")
                    try #require(status == 200)
                    indexes += try #require(root["items"]).elements.compactMap {
                        $0["leaf_index"]?.int64Value.map(Int.init)
                    }
                    cursor = root["next"]?.stringValue.map { ",\"cursor\":\"\($0)\"" } ?? ""
                } while !cursor.isEmpty
                return indexes.sorted()
            }
            for list in [reader.list, log.proved.list] {
                #expect(try await found(list, #""limit":7"#).isEmpty)
                #expect(try await found(list, #""limit":7,"tenant":"other""#) == others)
                #expect(try await found(list, #""limit":7,"tenant":"*""#) == all)
                #expect(try await found(list, #""limit":7,"tenant":"*","object_id":"r","action":"run.end""#) == all)
                #expect(try await found(list, #""tenant":"*","object_id":"x""#).isEmpty)
                #expect(try await log.ask(list, #"{"tenant":"acme"}"#).status == 200)
                for tenant in ["other", "*", "batuta", ""] {
                    #expect(try await log.ask(list, #"{"tenant":"\#(tenant)"}"#).status == 403)
                }
            }
            let asked = #"{"object_type":"run","object_id":"r","tenant":"other"}"#
            let (status, root) = try await log.ask(history.history, asked, as: "batuta")
            #expect(status == 200 && root["items"]?.count == others.count)
            #expect(try await log.ask(history.history, asked).status == 403)
            let every = asked.replacing("other", with: "*")
            #expect(try await log.ask(history.history, every, as: "batuta").status == 400)
            #expect(try await log.ask(log.proofs.prove, #"{"leaf_index":1}"#, as: "batuta").status == 200)
            #expect(try await log.ask(log.proofs.prove, #"{"leaf_index":1}"#).status == 404)
            for (name, count) in [("other", 2 + 1 + 2), ("acme", 0)] {
                let rows = try await log.database.execute(
                    PostgresStatement(
                        """
                        SELECT count(*) FROM audit.outbox
                        WHERE convert_from(body, 'UTF8') LIKE '%"after":{%"tenant":"\(name)"%},"before"%'
                        """
                    )
                )
                #expect(try #require(rows.first).decode(0, as: Int.self) >= count, "\(name)")
                if count == 0 { #expect(try #require(rows.first).decode(0, as: Int.self) == 0) }
            }
        }
    }

    @Test("the auditors of the installation export the whole log, and nobody another one's export")
    func wholeExport() async throws {
        try await Log.with(300) { log in
            let (status, root) = try await log.ask(log.exports.begin, "{}", as: "batuta")
            #expect(status == 201 && root["scope"] == nil)
            let id = try #require(root["export_id"]?.stringValue)
            #expect(try await log.exported(id, as: "batuta").map(\.entry) == log.entries)
            #expect(try await log.ask(log.exports.entries, "{\"export_id\":\"\(id)\",\"from\":0}").status == 404)
        }
    }

    @Test("an entry is found by object, actor, action, trace and time, and each query leaves an entry itself")
    func search() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let appender = LogAppender(database: database.client, logger: ServiceDatabase.logger)
            let start = (UUIDv7.milliseconds(of: UUIDv7.make()) ?? 0) - 60_000
            let lines = (Int64(1)...40).map { seq in
                AuditDraft(
                    id: UUIDv7.make(milliseconds: start + UInt64(seq) * 1_000, high: 0, low: UInt64(seq)),
                    time: .now(),
                    tenant: "acme",
                    actor: AuditActor(
                        type: seq % 2 == 0 ? .admin : .system,
                        id: seq % 2 == 0 ? "ada" : "automation-engine"
                    ),
                    action: seq % 2 == 0 ? "update" : "run.end",
                    object: AuditObject(type: seq % 2 == 0 ? "automation" : "run", id: "o\(seq % 5)"),
                    traceID: "trace\(seq % 4)"
                ).canonicalBytes(producer: Entries.producer, epoch: 1, seq: seq)
            }
            _ = try await appender.append([try EntryMessage(Entries.delivery(lines, seq: 1))])
            let reader = EntryReader(
                database: database.client,
                accesses: LogAccesses(
                    lanes: LaneGroup(context: .withoutBroker(database.client, schema: .audit), count: 1)
                )
            )
            let least = UUIDv7.make(milliseconds: start + 30_000, high: 0, low: 0).lowercased
            let until = UUIDv7.make(milliseconds: start + 35_000, high: 0, low: 0).lowercased
            let rows: [(query: String, numbers: [Int64])] = [
                (#""actor":"ada""#, (1...40).filter { $0 % 2 == 0 }),
                (#""actor":"automation-engine""#, (1...40).filter { $0 % 2 == 1 }),
                (#""action":"update","object_id":"o0""#, [10, 20, 30, 40]),
                (#""action":"run.end","object_type":"run","object_id":"o1""#, [1, 11, 21, 31]),
                (#""trace_id":"trace3","actor":"automation-engine","object_id":"o3""#, [3, 23]),
                (#""from":"\#(least)","until":"\#(until)""#, [30, 31, 32, 33, 34]),
                (#""actor":"nobody""#, []),
            ]
            for row in rows {
                let reply = try await reader.list(
                    Log.context("acme"),
                    JSONDocument(parsing: "{\(row.query),\"limit\":100}")
                )
                let items = try #require(try JSONDocument(parsing: reply.body).root["items"]).elements
                #expect(items.compactMap { $0["entry"]?["seq"]?.int64Value } == row.numbers.reversed(), "\(row.query)")
            }
            let queries = try await database.client.execute(
                PostgresStatement("SELECT convert_from(body, 'UTF8') FROM audit.outbox WHERE destination = 'audit'")
            )
            #expect(queries.count == rows.count)
            #expect(try #require(queries.first).decode(0, as: String.self).contains("audit.query"))
        }
    }

    @Test("the history of an object tells what each change has changed, and what was erased")
    func history() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let appender = LogAppender(database: database.client, logger: ServiceDatabase.logger)
            let lanes = LaneGroup(context: .withoutBroker(database.client, schema: .audit), count: 1)
            let large = String(repeating: "x", count: 9_000)
            let states: [JSONValue] = [
                .null, ["name": "a", "n": 1], ["name": "b", "n": 1], ["name": "b", "text": .string(large)], .null,
            ]
            var lines: [[UInt8]] = []
            var kept: [KeptBody] = []
            for (seq, (before, after)) in zip(states, states.dropFirst()).enumerated() {
                let (draft, bodies) = AuditDraft(
                    id: UUIDv7.make(),
                    time: .now(),
                    tenant: "acme",
                    actor: AuditActor(type: .admin, id: "ada"),
                    action: "update",
                    object: AuditObject(type: "automation", id: "o", version: seq + 1),
                    before: try .json(before),
                    after: try .json(after)
                ).keepingApart()
                kept += bodies
                lines.append(draft.canonicalBytes(producer: Entries.producer, epoch: 1, seq: Int64(seq) + 1))
            }
            _ = try await appender.append([try EntryMessage(Entries.delivery(lines, seq: 1))])
            for body in kept {
                _ = try await database.client.execute(
                    PostgresStatement(
                        "INSERT INTO audit.kept_bodies (body_hash, tenant, salt, body) VALUES ($1, 'acme', $2, $3)",
                        [.bytes(body.hash), .bytes(body.salt), .text(String(decoding: body.body, as: UTF8.self))]
                    )
                )
            }
            let requests = HistoryRequests(database: database.client, accesses: LogAccesses(lanes: lanes))
            func items() async throws -> [JSONView] {
                let body = try JSONDocument(parsing: #"{"object_type":"automation","object_id":"o"}"#)
                let reply = try await requests.history(Log.context("acme"), body)
                return try #require(try JSONDocument(parsing: reply.body).root["items"]).elements.map { $0 }
            }
            let found = try await items()
            #expect(found.map { $0["version"]?.int64Value } == [4, 3, 2, 1])
            let pointers = found.map { $0["changes"]?.elements.compactMap { $0["pointer"]?.stringValue } }
            #expect(pointers == [[""], ["/n", "/text"], ["/name"], [""]])
            #expect(found[2]["changes"]?[0]?["before"]?.isString("a") == true)
            #expect(found[2]["changes"]?[0]?["after"]?.isString("b") == true)
            let erasure = ErasureRequests(database: database.client, lanes: lanes)
            for body in kept {
                let request = try JSONDocument(parsing: #"{"sha256":"\#(body.hash.hex)","reason":"asked"}"#)
                #expect(try await erasure.erase(Log.context("acme"), request).status == 200)
                await #expect(throws: Problem.self) { try await erasure.erase(Log.context("acme"), request) }
            }
            #expect(try await items().map { $0["erased"]?.boolValue } == [true, true, nil, nil])
        }
    }

    private static func proof(_ root: JSONView) throws -> [MerkleHash] {
        try #require(root["proof"]).elements.map { try #require(MerkleHash(base64: $0.stringValue ?? "")) }
    }
}

/// A signed log of two tenants, whose entries come in turn.
private struct Log {
    let signer: NoteSigner
    let appender: LogAppender
    let database: PostgresClient
    let accesses: LogAccesses
    let authority: CheckpointAuthority
    let proofs: ProofRequests
    let proved: ProvedEntryRequests
    let exports: ExportRequests
    private(set) var entries: [[UInt8]] = []

    static func with(_ count: Int, _ body: (inout Log) async throws -> Void) async throws {
        try await ServiceDatabase.with(.audit) { database in
            let signer = try NoteSigner.generate(name: "example.com/audit", kind: .log)
            let authority = CheckpointAuthority(
                signers: [signer],
                journal: try CheckpointJournal(
                    directory: Command.temporaryURL("checkpoints").path,
                    origin: signer.name
                )
            )
            let accesses = LogAccesses(
                lanes: LaneGroup(context: .withoutBroker(database.client, schema: .audit), count: 1)
            )
            var log = Log(
                signer: signer,
                appender: LogAppender(database: database.client, authority: authority, logger: ServiceDatabase.logger),
                database: database.client,
                accesses: accesses,
                authority: authority,
                proofs: ProofRequests(database: database.client, accesses: accesses),
                proved: ProvedEntryRequests(database: database.client, accesses: accesses),
                exports: ExportRequests(database: database.client, accesses: accesses, authority: authority)
            )
            try await log.append(count)
            _ = try await log.appender.sign()
            try await body(&log)
        }
    }

    /// Another replica, which looks through so many entries with each request.
    func exports(window: Int64) -> ExportRequests {
        ExportRequests(
            database: database,
            accesses: accesses,
            authority: authority,
            window: window,
            patience: .zero
        )
    }

    /// One entry in three is another tenant's.
    func tenant(of index: Int) -> String { index % 3 == 1 ? "other" : "acme" }

    mutating func append(_ count: Int) async throws {
        var messages: [EntryMessage] = []
        for index in entries.count..<entries.count + count {
            let line = Entries.canonical(seq: Int64(index) + 1, tenant: tenant(of: index))
            entries.append(line)
            messages.append(
                try EntryMessage(Entries.delivery([line], seq: Int64(index) + 1, tenant: tenant(of: index)))
            )
        }
        _ = try await appender.append(messages)
    }

    func ask(
        _ handler: (RequestContext, JSONDocument) async throws -> Reply,
        _ body: String,
        as tenant: String = "acme"
    ) async throws -> (status: Int, root: JSONView) {
        let reply: Reply
        do {
            reply = try await handler(Self.context(tenant), JSONDocument(parsing: body))
        } catch let problem as Problem {
            reply = Reply(problem)
        }
        return (reply.status, try JSONDocument(parsing: reply.body, limits: .wrapped).root)
    }

    func exported(_ id: String, as tenant: String) async throws -> [(index: Int, entry: [UInt8])] {
        var found: [(Int, [UInt8])] = []
        var from: Int64? = 0
        while let next = from {
            let (status, root) = try await ask(
                exports.entries,
                #"{"export_id":"\#(id)","from":\#(next)}"#,
                as: tenant
            )
            try #require(status == 200)
            for item in try #require(root["items"]).elements {
                let index = Int(try #require(item["leaf_index"]?.int64Value))
                found.append((index, Array(try #require(item["entry"]).rawBytes)))
            }
            from = root["next"]?.int64Value
        }
        return found
    }

    static func context(_ tenant: String) -> RequestContext {
        RequestContext(tenant: tenant, actor: AuditActor(type: .user, id: "test"), requestID: "r")
    }
}
