import Logging
import Messaging
import Synchronization
package import TestSupport

/// Stands between an exchange and a queue: takes what is published, and hands it on twice and out of order.
package final class Interposer: Sendable {
    private let name: String
    private let target: String
    private let exchange: String
    private let broker: BrokerAdministration
    private let consumer: RabbitMQConsumer
    private let publisher: RabbitMQPublisher
    private let total = Mutex(0)
    private let generator: Mutex<SeededGenerator>

    /// - Parameters:
    ///   - installation: whose virtual host it stands in.
    ///   - target: the queue that receives what it hands on.
    ///   - exchange: the exchange that it listens to.
    ///   - generator: what the order is drawn from.
    /// - Throws: `TestSupportError` when the broker cannot be prepared.
    package init(
        _ installation: Installation,
        target: String,
        exchange: String,
        generator: SeededGenerator
    ) async throws {
        self.target = target
        self.generator = Mutex(generator)
        self.exchange = exchange
        name = "interposer.\(target)"
        broker = installation.broker
        let address = try ServerAddress(installation.servers.rabbitMQ)
        let configuration = try RabbitMQConfiguration(
            url: "amqp://\(address.user):\(address.password)@\(address.authority)/\(broker.virtualHost)"
        )
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        consumer = RabbitMQConsumer(
            configuration: configuration,
            queue: .quorum(name, deliveryLimit: 50),
            bindings: [Binding(queue: name, exchange: exchange, routingKey: "#")],
            prefetch: 200,
            logger: logger
        )
        publisher = RabbitMQPublisher(configuration: configuration, logger: logger)
        // What it hands on keeps the name of the user who published it first.
        try await broker.allowImpersonation()
    }

    /// How many messages it has handed on.
    package var count: Int { total.withLock { $0 } }

    /// Hands on while the body runs, and until its own queue is empty.
    ///
    /// - Parameters:
    ///   - limit: how long that may take.
    ///   - body: what is done meanwhile.
    /// - Throws: what the body throws, or `TestSupportError` when the queue does not become empty.
    package func during(within limit: Duration = .seconds(30), _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [consumer] in try await consumer.run() }
            group.addTask { [publisher] in try await publisher.run() }
            group.addTask { try await self.handOn() }
            try await eventually("the interposer consumes", within: limit) {
                consumer.isConsuming && publisher.isConnected
            }
            let result: Result<Void, any Error>
            do {
                try await body()
                // Nothing new comes from here on, so that its queue becomes empty.
                try await broker.unbind(queue: name, from: exchange)
                try await eventually("the interposer has handed everything on", within: limit) {
                    try await broker.messageCounts()[name] == 0
                }
                result = .success(())
            } catch {
                result = .failure(error)
            }
            group.cancelAll()
            while await group.nextResult() != nil {}
            try result.get()
        }
    }

    /// Removes its queue.
    package func remove() async throws { try await broker.deleteQueue(name) }

    private func handOn() async throws {
        while let batch = try await consumer.nextBatch(maximum: 20) {
            var copies = batch.flatMap { [$0, $0] }
            let (half, pause) = generator.withLock { generator in
                copies.shuffle(using: &generator)
                return (
                    Int.random(in: 0...copies.count, using: &generator), Int.random(in: 0...100, using: &generator)
                )
            }
            // What comes after the pause is not in the same batch of its consumer, which could put it in order.
            _ = try await publisher.publish(contentsOf: copies[..<half].map(onward))
            try await Task.sleep(for: .milliseconds(pause))
            _ = try await publisher.publish(contentsOf: copies[half...].map(onward))
            consumer.acknowledge(batch)
            total.withLock { $0 += batch.count }
        }
    }

    private func onward(_ delivery: Delivery) -> OutgoingMessage {
        var properties = delivery.properties
        properties.headers["x-delivery-count"] = nil
        return OutgoingMessage(exchange: "", routingKey: target, properties: properties, body: delivery.body)
    }
}
