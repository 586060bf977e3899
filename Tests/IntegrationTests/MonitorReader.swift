import Foundation
import Logging
import Messaging
import Synchronization
import TestSupport
import Testing

/// A monitor of the audit log that `batuta broker monitor` has made, as whoever holds its credentials.
struct Monitor: Sendable {
    var tenant: String
    var name: String
    var password: String

    var queue: String { "monitor.\(tenant).\(name)" }
    var user: String { "batuta_monitor_\(tenant)_\(name)" }

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A connection of its user.
    func configuration(_ installation: Installation, virtualHost: String? = nil) throws -> RabbitMQConfiguration {
        let broker = try ServerAddress(installation.servers.rabbitMQ).authority
        let host = virtualHost ?? installation.broker.virtualHost
        var configuration = try RabbitMQConfiguration(url: "amqp://\(user):\(password)@\(broker)")
        configuration.virtualHost = host
        configuration.backoff = ReconnectBackoff(initial: .milliseconds(20), maximum: .milliseconds(200))
        return configuration
    }
}

/// Takes what a monitor is given, and keeps it.
final class MonitorReader: Sendable {
    private let consumer: RabbitMQConsumer
    private let state = Mutex<[Delivery]>([])

    init(_ monitor: Monitor, _ installation: Installation) throws {
        consumer = RabbitMQConsumer(
            configuration: try monitor.configuration(installation),
            queue: QueueDeclaration(name: monitor.queue),
            prefetch: 10,
            declaresQueue: false,
            logger: Monitor.logger
        )
    }

    /// What has come, in its order.
    var deliveries: [Delivery] { state.withLock { $0 } }

    /// The entries that have come, as their bytes.
    var lines: [String] { deliveries.flatMap(Self.lines) }

    static func lines(of delivery: Delivery) -> [String] {
        String(decoding: delivery.body, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Reads beside a body.
    func run(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.consumer.run() }
            group.addTask {
                for try await delivery in self.consumer.deliveries {
                    self.state.withLock { $0.append(delivery) }
                    self.consumer.acknowledge(delivery)
                }
            }
            defer { group.cancelAll() }
            try await body()
        }
    }
}
