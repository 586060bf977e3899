import Contracts
import Domain
import FoundationEssentials
import JSON
import Persistence
import PostgreSQL
import TestSupport
import Testing

@testable import Messaging

/// What is kept beside the audit log leaves the outbox as soon as the audit-writer holds it.
@Suite("Kept values leave the outbox", .requiresServers, .timeLimit(.minutes(1)))
struct ClearedOutboxTests {
    @Test("the bodies of commands that have arrived are cleared, and nothing else is")
    func clearing() async throws {
        try await ServiceDatabase.with(.gateway) { database in
            let context = LaneContext.withoutBroker(database.client, schema: .gateway)
            try await Self.change(LaneGroup(context: context, count: 1), count: 3)
            let repository = context.repository
            #expect(try await !repository.clearKept(deadline: .now + .seconds(15)))
            try await Self.verified(4, database)
            #expect(try await repository.clearKept(deadline: .now + .seconds(15)))
            #expect(try await !repository.clearKept(deadline: .now + .seconds(15)))
            #expect(
                try await Self.bodies(database) == [
                    "1 keep -", "2 wake body", "3 keep -", "4 wake body", "5 keep body", "6 wake body",
                ]
            )
            let entries = try await Self.texts(
                "SELECT count(*)::text FROM gateway.outbox WHERE destination = 'audit' AND octet_length(body) > 100",
                database
            )
            #expect(entries == ["3"])
            // A lane that many commands came through is cleared a thousand at a time.
            try await Self.verified(6, database)
            try await database.executeAsSuperuser(
                "UPDATE gateway.lanes SET commands_last = 2500, commands_verified = 2500, commands_cleared = 0"
            )
            for _ in 0..<3 { #expect(try await repository.clearKept(deadline: .now + .seconds(15))) }
            #expect(try await !repository.clearKept(deadline: .now + .seconds(15)))
            #expect(try await Self.bodies(database).count { $0.contains("keep -") } == 3)
        }
    }

    @Test(
        "while one replica clears, the others neither wait for it nor do its work again",
        arguments: ServiceSchema.allCases
    )
    func oneAtATime(schema: ServiceSchema) async throws {
        try await ServiceDatabase.with(schema) { database in
            let repository = LaneRepository(schema: schema.name, database: database.client)
            let deadline = ContinuousClock.now + .seconds(15)
            _ = try await repository.open(producer: "test/a/0", keeper: UUIDv7.make(), deadline: deadline)
            let verified = "UPDATE \(schema.name).lanes SET commands_last = 1, commands_verified = 1"
            try await database.client.execute(PostgresStatement(verified))
            try await database.client.withTransaction(deadline: deadline) { other in
                let clearing = try await other.execute(PostgresStatement("SELECT \(schema.name).clear_kept()"))
                #expect(try clearing.first?.decode(0) == true)
                #expect(try await !repository.clearKept(deadline: deadline))
            }
            let cleared = try await Self.texts("SELECT commands_cleared::text FROM \(schema.name).lanes", database)
            #expect(cleared == ["1"])
            try await database.client.execute(PostgresStatement("UPDATE \(schema.name).lanes SET commands_cleared = 0"))
            #expect(try await repository.clearKept(deadline: deadline), "its transaction has ended")
        }
    }

