/// What one broker user may do, as the regular expressions that the broker matches names with.
///
/// To bind a queue needs `write` on the queue and `read` on the exchange, and the binding key must match the topic
/// permission to read; to declare or delete one needs `configure`; to consume or purge needs `read`; to publish needs
/// `write` on the exchange, and the routing key must match the topic permission to write. Where a user has no topic
/// permission for an exchange the broker allows every key, so each user has one for every topic exchange.
package struct BrokerPermissions: Sendable, Equatable {
    /// The keys that a user may use on one topic exchange.
    package struct Topic: Sendable, Equatable {
        package let exchange: String
        /// Routing keys to publish with.
        package let write: String
        /// Binding keys to bind with.
        package let read: String
    }

    package let user: String
    package let configure: String
    package let write: String
    package let read: String
    package let topics: [Topic]

    /// Matches no key at all; an empty expression would match every one.
    static let nothing = "^$"

    /// The least that a service needs.
    package init(of service: ServiceName) {
        let rules = Rules(of: service)
        let queues = Self.pattern(ofQueuesOf: service)
        user = service.brokerUser
        configure = "^(\(queues))$"
        write = "^(\(Self.alternatives(rules.writes.map(\.exchange) + [Topology.repliesExchange], queues)))$"
        read = "^(\(Self.alternatives(rules.reads.map(\.exchange) + [Topology.repliesExchange], queues)))$"
        topics = Topology.exchanges.filter { $0.kind == .topic }.map { exchange in
            Topic(
                exchange: exchange.name,
                write: rules.writes.first { $0.exchange == exchange.name }?.keys ?? Self.nothing,
                read: rules.reads.first { $0.exchange == exchange.name }?.keys ?? Self.nothing
            )
        }
    }

    private static func alternatives(_ exchanges: [String], _ queues: String) -> String {
        (exchanges.map { $0.replacing(".", with: "\\.") } + [queues]).joined(separator: "|")
    }

    /// The queues that a service declares and consumes.
    private static func pattern(ofQueuesOf service: ServiceName) -> String {
        let instance = "[0-9a-f-]{36}"
        let own =
            switch service {
            case .engine: "signals|actions|"
            case .audit: "writer|"
            case .gateway, .scheduler, .jobs: ""
            }
        return "\(service.rawValue)\\.(\(own)commands|requests|(replies|events)\\.\(instance))"
    }
}

extension BrokerPermissions {
    /// Which keys a service publishes and binds with.
    private struct Rules {
        typealias Rule = (exchange: String, keys: String)

        var writes: [Rule]
        var reads: [Rule]

        init(of service: ServiceName) {
            let name = service.rawValue
            // Whatever a service changes it audits, and what is too large for an entry it sends to be kept.
            writes = [
                (Topology.auditExchange, "^[a-z][a-z0-9-]{0,62}\\.\(name)$"),
                (Topology.commandsExchange, "^audit\\.keep$"),
            ]
            reads = [
                (Topology.commandsExchange, "^\(name)\\.#$"),
                (Topology.requestsExchange, "^\(name)$"),
            ]
            switch service {
            case .gateway:
                writes.append((Topology.signalsExchange, ".*"))
                writes.append((Topology.requestsExchange, "^(engine|scheduler|jobs|audit)$"))
                reads.append((Topology.eventsExchange, ".*"))
            case .engine:
                // What its steps emit goes where accepted signals go, and is verified by asking itself.
                writes.append((Topology.signalsExchange, ".*"))
                writes.append((Topology.requestsExchange, "^(audit|engine)$"))
                writes.append((Topology.eventsExchange, "^(automations|runs)\\.[a-z_]+$"))
                reads.append((Topology.signalsExchange, "^#$"))
                writes.append((Topology.actionsExchange, "^call\\..*$"))
                reads.append((Topology.actionsExchange, "^result\\.#$"))
            case .scheduler:
                writes.append((Topology.requestsExchange, "^audit$"))
                writes.append((Topology.eventsExchange, "^(schedules|plans)\\.[a-z_]+$"))
            case .jobs:
                writes.append((Topology.requestsExchange, "^audit$"))
                writes.append((Topology.eventsExchange, "^(jobs|workers)\\.[a-z_]+$"))
            case .audit:
                writes.append((Topology.requestsExchange, "^audit$"))
                reads.append((Topology.auditExchange, "^#$"))
            }
        }
    }
}
