package import TestSupport

/// What a system stands on, which decides what can be done to it.
package struct FaultSetting: Hashable, Sendable {
    /// Whether the broker has three nodes and the database a synchronous standby.
    package var isCluster: Bool

    /// Whether services reach the servers through proxies.
    package var hasProxies: Bool

    /// Whether the clock of a process can be faked.
    package var hasFakeClocks: Bool

    /// Whether faults last as short as they may.
    package var isShort: Bool

    /// How many replicas each service has.
    package var replicas: Int

    package init(
        isCluster: Bool,
        hasProxies: Bool,
        hasFakeClocks: Bool,
        isShort: Bool = false,
        replicas: Int = 2
    ) {
        self.isCluster = isCluster
        self.hasProxies = hasProxies
        self.hasFakeClocks = hasFakeClocks
        self.isShort = isShort
        self.replicas = replicas
    }

    /// The services that have replicas.
    package static let services: [SystemService] = [.gateway, .engine, .auditWriter]

    /// The classes of which at least one fault can be made.
    package var classes: [FaultClass] {
        FaultClass.allCases.filter { !FaultMenu(setting: self).draws(of: $0).isEmpty }
    }
}
