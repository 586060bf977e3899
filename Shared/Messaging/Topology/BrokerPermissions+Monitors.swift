extension BrokerPermissions {
    /// The least that a monitor needs: to take from its own queue.
    ///
    /// - Parameter monitor: The monitor.
    package init(of monitor: AuditMonitor) {
        user = monitor.brokerUser
        configure = Self.nothing
        write = Self.nothing
        read = "^\(Self.escaped(monitor.queueName))$"
        topics = Topology.exchanges.filter { $0.kind == .topic }.map { exchange in
            Topic(exchange: exchange.name, write: Self.nothing, read: Self.nothing)
        }
    }
}
