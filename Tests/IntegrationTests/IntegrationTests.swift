import TestSupport
import Testing

/// The whole system with real processes, on the servers that all suites share; its tests follow each other.
@Suite(
    .serialized,
    .requiresServers,
    .installation(
        "integration",
        [.gateway: 2, .engine: 3, .auditWriter: 2, .scheduler: 1, .jobController: 1, .worker: 1]
    ),
    .timeLimit(.minutes(10))
)
struct IntegrationTests: SystemTests {
    let installation: Installation

    init() throws {
        installation = try Installation.required()
    }
}
