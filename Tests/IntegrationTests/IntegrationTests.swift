import Foundation
import JSON
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
struct IntegrationTests {
    let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    /// A word that no other test of this run uses.
    static func unique(_ word: String) -> String {
        "\(word)-\(UInt32.random(in: .min ... .max))"
    }

    /// Waits until a signal is processed, and reads what became of it.
    func processed(_ signalID: UUID) async throws -> JSONValue {
        try await eventually("\(signalID) is processed") {
            try await installation.read("/api/signals/\(signalID.uuidString.lowercased())")
        } until: {
            $0["status"]?.stringValue == "processed"
        }
    }

    /// The decision of a signal about one automation; nil when it was not considered.
    func decision(_ key: String, in signal: JSONValue) -> JSONValue? {
        signal["decisions"]?.arrayValue?.first { $0["automation_key"]?.stringValue == key }
    }
}
