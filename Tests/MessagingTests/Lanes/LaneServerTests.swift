import Domain
import FoundationEssentials
import Persistence
import PostgreSQL
import TestSupport
import Testing

@testable import Messaging

/// Lanes on a real database that they reach through a proxy, which loses an answer or a message.
///
/// No broker is there: what the lanes hold stays in the outbox.
@Suite("Lanes whose connection is lost", .requiresServers, .timeLimit(.minutes(3)))
struct LaneServerTests {
    @Test("a transaction whose COMMIT was carried out and not answered has taken place, once")
    func lostAnswer() async throws {
        try await withProxy(mark: "COMMIT\0", losing: .answer) { context, database in
            let lanes = LaneGroup(context: context, count: 1)
            for number in 1...3 {
                let answer = try await lanes.transaction { transaction in
                    transaction.audit(.laneClosed(producer: "test", epoch: 1, last: .zero, by: context))
                    return number
                }
                #expect(answer == number)
            }
            let lane = try await Self.texts("SELECT commits || ' ' || audit_last FROM gateway.lanes", database)
            #expect(lane == ["3 3"])
            let ranges = try await Self.texts(
                "SELECT first_seq || '-' || last_seq FROM gateway.outbox ORDER BY first_seq",
                database
            )
            #expect(ranges == ["1-1", "2-2", "3-3"])
            let unwritten = try await Self.texts(
                "SELECT o.first_seq::text FROM gateway.lanes l JOIN gateway.outbox o ON o.xmin = l.xmin",
                database
            )
            #expect(unwritten == [], "settling writes, so that a standby has confirmed what it has read")
        }
    }

    @Test("a transaction whose COMMIT was lost has not taken place, and cannot any more")
    func lostCommit() async throws {
        try await withProxy(mark: "COMMIT\0", losing: .message) { context, database in
            let lanes = LaneGroup(context: context, count: 1)
            let error = await #expect(throws: PostgresError.self) {
                try await lanes.transaction { transaction in
                    transaction.audit(.laneClosed(producer: "test", epoch: 1, last: .zero, by: context))
                }
            }
            #expect(error?.code == .connectionLost && error?.isRetryable == true)
            let lane = try await Self.texts("SELECT commits || ' ' || audit_last FROM gateway.lanes", database)
            #expect(lane == ["2 0"])
            let messages = try await Self.texts("SELECT message_id::text FROM gateway.outbox", database)
            #expect(messages.isEmpty)
        }
    }

    @Test("a commit that could not be settled in time is settled later, also where no other transaction comes")
    func unsettledAndIdle() async throws {
        try await ServiceDatabase.with(.gateway) { database in
            let port = try #require(database.configuration.hosts.first?.port)
            let settling = try DroppingProxy(upstreamPort: port, mark: "SET commits = CASE", losing: .message)
            defer { settling.close() }
            let committing = try DroppingProxy(upstreamPort: settling.port, mark: "COMMIT\0", times: 1)
            defer { committing.close() }
            try await database.through(committing) { client in
                let context = LaneContext.withoutBroker(client, schema: .gateway)
                let lanes = LaneGroup(context: context, count: 1)
                let error = await #expect(throws: PostgresError.self) {
                    try await lanes.transaction(deadline: .now + .seconds(10)) { transaction in
                        transaction.audit(.laneClosed(producer: "test", epoch: 1, last: .zero, by: context))
                    }
                }
                #expect(error?.code == .commitOutcomeUnknown)
                settling.stopLosing()
                let keeper = LaneKeeper(context: context, relays: RelayRegistry(), lanes: lanes)
                await withDiscardingTaskGroup { group in
                    group.addTask { await keeper.run() }
                    do {
                        try await eventually("the lane is settled", within: .seconds(60)) {
                            try await Self.texts(
                                """
                                SELECT l.commits || ' ' || l.audit_last FROM gateway.lanes l
                                JOIN gateway.outbox o ON o.epoch = l.epoch AND o.xmin <> l.xmin
                                """,
                                database
                            ) == ["1 1"]
                        }
                    } catch {
                        Issue.record(error)
                    }
                    group.cancelAll()
                }
            }
        }
    }

    @Test("a lane is sent by the instance that took it over without hearing that it did", arguments: [true, false])
    func lostTakeover(isClosed: Bool) async throws {
        let mark = isClosed ? "SET closed_at = coalesce" : "COMMIT\0"
        try await withProxy(mark: mark, losing: .answer, times: 1) { context, database in
            let epoch: Int64 = try await Self.first(
                """
                INSERT INTO gateway.lanes (producer, keeper, audit_last, closed_at)
                VALUES ('api-gateway/gone/0', gen_random_uuid(), 3, \(isClosed ? "now()" : "NULL")) RETURNING epoch
                """,
                database
            )
            let relays = RelayRegistry()
            let keeper = LaneKeeper(context: context, relays: relays, lanes: LaneGroup(context: context, count: 1))
            await withDiscardingTaskGroup { group in
                group.addTask { await keeper.run() }
                do {
                    try await eventually("the lane is sent") { relays.epochs == [epoch] }
                } catch {
                    Issue.record(error)
                }
                group.cancelAll()
            }
            let kept = try await Self.texts(
                "SELECT keeper::text FROM gateway.lanes WHERE epoch = \(epoch) AND closed_at IS NOT NULL",
                database
            )
            #expect(kept == [context.instance.uuidString.lowercased()])
            let entries = try await Self.texts("SELECT last_seq::text FROM gateway.outbox", database)
            #expect(entries.count == (isClosed ? 0 : 1), "the end of a lane is audited once")
        }
    }

    private func withProxy(
        mark: String,
        losing loss: DroppingProxy.Loss,
        times: Int = .max,
        _ body: (_ context: LaneContext, _ database: ServiceDatabase) async throws -> Void
    ) async throws {
        try await ServiceDatabase.with(.gateway) { database in
            let port = try #require(database.configuration.hosts.first?.port)
            let proxy = try DroppingProxy(upstreamPort: port, mark: mark, losing: loss, times: times)
            defer { proxy.close() }
            try await database.through(proxy) { try await body(.withoutBroker($0, schema: .gateway), database) }
        }
    }

    private static func texts(_ query: String, _ database: ServiceDatabase) async throws -> [String] {
        try await database.client.execute(PostgresStatement(query)).map { try $0.decode(0) }
    }

    private static func first<Value: PostgresDecodable>(
        _ query: String,
        _ database: ServiceDatabase
    ) async throws -> Value {
        try #require(try await database.client.execute(PostgresStatement(query)).first).decode(0)
    }
}
