import Contracts
import Crypto
import Domain
import Foundation
import JSON
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AuditWriterCore

/// The history of objects.
@Suite(.requiresServers, .timeLimit(.minutes(5)))
struct HistoryRequestTests {
    /// What a reply holds at most.
    private static let longestReply = 256 * 1_024

    @Test("no page of a history is longer than a reply may be, and every change is in one of them")
    func pagesByBytes() async throws {
        try await ServiceDatabase.with(.audit) { database in
            // Texts of these lengths: some that stand in the entry, some kept, and some too large for a reply.
            let lengths = [
                10, 9_000, 25_000, 25_001, 25_002, 25_003, 25_004, 25_005, 300_000, 300_001, 10, 700_000, 60_000,
                60_002,
                20, 30_000, 30_001, 30_002, 200_000, 200_001, 200_002, 200_003, 200_004, 200_005, 200_006,
            ]
            let kept = try await Self.change(lengths.map { Self.state($0) }, database)
            let requests = HistoryRequests(database: database.client, accesses: Self.accesses(database))
            var found: [JSONValue] = []
            var pages = 0
            var cursor = ""
            repeat {
                let body = try JSONDocument(parsing: "{\"object_type\":\"automation\",\"object_id\":\"o\"\(cursor)}")
                let reply = try await requests.history(Self.context, body)
                #expect(reply.body.count < Self.longestReply)
                let page = try JSONValue(parsing: reply.body)
                found += try #require(page["items"]?.arrayValue)
                cursor = page["next"]?.stringValue.map { ",\"cursor\":\"\($0)\"" } ?? ""
                pages += 1
            } while !cursor.isEmpty
            #expect(found.compactMap { $0["version"]?.int64Value } == (1...Int64(lengths.count)).reversed())
            #expect(pages > 2)
            for item in found {
                let version = Int(try #require(item["version"]?.int64Value))
                let before = version == 1 ? 0 : lengths[version - 2]
                let after = lengths[version - 1]
                if max(before, after) > 260_000 || before + after > 64 * 1_024 {
                    #expect(item["changes"] == nil, "\(version)")
                    let reference = item["after"]?["$kept"]
                    #expect(after < 8_000 || reference?["bytes"]?.int64Value ?? 0 > Int64(after), "\(version)")
                } else {
                    #expect(item["changes"]?.arrayValue?.count == 1 && item["after"] == nil, "\(version)")
                }
            }
            #expect(!kept.isEmpty)
        }
    }

    @Test("a kept value is given out in pieces, which make up what was hashed")
    func keptValues() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let kept = try await Self.change([Self.state(9_000), Self.state(700_000)], database)
            let requests = KeptValueRequests(database: database.client, accesses: Self.accesses(database))
            func piece(_ hash: String, _ from: Int, as tenant: String = "acme") async throws -> JSONValue {
                let body = try JSONDocument(parsing: "{\"sha256\":\"\(hash)\",\"from\":\(from)}")
                let context = RequestContext(tenant: tenant, actor: Self.context.actor, requestID: "r")
                let reply = try await requests.get(context, body)
                #expect(reply.body.count < Self.longestReply)
                return try JSONValue(parsing: reply.body)
            }
            for body in kept {
                var value: [UInt8] = []
                var salt: [UInt8] = []
                repeat {
                    let piece = try await piece(body.hash.hex, value.count)
                    salt = Array(try #require(Data(base64Encoded: piece["salt"]?.stringValue ?? "")))
                    value += try #require(Data(base64Encoded: piece["piece"]?.stringValue ?? ""))
                    #expect(piece["bytes"]?.int64Value == Int64(body.body.count))
                } while value.count < body.body.count
                #expect(value == body.body && Array(SHA256.hash(data: salt + value)) == body.hash)
            }
            let hash = try #require(kept.first).hash.hex
            for name in ["", "zz", String(hash.dropLast()), String(repeating: "0", count: 64), "+" + hash.dropFirst()] {
                await #expect(throws: Problem(.notFound)) { try await piece(name, 0) }
            }
            await #expect(throws: Problem(.notFound)) { try await piece(hash, 0, as: "other") }
            await #expect(throws: Problem.self) { try await piece(hash, -1) }
            let queries = try await database.client.execute(
                PostgresStatement("SELECT count(*) FROM audit.outbox WHERE destination = 'audit'")
            )
            #expect(try #require(queries.first).decode(0, as: Int.self) == kept.count, "One for each value.")
        }
    }

    @Test("the history of an object tells what each change has changed, and what was erased")
    func history() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let lanes = LaneGroup(context: .withoutBroker(database.client, schema: .audit), count: 1)
            let large = String(repeating: "x", count: 9_000)
            let states: [JSONValue] = [
                ["name": "a", "n": 1], ["name": "b", "n": 1], ["name": "b", "text": .string(large)], .null,
            ]
            let kept = try await Self.change(states, from: .null, database)
            let requests = HistoryRequests(database: database.client, accesses: LogAccesses(lanes: lanes))
            func items() async throws -> [JSONView] {
                let body = try JSONDocument(parsing: #"{"object_type":"automation","object_id":"o"}"#)
                let reply = try await requests.history(Self.context, body)
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
                #expect(try await erasure.erase(Self.context, request).status == 200)
                await #expect(throws: Problem.self) { try await erasure.erase(Self.context, request) }
            }
            #expect(try await items().map { $0["erased"]?.boolValue } == [true, true, nil, nil])
        }
    }

    private static let context = RequestContext(
        tenant: "acme",
        actor: AuditActor(type: .user, id: "test"),
        requestID: "r"
    )

    private static func accesses(_ database: ServiceDatabase) -> LogAccesses {
        LogAccesses(lanes: LaneGroup(context: .withoutBroker(database.client, schema: .audit), count: 1))
    }

    private static func state(_ length: Int) -> JSONValue {
        ["text": .string(String(repeating: "x", count: length))]
    }

    /// Brings an object from one state to the next, with an entry for each; answers what is kept beside the log.
    private static func change(
        _ states: [JSONValue],
        from first: JSONValue = ["text": ""],
        _ database: ServiceDatabase
    ) async throws -> [KeptBody] {
        var lines: [[UInt8]] = []
        var kept: [KeptBody] = []
        for (seq, (before, after)) in zip([first] + states, states).enumerated() {
            let (draft, bodies) = AuditDraft(
                id: UUIDv7.make(milliseconds: 1_795_000_000_000 + UInt64(seq), high: 0, low: 0),
                time: Timestamp(microseconds: 1_795_000_000_000_000 + Int64(seq)),
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
        let appender = LogAppender(database: database.client, logger: ServiceDatabase.logger)
        _ = try await appender.append([try EntryMessage(Entries.delivery(lines, seq: 1))])
        for body in kept {
            _ = try await database.client.execute(
                PostgresStatement(
                    "INSERT INTO audit.kept_bodies (body_hash, tenant, salt, body) VALUES ($1, 'acme', $2, $3)",
                    [.bytes(body.hash), .bytes(body.salt), .text(String(decoding: body.body, as: UTF8.self))]
                )
            )
        }
        return kept
    }
}