    @Test("the keeper clears what has arrived by itself")
    func keeper() async throws {
        try await ServiceDatabase.with(.gateway) { database in
            let context = LaneContext.withoutBroker(database.client, schema: .gateway)
            let lanes = LaneGroup(context: context, count: 1)
            try await Self.change(lanes, count: 1)
            try await Self.verified(1, database)
            let keeper = LaneKeeper(context: context, relays: RelayRegistry(), lanes: lanes)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await keeper.run() }
                try await eventually("it is cleared", within: .seconds(30)) {
                    try await Self.bodies(database).first == "1 keep -"
                }
                group.cancelAll()
            }
        }
    }

    @Test("a message that was cleared is not published again, though its consumer was thought to lack it")
    func notAgain() async throws {
        try await ServiceDatabase.with(.gateway) { database in
            let context = LaneContext.withoutBroker(database.client, schema: .gateway)
            try await Self.change(LaneGroup(context: context, count: 1), count: 2)
            let messages = try await context.repository.messages(
                epoch: 1,
                destination: .commands,
                after: 0,
                limit: 10,
                withBodies: false
            )
            #expect(messages.map(\.firstSeq) == [1, 2, 3, 4])
            try await Self.verified(1, database)
            #expect(try await context.repository.clearKept(deadline: .now + .seconds(15)))
            let sent = try await LaneVerifier.withBodies(messages, .commands, context)
            #expect(sent.map(\.firstSeq) == [2, 3, 4])
            #expect(sent.allSatisfy { !$0.body.isEmpty })
        }
    }

    @Test("a relay that stood still while its lane was sent and cleared by another goes on with what has a body")
    func standstill() async throws {
        let broker = try await TestBroker("cleared")
        let publisher = RabbitMQPublisher(configuration: try broker.configuration(.gateway), logger: TestBroker.logger)
        let commands = Topology.commands(to: .audit)
        let consumer = RabbitMQConsumer(
            configuration: try broker.configuration(.audit),
            queue: commands.queue,
            bindings: commands.bindings,
            logger: TestBroker.logger
        )
        try await ServiceDatabase.with(.gateway) { database in
            let offline = LaneContext.withoutBroker(database.client, schema: .gateway)
            try await Self.change(LaneGroup(context: offline, count: 1), count: 3, wakes: false)
            try await Self.verified(2, database)
            #expect(try await offline.repository.clearKept(deadline: .now + .seconds(15)))
            let context = LaneContext(
                schema: offline.schema,
                service: offline.service,
                replica: offline.replica,
                database: database.client,
                publisher: publisher,
                requests: offline.requests,
                logger: TestBroker.logger
            )
            try await withServices([publisher, consumer]) {
                try await eventually("the queue is there") { consumer.isConsuming }
                try await Self.confirm(3, after: 0, context)
                let kept = try #require(try await consumer.nextBatch(maximum: 10))
                #expect(kept.map { $0.properties.headers["x-seq"] } == [.int64(3)])
                #expect(kept.allSatisfy { !$0.body.isEmpty })
            }
            // Where nothing is left to be published no broker is needed.
            try await Self.verified(3, database)
            #expect(try await offline.repository.clearKept(deadline: .now + .seconds(15)))
            try await Self.confirm(3, after: 0, offline)
        }
        try await broker.remove()
    }

    @Test("the service itself can change no row of the outbox")
    func rights() async throws {
        try await ServiceDatabase.with(.gateway) { database in
            let error = await #expect(throws: PostgresError.self) {
                try await database.client.execute(PostgresStatement("UPDATE gateway.outbox SET body = ''"))
            }
            #expect(error?.sqlState == "42501")
        }
    }

    /// Makes changes of one large value each, and a command of another kind with each, where that is wanted.
    private static func change(_ lanes: LaneGroup, count: Int, wakes: Bool = true) async throws {
        for number in 1...count {
            try await lanes.change { transaction in
                transaction.enqueue([.tenant("t\(number)")])
                var entry = AuditDraft.ofTenant("t\(number)")
                entry.after = try .json(["name": "ada"], personal: [JSONPointer(tokens: ["name"])])
                return .made((), entry)
            }
            guard wakes else {
                continue
            }
            try await lanes.transaction { transaction in
                transaction.command(
                    CommandDraft(service: "engine", name: "wake", tenant: "one", type: "wake", body: Array("{}".utf8))
                )
            }
        }
    }

    /// Runs a relay of the lane's commands that knows nothing of what others have done, until it has come to a number.
    private static func confirm(_ last: Int64, after confirmed: Int64, _ context: LaneContext) async throws {
        let relay = LaneRelay(
            context: context,
            epoch: 1,
            producer: "api-gateway/test/0",
            destination: .commands,
            last: last,
            confirmed: confirmed,
            onConfirmed: {}
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await relay.run() }
            defer { group.cancelAll() }
            try await eventually("everything is confirmed or left out", within: .seconds(30)) {
                relay.confirmed == last
            }
        }
    }

    /// The commands up to a number have arrived.
    private static func verified(_ seq: Int64, _ database: ServiceDatabase) async throws {
        try await LaneRepository(schema: "gateway", database: database.client)
            .progress(epoch: 1, destination: .commands, confirmed: seq, verified: seq)
    }

    /// The commands in the order of their numbers, and whether they have a body.
    private static func bodies(_ database: ServiceDatabase) async throws -> [String] {
        try await texts(
            """
            SELECT concat_ws(' ', first_seq, split_part(routing_key, '.', 2), CASE WHEN body = '' THEN '-' ELSE 'body' END)
            FROM gateway.outbox WHERE destination = 'commands' ORDER BY first_seq
            """,
            database
        )
    }

    private static func texts(_ query: String, _ database: ServiceDatabase) async throws -> [String] {
        try await database.client.execute(PostgresStatement(query)).map { try $0.decode(0) }
    }
}
