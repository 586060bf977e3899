/// Which of the system's services a process is.
package struct ServiceIdentity: Sendable, Hashable {
    /// The version of the whole system.
    package static let systemVersion = "0.1.0"

    /// The service's name, such as `api-gateway`.
    package let name: String
    /// The port on which health and metrics are served where nothing else is set.
    package let metricsPort: UInt16
    /// The version that is reported.
    package let version: String

    /// Makes an identity.
    package init(name: String, metricsPort: UInt16, version: String = systemVersion) {
        self.name = name
        self.metricsPort = metricsPort
        self.version = version
    }

    /// The HTTP API.
    package static let apiGateway = Self(name: "api-gateway", metricsPort: 9101)
    /// Matches signals and executes runs.
    package static let automationEngine = Self(name: "automation-engine", metricsPort: 9102)
    /// Starts runs by the clock.
    package static let scheduler = Self(name: "scheduler", metricsPort: 9103)
    /// Gives jobs to workers.
    package static let jobController = Self(name: "job-controller", metricsPort: 9104)
    /// Appends to the audit log.
    package static let auditWriter = Self(name: "audit-writer", metricsPort: 9105)
    /// Runs the commands of jobs.
    package static let workerAgent = Self(name: "worker-agent", metricsPort: 9106)
}
