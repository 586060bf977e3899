import Contracts
import Domain
import FoundationEssentials
import JSON
import MerkleLog
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AuditWriterCore

@Suite struct LackingNumbersTests {
    @Test func whatIsNeitherInTheLogNorHeld() {
        let known = LaneSequencer(last: 4, early: RangeSet(7..<9))
        #expect(known.lacking(1...4).isEmpty)
        #expect(known.lacking(3...10) == RangeSet([5..<7, 9..<11]))
        #expect(known.lacking(7...8).isEmpty)
    }
}

@Suite(.requiresServers, .timeLimit(.minutes(5)))
struct RequestTests {
    @Test func lanesArePositioned() async throws {
        try await ServiceDatabase.with(.audit) { database in
            _ = try await Self.appender(database).append([
                try Entries.message(1...3), try Entries.message(6...7),
            ])
            let requests = LackingRequests(database: database.client)
            func lacking(_ epoch: Int64, _ last: Int64) async throws -> String {
                let body = "{\"producer\":\"\(Entries.producer)\",\"epoch\":\(epoch),\"first\":1,\"last\":\(last)}"
                let reply = try await requests.numbers(Self.context("batuta"), JSONDocument(parsing: body))
                #expect(reply.status == 200)
                return String(decoding: reply.body, as: UTF8.self)
            }
            #expect(try await lacking(1, 8) == #"{"lacking":[[4,5],[8,8]]}"#)
            #expect(try await lacking(1, 3) == #"{"lacking":[]}"#)
            #expect(try await lacking(2, 2) == #"{"lacking":[[1,2]]}"#)
            await #expect(throws: Problem.self) { try await lacking(1, 1 << 60) }
            await #expect(throws: Problem.self) { try await lacking(1, 0) }
        }
    }

    /// Pages cover all entries of the tenant and none of another, newest first, byte for byte.
    @Test func entriesAreListedByPages() async throws {
        try await ServiceDatabase.with(.audit) { database in
            var sent: [(id: UUID, canonical: [UInt8])] = []
            var messages: [EntryMessage] = []
            for seq in Int64(1)...30 {
                let id = UUIDv7.make(
                    milliseconds: UInt64(Date().timeIntervalSince1970 * 1_000),
                    high: 0,
                    low: UInt64(seq)
                )
                let tenant = seq % 3 == 0 ? "other" : "acme"
                let object = AuditObject(type: "automation", id: "a\(seq % 2)")
                let line = Entries.canonical(seq: seq, tenant: tenant, id: id, object: object, action: "create")
                if tenant == "acme" { sent.append((id, line)) }
                messages.append(try EntryMessage(Entries.delivery([line], seq: seq, tenant: tenant)))
            }
            _ = try await Self.appender(database).append(messages)
            let accesses = LogAccesses(
                lanes: LaneGroup(context: .withoutBroker(database.client, schema: .audit), count: 1)
            )
            let reader = EntryReader(database: database.client, accesses: accesses)
            let expected = sent.sorted { $0.id.uuidString > $1.id.uuidString }.map(\.canonical)
            #expect(try await Self.pages(reader, "\"limit\":7") == expected)
            let even = try expected.filter {
                try JSONDocument(parsing: $0).root["object"]?["id"]?.isString("a0") ?? false
            }
            let filter = "\"limit\":2,\"object_type\":\"automation\",\"object_id\":\"a0\",\"action\":\"create\""
            #expect(try await Self.pages(reader, filter) == even)
            #expect(try await Self.pages(reader, "\"action\":\"activate\"").isEmpty)
            await #expect(throws: Problem(.invalidCursor)) { try await Self.pages(reader, "\"cursor\":\"x\"") }
        }
    }

    /// Where no index tells the entries apart, pages go on from where the window has ended, however few they hold.
    @Test(arguments: [
        #""object_type":"rare""#, #""actor":"automation-engine","object_type":"rare""#,
        #""action":"create","object_type":"rare""#, #""object_id":"o","action":"never""#,
    ])
    func entriesAreLookedThroughByWindows(_ filter: String) async throws {
        try await ServiceDatabase.with(.audit) { database in
            var expected: [[UInt8]] = []
            var messages: [EntryMessage] = []
            for seq in Int64(1)...40 {
                let id = UUIDv7.make(
                    milliseconds: UInt64(Date().timeIntervalSince1970 * 1_000),
                    high: 0,
                    low: UInt64(seq)
                )
                let object = AuditObject(type: [3, 4, 39].contains(seq) ? "rare" : "run", id: "o")
                let line = Entries.canonical(seq: seq, id: id, object: object, action: "create")
                if object.type == "rare", !filter.contains("never") { expected.append(line) }
                messages.append(try EntryMessage(Entries.delivery([line], seq: seq)))
            }
            _ = try await Self.appender(database).append(messages)
            let accesses = LogAccesses(
                lanes: LaneGroup(context: .withoutBroker(database.client, schema: .audit), count: 1)
            )
            let reader = EntryReader(database: database.client, accesses: accesses, window: 7)
            #expect(try await Self.pages(reader, filter) == expected.reversed())
            #expect(try await Self.pages(reader, "\(filter),\"limit\":1") == expected.reversed())
            let queries = try await database.client.execute(
                PostgresStatement("SELECT count(*) FROM audit.outbox WHERE destination = 'audit'")
            )
            let pages = try #require(queries.first).decode(0, as: Int.self)
            #expect(pages >= 11, "Each page looks through seven entries.")
        }
    }

