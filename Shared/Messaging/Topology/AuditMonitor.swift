package import Domain
import RabbitMQ

/// A monitor of the audit log: its queue, and which entries the queue is given.
///
/// The monitor has a broker user of its own (`BrokerPermissions(of:)`), which can take from this queue alone. The queue
/// never holds up whoever publishes: what does not fit pushes out the oldest, and the log has it all.
package struct AuditMonitor: Hashable, Sendable {
    /// What a queue holds at most, and for how long it waits for its monitor.
    package struct Bounds: Hashable, Sendable {
        /// What a queue is given when nobody says anything else: 10,000 messages, 64 MiB, and a week.
        package static let standard = Bounds(
            maximumMessages: 10_000,
            maximumBytes: 64 * 1_024 * 1_024,
            expires: .seconds(7 * 86_400)
        )

        /// The numbers of messages that a queue can be bounded to.
        package static let messages = 1...10_000_000
        /// The numbers of bytes that a queue can be bounded to; a single message is never larger than the least.
        package static let bytes: ClosedRange<Int64> = 1_024 * 1_024...64 * 1_024 * 1_024 * 1_024
        /// The times that a queue can wait for its monitor; the broker counts milliseconds in 32 bits.
        package static let expiries = Duration.seconds(1)...Duration.seconds(49 * 86_400)

        /// How many messages wait, of several entries each.
        package let maximumMessages: Int
        /// How many bytes of messages wait.
        package let maximumBytes: Int64
        /// After how long without a consumer the queue goes.
        package let expires: Duration

        /// - Precondition: Each lies in its range.
        package init(maximumMessages: Int, maximumBytes: Int64, expires: Duration) {
            precondition(
                Self.messages.contains(maximumMessages) && Self.bytes.contains(maximumBytes)
                    && Self.expiries.contains(expires),
                "a bound of a monitor's queue is out of its range"
            )
            self.maximumMessages = maximumMessages
            self.maximumBytes = maximumBytes
            self.expires = expires
        }
    }

    package let tenant: Tenant
    package let name: String
    /// Whose entries it sees; those of every service where it is empty.
    package let services: Set<ServiceName>
    package let bounds: Bounds

    /// Names a monitor.
    ///
    /// - Parameters:
    ///   - tenant: Whose entries it sees.
    ///   - name: Its name, which has the form of a tenant's key; nil comes of a text that has not.
    ///   - services: Of which services; of every one where it is empty.
    ///   - bounds: What its queue holds.
    package init?(tenant: Tenant, name: String, services: Set<ServiceName> = [], bounds: Bounds = .standard) {
        // Without a full stop or an underscore, so that no two monitors have one queue, or one user.
        guard Tenant(name) != nil else {
            return nil
        }
        self.tenant = tenant
        self.name = name
        self.services = services
        self.bounds = bounds
    }

    package var queueName: String { "monitor.\(tenant.key).\(name)" }
    package var brokerUser: String { "batuta_monitor_\(tenant.key)_\(name)" }

    /// The keys that its queue is bound with.
    package var bindingKeys: [String] {
        services.isEmpty ? ["\(tenant.key).*"] : services.map { "\(tenant.key).\($0.rawValue)" }.sorted()
    }

    /// The queue that the monitor takes entries from.
    ///
    /// It is a quorum queue although it may lose what it holds: a message is confirmed only when every queue has it. A
    /// classic queue whose node is cut off from the others holds up the confirms of what the log is waiting for, and then
    /// has the broker refuse it.
    package var subscription: Topology.Subscription {
        Topology.Subscription(
            queue: .quorum(
                queueName,
                deliveryLimit: Topology.deliveryLimit,
                maximumLength: bounds.maximumMessages,
                overflow: .dropHead,
                arguments: [
                    "x-max-length-bytes": .int64(bounds.maximumBytes),
                    "x-expires": .int64(Int64(bounds.expires / .milliseconds(1))),
                ]
            ),
            bindings: bindingKeys.map {
                Binding(queue: queueName, exchange: Topology.auditExchange, routingKey: $0)
            }
        )
    }
}
