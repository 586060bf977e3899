import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import TestSupport
import Testing

@testable import APIGatewayCore

/// The rows of replays, on a database of the gateway's own and without a broker.
@Suite(.requiresServers, .timeLimit(.minutes(1)))
struct ReplayStorageTests {
    private struct Store: Sendable {
        let database: ServiceDatabase
        let lanes: LaneGroup
        let worker: ReplayWorker
        var repository: ReplayRepository { ReplayRepository(database: database.client) }

        func texts(_ query: String) async throws -> [String] {
            try await database.client.execute(PostgresStatement(query)).map { try $0.decode(0) }
        }

        /// Stores a replay that begins.
        func insert(_ replay: Replay) async throws {
            try await lanes.change { transaction in
                transaction.enqueue([ReplayRepository.insertion(replay)])
                return .made((), try replay.startEntry(by: replay.actor))
            }
        }

        /// Stores an accepted signal; answers its id.
        @discardableResult
        func accept(
            _ milliseconds: UInt64,
            type: String,
            bytes: Int = 10,
            tenant: String = "acme",
            source: String = "/t"
        ) async throws -> UUID {
            let id = UUIDv7.make(milliseconds: milliseconds, high: .random(in: .min ... .max), low: 1)
            let text = String(repeating: "x", count: bytes)
            let event = #"{"specversion":"1.0","id":"\#(id)","source":"/t","type":"\#(type)","data":"\#(text)"}"#
            try await database.client.execute(
                PostgresStatement(
                    """
                    INSERT INTO gateway.signals (signal_id, tenant, type, source, id, epoch, event)
                    VALUES ($1, $2, $3, $6, $4, 1, $5)
                    """,
                    [.uuid(id), .text(tenant), .text(type), .text(id.lowercased), .text(event), .text(source)]
                )
            )
            return id
        }
    }

    private func with(_ test: @Sendable (Store) async throws -> Void) async throws {
        try await ServiceDatabase.with(.gateway) { database in
            let context = LaneContext.withoutBroker(database.client, schema: .gateway)
            let lanes = LaneGroup(context: context, count: 2)
            let worker = ReplayWorker(
                lanes: lanes,
                repository: ReplayRepository(database: database.client),
                requests: context.requests,
                patience: .seconds(10),
                logger: ServiceDatabase.logger
            )
            try await database.client.execute(
                PostgresStatement("INSERT INTO gateway.tenants (tenant, name) VALUES ('acme', 'Acme')")
            )
            try await test(Store(database: database, lanes: lanes, worker: worker))
        }
    }

    /// A time in the partitions that there are.
    private static let base = UInt64(Timestamp.now().microseconds / 1_000)

    private static func replay(_ signalType: String = "orders.*") throws -> Replay {
        Replay(
            tenant: try #require(Tenant("acme")),
            target: Replay.Target(id: UUIDv7.make(), key: "one", version: 1, signalType: signalType, filter: nil),
            span: ReplaySpan(from: base, until: base + 1_000),
            isDryRun: false,
            actor: AuditActor(type: .admin, id: "ann"),
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        )
    }

    private static func page(_ count: Int, of replay: Replay) throws -> ReplayPage {
        let candidates = (0..<count).map { number in
            let id = UUIDv7.make(milliseconds: base + UInt64(number), high: 0, low: 0)
            let event = #"{"specversion":"1.0","id":"\#(number)","source":"/t","type":"orders.paid","data":1}"#
            return ReplayCandidate(signalID: id, type: "orders.paid", event: Array(event.utf8))
        }
        let criterion = try #require(try replay.criterion())
        return ReplayPage(candidates, isWhole: false, end: replay.span.end, criterion: criterion)
    }

    @Test func aReplayIsReadAsItWasStored() async throws {
        try await with { store in
            var replay = try Self.replay()
            replay.target.filter = Array(#"{"data":[1]}"#.utf8)
            replay.isDryRun = true
            try await store.insert(replay)
            let deadline = ContinuousClock.now + .seconds(5)
            #expect(try await store.repository.replay(replay.id, of: replay.tenant, deadline: deadline) == replay)
            let other = try #require(Tenant("other"))
            #expect(try await store.repository.replay(replay.id, of: other, deadline: deadline) == nil)
            #expect(try await store.repository.page(of: other, before: nil, count: 5, deadline: deadline).isEmpty)
            // Whoever takes it has it alone for a while.
            #expect(try await store.repository.takeDue(seconds: 15, deadline: deadline)?.id == replay.id)
            #expect(try await store.repository.takeDue(seconds: 15, deadline: deadline) == nil)
        }
    }

    /// Two replicas that have read the same row send its page once.
    @Test func aPageIsSentOnce() async throws {
        try await with { store in
            let replay = try Self.replay()
            try await store.insert(replay)
            let page = try Self.page(3, of: replay)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { try await store.worker.commit(page, of: replay) } }
                try await group.waitForAll()
            }
            #expect(try await store.texts("SELECT source FROM gateway.signals").count == 3)
            let versions = try await store.texts(
                "SELECT schema_version || ' ' || cardinality(items) FROM gateway.outbox WHERE destination = 'signals'"
            )
            #expect(versions == ["2 3"])
            let deadline = ContinuousClock.now + .seconds(5)
            let stored = try await store.repository.replay(replay.id, of: replay.tenant, deadline: deadline)
            #expect(stored?.replayed == 3)
            #expect(stored?.position == page.position)
            #expect(stored?.page.count == 3)
            // What was canceled is not gone on with.
            try await store.lanes.change { transaction in
                try await transaction.execute(ReplayRepository.end(replay.id, of: replay.tenant, as: .canceled))
                return .made((), try replay.endEntry("replay.cancel", by: replay.actor))
            }
            try await store.worker.commit(try Self.page(5, of: replay), of: try #require(stored))
            #expect(try await store.texts("SELECT source FROM gateway.signals").count == 3)
        }
    }

