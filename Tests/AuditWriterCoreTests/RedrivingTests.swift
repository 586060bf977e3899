import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import ServiceBase
import TestSupport
import Testing

@testable import AuditWriterCore

/// A message that the log refused for a reason outside of it is appended after all.
@Suite(.requiresServers, .timeLimit(.minutes(1)))
struct RedrivingTests {
    @Test func aRedrivenMessageFillsItsGap() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let appender = LogAppender(database: database.client, logger: ServiceDatabase.logger)
            let letters = DeadLetterRepository(schema: "audit", database: database.client)
            let log = LogIntake(appender: appender, deadLetters: letters)
            let keeping = KeepIntake(repository: KeptBodyRepository(database: database.client), deadLetters: letters)
            let desk = DeadLetterDesk(
                service: .audit,
                repository: letters,
                lanes: LaneGroup(context: .withoutBroker(database.client, schema: .audit), count: 1),
                process: { try await Redriving(log: log, keeping: keeping).process($0) },
                classify: LogIntake.classify,
                logger: ServiceDatabase.logger
            )
            try await database.executeAsSuperuser(
                "ALTER TABLE audit.entries ADD CONSTRAINT no_poison CHECK (tenant <> 'poison')"
            )
            let messages = (Int64(1)...3).map { seq in
                let tenant = seq == 2 ? "poison" : "acme"
                return Entries.delivery([Entries.canonical(seq: seq, tenant: tenant)], seq: seq, tenant: tenant)
            }
            try await log.process([messages[0], messages[2]])
            let error = await #expect(throws: PostgresError.self) { try await log.process([messages[1]]) }
            #expect(try LogIntake.classify(#require(error)) == .data)
            try await log.bury(messages[1], reason: "refused")
            let id = try await Self.letter(database.client)
            let request = try JSONDocument(parsing: #"{"id":"\#(id)"}"#)
            let refusal = await #expect(throws: Problem.self) { try await desk.redrive(Self.asking, request) }
            #expect(refusal?.code == .notProcessable)
            try await LogChecks.check(
                database.client,
                expected: LogChecks.expected([try EntryMessage(messages[0])]),
                heldCount: 1
            )
            try await database.executeAsSuperuser("ALTER TABLE audit.entries DROP CONSTRAINT no_poison")
            // Another writer has the head by now, as where another replica consumes.
            let other = LogAppender(database: database.client, logger: ServiceDatabase.logger)
            _ = try await other.append([try Entries.message(1...1, epoch: 9)])
            #expect(try await desk.redrive(Self.asking, request).status == 200)
            #expect(try await desk.redrive(Self.asking, request).status == 200)
            try await LogChecks.check(
                database.client,
                expected: LogChecks.expected(
                    try messages.map { try EntryMessage($0) } + [try Self.only(database.client, epoch: 9)]
                )
            )
            // The entry of the redrive is in the writer's own lane.
            let outbox = try await database.client.execute(
                PostgresStatement("SELECT convert_from(body, 'UTF8') FROM audit.outbox WHERE destination = 'audit'")
            )
            let entry = try JSONValue(parsing: Array(#require(outbox.first).decode(0, as: String.self).utf8))
            #expect(outbox.count == 1)
            #expect(entry["action"] == "redrive")
            #expect(entry["producer"] == "audit-writer/test/0")
        }
    }

    @Test func aKeptValueIsKeptAfterAll() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let letters = DeadLetterRepository(schema: "audit", database: database.client)
            let log = LogIntake(
                appender: LogAppender(database: database.client, logger: ServiceDatabase.logger),
                deadLetters: letters
            )
            let keeping = KeepIntake(repository: KeptBodyRepository(database: database.client), deadLetters: letters)
            let kept = KeptBody(body: Array("{}".utf8), salt: Array(0..<16))
            var delivery = Entries.delivery([], seq: 1, count: 1) { $0.type = AuditKeepV1.type }
            delivery = Delivery(
                token: delivery.token,
                exchange: Topology.commandsExchange,
                routingKey: "audit.keep",
                isRedelivered: false,
                properties: delivery.properties,
                body: AuditKeepV1(kept).body
            )
            try await Redriving(log: log, keeping: keeping).process([delivery])
            let rows = try await database.client.execute(PostgresStatement("SELECT count(*) FROM audit.kept_bodies"))
            #expect(try #require(rows.first).decode(0, as: Int.self) == 1)
        }
    }

    /// Calls of one appender follow each other, and none takes the head from another.
    @Test func callsAtOnceShareTheHead() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let appender = LogAppender(database: database.client, logger: ServiceDatabase.logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for epoch in Int64(1)...12 {
                    group.addTask { _ = try await appender.append([try Entries.message(1...3, epoch: epoch)]) }
                }
                try await group.waitForAll()
            }
            let rows = try await database.client.execute(PostgresStatement("SELECT fence, size FROM audit.head"))
            #expect(try #require(rows.first).decode(0, as: Int.self) == 1)
            #expect(try #require(rows.first).decode(1, as: Int.self) == 36)
        }
    }

    /// Each time with a deadline of its own.
    private static var asking: RequestContext {
        RequestContext(
            tenant: "poison",
            actor: AuditActor(type: .admin, id: "ann"),
            requestID: "r"
        )
    }

    private static func letter(_ database: PostgresClient) async throws -> String {
        let rows = try await database.execute(PostgresStatement("SELECT dead_letter_id::text FROM audit.dead_letters"))
        #expect(rows.count == 1)
        return try #require(rows.first).decode(0)
    }

    /// The one message of a lane, as the log has it.
    private static func only(_ database: PostgresClient, epoch: Int64) async throws -> EntryMessage {
        let rows = try await database.execute(
            PostgresStatement(
                "SELECT canonical FROM audit.entries WHERE convert_from(canonical, 'UTF8')::jsonb ->> 'epoch' = $1",
                [.text("\(epoch)")]
            )
        )
        return try EntryMessage(Entries.delivery([try #require(rows.first).decode(0)], seq: 1, epoch: epoch))
    }
}
