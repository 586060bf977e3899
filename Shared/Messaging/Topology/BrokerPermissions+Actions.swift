extension BrokerPermissions {
    /// The least that a service needs which carries out one registered action: its queue, and the key of its answers.
    ///
    /// - Parameter route: The action's way.
    package init(of route: ActionRoute) {
        user = route.brokerUser
        configure = Self.nothing
        write = "^\(Self.escaped(Topology.actionsExchange))$"
        read = "^\(Self.escaped(route.queueName))$"
        topics = Topology.exchanges.filter { $0.kind == .topic }.map { exchange in
            Topic(
                exchange: exchange.name,
                write: exchange.name == Topology.actionsExchange
                    ? "^\(Self.escaped(route.resultKey))$" : Self.nothing,
                read: Self.nothing
            )
        }
    }

    /// A name as an expression that matches it alone; of the characters that names have only the full stop means more.
    static func escaped(_ name: String) -> String { name.replacing(".", with: "\\.") }
}
