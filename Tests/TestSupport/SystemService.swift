package import Persistence

/// The executables that make up a running system.
package enum SystemService: String, CaseIterable, Sendable {
    case gateway = "api-gateway"
    case engine = "automation-engine"
    case auditWriter = "audit-writer"
    case scheduler
    case jobController = "job-controller"
    case worker = "worker-agent"

    /// The schema that the service owns; nil for the one that has no database.
    package var schema: ServiceSchema? {
        switch self {
        case .gateway: .gateway
        case .engine: .engine
        case .auditWriter: .audit
        case .scheduler: .scheduler
        case .jobController: .jobs
        case .worker: nil
        }
    }
}
