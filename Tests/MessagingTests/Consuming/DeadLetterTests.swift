import Foundation
import JSON
import Logging
import Messaging
import PostgreSQL
import Synchronization
import TestSupport
import Testing

@Suite(.requiresServers) struct DeadLetterTests {
    private struct Poison: Error {}

    private static func delivery(messageID: String?, body: [UInt8] = [0, 255]) -> Delivery {
        var properties = MessageProperties(messageID: messageID, type: "batuta.signals.accepted")
        properties.headers = ["x-tenant": "acme", "x-odd": .array([.double(.infinity), .bytes([1]), .void])]
        return Delivery(
            token: Delivery.Token(epoch: 1, tag: 1),
            exchange: "batuta.signals",
            routingKey: "a",
            isRedelivered: false,
            properties: properties,
            body: body
        )
    }

    @Test func aDeadLetterIsWholeAndRecordedOnce() async throws {
        let database = try TestDatabase("letters")
        try await database.use {
            let item = UUID()
            let letters = [
                DeadLetter(Self.delivery(messageID: "m-1"), reason: "bad\u{0}ly"),
                DeadLetter(Self.delivery(messageID: "m-1"), reason: "again"),
                DeadLetter(Self.delivery(messageID: "m-1"), itemID: item, body: [7], reason: "one item"),
                DeadLetter(Self.delivery(messageID: "m-1"), itemID: item, body: [7], reason: "one item again"),
                DeadLetter(Self.delivery(messageID: nil), reason: "nameless"),
                DeadLetter(Self.delivery(messageID: nil), reason: "nameless again"),
                DeadLetter(Self.delivery(messageID: nil, body: [1]), reason: "another nameless"),
            ]
            for letter in letters {
                try await database.deadLetters.insert(letter, deadline: .now + .seconds(20))
            }
            let rows = try await database.client.execute(
                PostgresStatement(
                    "SELECT reason, body, headers, tenant, item_id FROM \(database.schema).dead_letters ORDER BY reason"
                )
            )
            var reasons: [String] = []
            for row in rows {
                reasons.append(try row.decode(0, as: String.self))
                let headers = try JSONDocument(parsing: row.decode(2, as: String.self)).root
                #expect(headers["type"]?.stringValue == "batuta.signals.accepted")
                #expect(headers["headers"]?["x-odd"]?.count == 3)
                #expect(try row.decode(3, as: String.self) == "acme")
            }
            #expect(reasons == ["another nameless", "bad\u{FFFD}ly", "nameless", "one item"])
        }
    }

    @Test func aPoisonousMessageIsBuriedAndTheQueueGoesOn() async throws {
        let broker = try await TestBroker("poison")
        let database = try TestDatabase("poison")
        let publisher = RabbitMQPublisher(configuration: try broker.configuration(.gateway), logger: TestBroker.logger)
        let source = RabbitMQConsumer(
            configuration: try broker.configuration(.engine),
            queue: Topology.engineSignals.queue,
            bindings: Topology.engineSignals.bindings,
            logger: TestBroker.logger
        )
        let processed = Mutex<Set<String>>([])
        let consumer = BatchConsumer(
            label: "engine.signals",
            source: source,
            settings: BatchConsumer.Settings(workers: 2),
            process: { deliveries in
                guard !deliveries.contains(where: { $0.body == [66] }) else { throw Poison() }
                processed.withLock { $0.formUnion(deliveries.compactMap(\.properties.messageID)) }
            },
            classify: { $0 is Poison ? .data : .retry },
            bury: { delivery, reason in
                try await database.deadLetters.insert(
                    DeadLetter(delivery, reason: reason),
                    deadline: .now + .seconds(20)
                )
            },
            logger: TestBroker.logger
        )
        try await database.use {
            try await withServices([publisher, source]) {
                try await eventually("the queue is there") { source.isConsuming }
                let messages = (0..<200).map { number in
                    OutgoingMessage(
                        exchange: Topology.signalsExchange,
                        routingKey: "order.paid",
                        properties: MessageProperties(messageID: "m-\(number)"),
                        body: [number == 77 || number == 78 ? 66 : 1]
                    )
                }
                let outcomes = try await publisher.publish(contentsOf: messages, deadline: .now + .seconds(20))
                #expect(outcomes.allSatisfy { $0 == .confirmed })
                try await withServices([consumer]) {
                    try await eventually("all others are processed") { processed.withLock { $0.count } == 198 }
                    try await eventually("the culprits are buried") {
                        let rows = try await database.client.execute(
                            PostgresStatement("SELECT message_id FROM \(database.schema).dead_letters ORDER BY 1")
                        )
                        return try rows.map { try $0.decode(0, as: String.self) } == ["m-77", "m-78"]
                    }
                    // What was acknowledged is gone from the queue: nothing is left for anybody else.
                    try await eventually("the queue is empty") {
                        let path = "/api/queues/\(broker.virtualHost)/engine.signals/get"
                        await source.stop()
                        let answer = try await broker.administration.post(
                            path,
                            json: #"{"count":1,"ackmode":"ack_requeue_true","encoding":"auto"}"#
                        )
                        return answer.text == "[]"
                    }
                }
            }
        }
        try await broker.remove()
    }
}