    /// What is appended while a page is looked for, with an id from anywhere, moves the end of its window nowhere.
    @Test func aWindowEndsWhereItWasLookedThrough() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let now = UInt64(Date().timeIntervalSince1970 * 1_000)
            func append(_ numbers: ClosedRange<Int64>, epoch: Int64, at offset: UInt64) async throws {
                let lines = numbers.map { seq in
                    Entries.canonical(
                        seq: seq,
                        epoch: epoch,
                        id: UUIDv7.make(milliseconds: now + UInt64(seq) * 1_000 + offset, high: 0, low: UInt64(seq)),
                        object: AuditObject(type: seq == 9 ? "rare" : "run", id: "o")
                    )
                }
                let message = try EntryMessage(Entries.delivery(lines, seq: numbers.lowerBound, epoch: epoch))
                _ = try await Self.appender(database).append([message])
            }
            try await append(1...20, epoch: 1, at: 0)
            let accesses = LogAccesses(
                lanes: LaneGroup(context: .withoutBroker(database.client, schema: .audit), count: 1)
            )
            let reader = EntryReader(database: database.client, accesses: accesses, window: 7)
            let filter = EntryFilter(try JSONDocument(parsing: #"{"object_type":"rare"}"#).root)
            let search = try await reader.search(
                filter,
                of: .one("acme"),
                before: EntryReader.end,
                deadline: .now + .seconds(30)
            )
            #expect(try await database.client.page(search.page(50)).isEmpty)
            let end = try await database.client.page(search.lastOfWindow)
            // Some before the newest that was looked at, and some after it.
            try await append(1...30, epoch: 2, at: 500)
            let endAfterwards = try await database.client.page(search.lastOfWindow)
            #expect(try #require(endAfterwards.first).decode(0, as: UUID.self) == #require(end.first).decode(0))
            let found = try await database.client.page(search.page(50))
            #expect(found.isEmpty)
        }
    }

    /// However few entries of a large log are asked for, a page reads no more of them than the window has.
    @Test(arguments: [
        "{}", #"{"object_id":"o7"}"#, #"{"actor":"ada"}"#, #"{"action":"create"}"#, #"{"object_type":"rare"}"#,
        #"{"actor":"scheduler"}"#, #"{"action":"run.end","actor":"scheduler"}"#, #"{"actor":"ada","object_type":"no"}"#,
        #"{"action":"create","actor":"scheduler"}"#, #"{"object_id":"o7","object_type":"no"}"#,
    ])
    func noPageReadsTheWholeLog(_ filter: String) async throws {
        let window = 500
        try await ServiceDatabase.with(.audit) { database in
            _ = try await database.client.execute(
                PostgresStatement(
                    """
                    INSERT INTO audit.entries (entry_id, leaf_index, tenant, canonical, leaf_hash, action, actor_type,
                        actor_id, object_type, object_id)
                    SELECT (left(audit.uuid7_floor(now() - n * interval '1 second')::text, 24) || lpad(to_hex(n), 12, '0'))::uuid, n, 'acme', '', decode(repeat('00', 32), 'hex'),
                        CASE WHEN n % 10000 = 5 THEN 'create' ELSE 'run.end' END,
                        CASE WHEN n % 10000 = 5 THEN 'admin' ELSE 'system' END,
                        CASE WHEN n % 10000 = 5 THEN 'ada' ELSE 'automation-engine' END,
                        CASE WHEN n % 10000 = 5 THEN 'rare' ELSE 'run' END, 'o' || n
                    FROM generate_series(1, 30000) AS n
                    """
                )
            )
            for tenant in [ReadTenant.one("acme"), .every] {
                let search = EntrySearch(
                    EntryFilter(try JSONDocument(parsing: filter).root),
                    of: tenant,
                    before: EntryReader.end,
                    in: 30_000,
                    window: window
                )
                let lines = try await database.client
                    .page(search.page(50, explaining: "EXPLAIN (ANALYZE, TIMING OFF)"))
                    .map { try $0.decode(0, as: String.self) }
                let plan = lines.joined(separator: "\n")
                #expect(!plan.contains("Seq Scan") && !plan.contains("Sort"), "\(plan)")
                let read = plan.matches(of: /(?:actual rows=|Rows Removed by Filter: )([0-9]+)/).map { Int($0.1) ?? 0 }
                #expect(read.count > 1 && read.allSatisfy { $0 <= window }, "\(plan)")
            }
        }
    }

    /// Follows the cursors to the end; every hash is that of the entry's bytes.
    private static func pages(_ reader: EntryReader, _ members: String) async throws -> [[UInt8]] {
        var entries: [[UInt8]] = []
        var cursor = ""
        while true {
            let reply = try await reader.list(context("acme"), JSONDocument(parsing: "{\(members)\(cursor)}"))
            let root = try JSONDocument(parsing: reply.body).root
            for item in try #require(root["items"]).elements {
                let canonical = Array(try #require(item["entry"]).rawBytes)
                let hash = MerkleHash.leaf(canonical).hex
                #expect(item["leaf_hash"]?.stringValue == hash)
                #expect(item["leaf_index"]?.int64Value != nil)
                entries.append(canonical)
            }
            guard let next = root["next"]?.stringValue else {
                return entries
            }
            cursor = ",\"cursor\":\"\(next)\""
        }
    }

    private static func context(_ tenant: String) -> RequestContext {
        RequestContext(tenant: tenant, actor: AuditActor(type: .user, id: "test"), requestID: "r")
    }

    private static func appender(_ database: ServiceDatabase) -> LogAppender {
        LogAppender(database: database.client, logger: ServiceDatabase.logger)
    }
}
