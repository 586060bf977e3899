import Contracts
import Domain
import Foundation
import JSON
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AuditWriterCore

/// What is found in the log, and by whom.
@Suite(.requiresServers, .timeLimit(.minutes(5)))
struct SearchRequestTests {
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
                    SignedLog.context("acme"),
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

    @Test("the auditors of the installation read the entries of any tenant or all, and say so; others only their own")
    func tenants() async throws {
        try await SignedLog.with(30) { log in
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
}
