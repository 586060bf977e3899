package import RabbitMQ

/// Every name on the broker: exchanges, queues, bindings and keys.
///
/// Exchanges and users come from `definitions(virtualHost:passwords:)`; queues are declared by the service that consumes
/// them, again after every lost connection.
package enum Topology {
    package static let signalsExchange = "batuta.signals"
    package static let commandsExchange = "batuta.commands"
    package static let requestsExchange = "batuta.requests"
    package static let repliesExchange = "batuta.replies"
    package static let eventsExchange = "batuta.events"
    package static let auditExchange = "batuta.audit"
    package static let actionsExchange = "batuta.actions"

    /// All exchanges, durable.
    package static let exchanges: [ExchangeDeclaration] = [
        ExchangeDeclaration(name: signalsExchange, kind: .topic),
        ExchangeDeclaration(name: commandsExchange, kind: .topic),
        ExchangeDeclaration(name: requestsExchange, kind: .topic),
        ExchangeDeclaration(name: repliesExchange, kind: .direct),
        ExchangeDeclaration(name: eventsExchange, kind: .topic),
        ExchangeDeclaration(name: auditExchange, kind: .topic),
        ExchangeDeclaration(name: actionsExchange, kind: .topic),
    ]

    /// How often the broker delivers a message before it drops it: the last net under `BatchConsumer`, which takes a
    /// message out of the way after the fifth delivery.
    package static let deliveryLimit = 50

    /// A queue with what leads to it.
    package struct Subscription: Sendable, Equatable {
        package let queue: QueueDeclaration
        package let bindings: [Binding]

        package init(queue: QueueDeclaration, bindings: [Binding]) {
            self.queue = queue
            self.bindings = bindings
        }
    }

    /// Every accepted signal, for the engine.
    package static let engineSignals = Subscription(
        queue: .quorum("engine.signals", deliveryLimit: deliveryLimit),
        bindings: [Binding(queue: "engine.signals", exchange: signalsExchange, routingKey: "#")]
    )

    /// Every answer of a service that carries out an action, for the engine.
    package static let engineActions = Subscription(
        queue: .quorum("engine.actions", deliveryLimit: deliveryLimit),
        bindings: [Binding(queue: "engine.actions", exchange: actionsExchange, routingKey: ActionRoute.everyResult)]
    )

    /// Every audit entry, for one audit-writer at a time.
    package static let auditWriter = Subscription(
        queue: .quorum("audit.writer", deliveryLimit: deliveryLimit, isSingleActiveConsumer: true),
        bindings: [Binding(queue: "audit.writer", exchange: auditExchange, routingKey: "#")]
    )

    /// The commands to a service.
    package static func commands(to service: ServiceName) -> Subscription {
        let name = "\(service.rawValue).commands"
        return Subscription(
            queue: .quorum(name, deliveryLimit: deliveryLimit),
            bindings: [Binding(queue: name, exchange: commandsExchange, routingKey: "\(service.rawValue).#")]
        )
    }

    /// The requests to a service; the queue goes with its last consumer, so that callers learn at once that nobody is
    /// there.
    package static func requests(to service: ServiceName) -> Subscription {
        let name = "\(service.rawValue).requests"
        return Subscription(
            queue: .autoDelete(name),
            bindings: [Binding(queue: name, exchange: requestsExchange, routingKey: service.rawValue)]
        )
    }

    /// The replies to one process, which is named by its id in lower case.
    package static func replies(to service: ServiceName, instance: String) -> Subscription {
        let name = "\(service.rawValue).replies.\(instance)"
        return Subscription(
            queue: .exclusive(name),
            bindings: [Binding(queue: name, exchange: repliesExchange, routingKey: instance)]
        )
    }

    /// Events for one process; a reader that is too slow loses the oldest.
    package static func events(
        for service: ServiceName,
        instance: String,
        keys: [String],
        maximumLength: Int = 10_000
    ) -> Subscription {
        let name = "\(service.rawValue).events.\(instance)"
        return Subscription(
            queue: .exclusive(name, maximumLength: maximumLength, overflow: .dropHead),
            bindings: keys.map { Binding(queue: name, exchange: eventsExchange, routingKey: $0) }
        )
    }

    /// The broker user of a service.
    package static func brokerUser(of service: String) -> String { "batuta_\(service)" }
}
