package import Logging
package import ServiceLifecycle

/// What a service is built from.
package struct ServiceContext: Sendable {
    /// Which service it is.
    package let identity: ServiceIdentity
    /// The values of its keys.
    package let configuration: ServiceConfiguration
    /// Writes to the process's log.
    package let logger: Logger
    /// Takes the checks that make the service ready.
    package let health: HealthRegistry
    /// The process's metrics; swift-metrics' own types count here as well.
    package let metrics: PrometheusRegistry

    /// The name that tells this replica from its siblings.
    package var replica: String { configuration[CommonKeys.replica] }
}

/// One part of a service, to be run and, in reverse order, stopped with the others.
package struct ServicePart: Sendable {
    /// The part's name in logs, such as `outbox relay`.
    package let name: String
    /// What is run.
    package let service: any Service

    /// Names a part.
    package init(_ name: String, _ service: any Service) {
        self.name = name
        self.service = service
    }
}