    @Test(arguments: [("orders.*", 7), ("orders.paid", 4)])
    func signalsOfTheTypeAreCountedUpToALimit(_ signalType: String, _ count: Int) async throws {
        try await with { store in
            let replay = try Self.replay(signalType)
            let trigger = try #require(SignalTrigger(signalType))
            for offset in [0, 500, 999] as [UInt64] {
                for type in ["orders.paid", "orders.line.added", "orders", "orders/paid", "ordersx.paid"] {
                    try await store.accept(Self.base + offset, type: type)
                }
            }
            try await store.accept(Self.base - 1, type: "orders.paid")
            try await store.accept(Self.base + 1_000, type: "orders.paid")
            try await store.accept(Self.base + 5, type: "orders.paid", tenant: "other")
            try await store.accept(Self.base + 5, type: "orders.paid", source: RerunSignal.source)
            func counted(_ limit: Int) async throws -> Int {
                try await store.repository.count(
                    for: replay,
                    trigger: trigger,
                    limit: limit,
                    deadline: .now + .seconds(10)
                )
            }
            #expect(try await counted(100) == count)
            #expect(try await counted(count) == count)
            #expect(try await counted(count - 1) == count - 1)
        }
    }

    /// What an open transaction has stored is seen late, so what is read ends before it began.
    @Test func theOldestOpenTransactionIsKnown() async throws {
        try await ServiceDatabase.with(.gateway) { database in
            // Of sessions of others a role sees no more than that they are there.
            let user = "reader_\(UUID().uuidString.lowercased().filter { $0 != "-" })"
            try await database.executeAsSuperuser("CREATE ROLE \(user) LOGIN PASSWORD '\(user)' IN ROLE batuta_gateway")
            let result: Result<Void, any Error>
            do {
                var configuration = database.configuration
                (configuration.user, configuration.password) = (user, user)
                configuration.sessionSettings["role"] = nil
                result = .success(try await Self.findsTheOldestTransaction(configuration))
            } catch {
                result = .failure(error)
            }
            try await database.executeAsSuperuser("DROP ROLE \(user)")
            try result.get()
        }
    }

    private static func findsTheOldestTransaction(_ configuration: PostgresConfiguration) async throws {
        try await ServiceDatabase.withClient(configuration) { client in
            func oldest() async throws -> Timestamp? {
                try await ReplayRepository(database: client).oldestTransaction(deadline: .now + .seconds(10))
            }
            #expect(try await oldest() == nil)
            let began = try await client.withTransaction { transaction in
                let rows = try await transaction.execute(PostgresStatement("SELECT transaction_timestamp()"))
                let began = Timestamp(
                    microseconds: try #require(rows.first).decode(0, as: PostgresTimestamp.self).microsecondsSinceEpoch
                )
                #expect(try await oldest() == began)
                return began
            }
            #expect(began < Timestamp.now())
            #expect(try await oldest() == nil)
        }
    }

    /// Of two that would start the last replay that is allowed, the second sees the first.
    @Test func runningReplaysAreCountedOneStartAfterTheOther() async throws {
        try await with { store in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    let replay = try Self.replay()
                    group.addTask {
                        try await store.lanes.change { transaction in
                            let running = ReplayRepository.running(of: replay.tenant)
                            let rows = try await transaction.database.pipeline(running)
                            guard try rows.last?.first?.decode(0, as: Int.self) ?? 0 < 2 else {
                                return .none(())
                            }
                            transaction.enqueue([ReplayRepository.insertion(replay)])
                            return .made((), try replay.startEntry(by: replay.actor))
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.texts("SELECT replay_id::text FROM gateway.replays").count == 2)
        }
    }

    @Test(arguments: ["orders.*", "orders.paid"])
    func theNextSignalsAreReadInTheOrderOfTheirIDs(_ signalType: String) async throws {
        try await with { store in
            let replay = try Self.replay(signalType)
            let trigger = try #require(SignalTrigger(signalType))
            try await store.accept(Self.base - 1, type: "orders.paid")
            try await store.accept(Self.base + 1_000, type: "orders.paid")
            try await store.accept(Self.base + 5, type: "orders.paid", tenant: "other")
            var wanted: [UUID] = []
            for offset in [500, 0, 999, 7] as [UInt64] {
                wanted.append(try await store.accept(Self.base + offset, type: "orders.paid"))
                try await store.accept(Self.base + offset, type: "orders")
            }
            // Together they are longer than what is read in one go.
            for offset in 20..<25 as Range<UInt64> {
                let bytes = ReplayRepository.portionBytes / 3
                wanted.append(try await store.accept(Self.base + offset, type: "orders.paid", bytes: bytes))
            }
            var found: [UUID] = []
            var portions = 0
            var after = replay.span.start
            while portions < 20 {
                let (candidates, isWhole) = try await store.repository.candidates(
                    for: replay,
                    after: after,
                    through: replay.span.end,
                    trigger: trigger,
                    deadline: .now + .seconds(10)
                )
                portions += 1
                found += candidates.filter { $0.event != nil }.map(\.signalID)
                after = candidates.last?.signalID ?? after
                if isWhole { break }
            }
            #expect(found == wanted.sorted())
            #expect(portions > 1)
        }
    }
}
