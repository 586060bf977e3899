import Contracts
import Domain
import FoundationEssentials
import Messaging
import Persistence
import Synchronization
import TestSupport
import Testing

@testable import AuditWriterCore

/// Gives out deliveries once, in one batch, and notes what is acknowledged.
private final class OneBatch: BatchSource {
    private let deliveries: Mutex<[Delivery]?>
    private let settled = Mutex<Set<UInt64>>([])

    init(_ deliveries: [Delivery]) {
        self.deliveries = Mutex(deliveries)
    }

    var acknowledged: Set<UInt64> { settled.withLock { $0 } }

    func nextBatch(maximum: Int, minimum: Int) async throws -> [Delivery]? { deliveries.withLock { $0.take() } }

    func acknowledge(_ deliveries: [Delivery]) {
        settled.withLock { $0.formUnion(deliveries.map(\.token.tag)) }
    }

    func pause() {}
    func resume() {}
}

@Suite(.requiresServers, .timeLimit(.minutes(5)))
struct IntakeTests {
    /// One message that cannot be read and one that the log refuses go away alone; every other one is appended.
    @Test func poisonAmongGoodMessagesHoldsNobodyUp() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let id = UUIDv7.make()
            var deliveries = (Int64(1)...20).map { seq in
                let line = Entries.canonical(seq: seq, id: seq == 1 ? id : UUIDv7.make())
                return Entries.delivery([line], seq: seq, tag: UInt64(seq))
            }
            let copy = Entries.canonical(seq: 1, epoch: 2, id: id)
            deliveries.insert(Entries.delivery([copy], seq: 1, epoch: 2, tag: 21), at: 7)
            deliveries.insert(Entries.delivery([Array("{}".utf8)], seq: 9, epoch: 3, tag: 22), at: 3)
            let source = OneBatch(deliveries)
            let intake = LogIntake(
                appender: LogAppender(database: database.client, logger: ServiceDatabase.logger),
                deadLetters: DeadLetterRepository(schema: "audit", database: database.client)
            )
            try await consumer(source, process: intake.process, bury: intake.bury).run()
            #expect(source.acknowledged == Set(1...22))
            let good = try deliveries.filter { $0.token.tag <= 20 }.map { try EntryMessage($0) }
            try await LogChecks.check(database.client, expected: LogChecks.expected(good))
            let dead = try await database.client.execute(
                PostgresStatement("SELECT message_id FROM audit.dead_letters")
            )
            let expected = Set(deliveries.filter { $0.token.tag > 20 }.compactMap(\.properties.messageID))
            #expect(try Set(dead.map { try $0.decode(0, as: String.self) }) == expected)
        }
    }

    /// A value is kept once: a repetition of its command is not carried out, even where its row is gone.
    @Test func aCommandIsCarriedOutOnce() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let kept = KeptBody(body: Array("{\"name\":\"a \\u0000 b\"}".utf8), salt: Array(0..<16))
            let good = Self.command(AuditKeepV1(kept).body, tag: 1)
            let repository = KeptBodyRepository(database: database.client)
            let intake = KeepIntake(
                repository: repository,
                deadLetters: DeadLetterRepository(schema: "audit", database: database.client)
            )
            var wrong = AuditKeepV1(kept).body
            wrong.replace("a \\".utf8, with: "c \\".utf8)
            let source = OneBatch([good, Self.command(wrong, tag: 2), good])
            try await consumer(source, process: intake.process, bury: intake.bury).run()
            #expect(source.acknowledged == [1, 2])
            let read = PostgresStatement("SELECT body, salt, tenant FROM audit.kept_bodies")
            let rows = try await database.client.execute(read)
            #expect(rows.count == 1)
            #expect(try #require(rows.first).decode(0, as: [UInt8].self) == kept.body)
            #expect(try #require(rows.first).decode(1, as: [UInt8].self) == kept.salt)
            try await database.executeAsSuperuser("DELETE FROM audit.kept_bodies")
            try await intake.process([good])
            #expect(try await database.client.execute(read).isEmpty)
            let unknown = UUIDv7.make()
            let known = try #require(good.properties.messageID.flatMap(UUID.init(uuidString:)))
            let lacking = try await repository.lacking([known, unknown], deadline: .now + .seconds(5))
            #expect(lacking == [unknown])
        }
    }

    private func consumer(
        _ source: OneBatch,
        process: @escaping BatchConsumer.Process,
        bury: @escaping BatchConsumer.Bury
    ) -> BatchConsumer {
        BatchConsumer(
            label: "test",
            source: source,
            process: process,
            classify: LogIntake.classify,
            bury: bury,
            logger: ServiceDatabase.logger
        )
    }

    private static func command(_ body: [UInt8], tag: UInt64) -> Delivery {
        var delivery = Entries.delivery([], seq: 1, count: 1, tag: tag) { $0.type = AuditKeepV1.type }
        delivery = Delivery(
            token: delivery.token,
            exchange: Topology.commandsExchange,
            routingKey: "audit.keep",
            isRedelivered: false,
            properties: delivery.properties,
            body: body
        )
        return delivery
    }
}
