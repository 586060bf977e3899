import TestSupport
import Testing

/// A running system under steady load, and what is done to it; afterwards the invariants hold.
///
/// The suite has servers of its own, since it restarts and wipes them, and its tests follow each other: each finds the
/// system that the one before has left, whole again.
@Suite(
    .serialized,
    .requiresPrivateServers,
    .privateInstallation("faults", [.gateway: 2, .engine: 2, .auditWriter: 2]),
    .timeLimit(.minutes(15))
)
struct FaultTests {
    let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    /// The types of the load's signals: two families, and one that nothing waits for.
    static let types = ["orders.paid", "orders.line.added", "machines.stopped", "weather.changed"]

    /// Makes the automations that the load wakes, the first time it is called.
    func automate() async throws {
        guard try await installation.count("SELECT count(*) FROM engine.automations") == 0 else { return }
        try await installation.automate("every-order", on: "orders.*", steps: 2)
        try await installation.automate("paid-order", on: "orders.paid")
        try await installation.automate("stopped-machine", on: "machines.stopped", steps: 3)
    }

    /// Puts the system under load, does something to it, and checks that nothing was lost or done twice.
    ///
    /// - Parameters:
    ///   - prefix: a word in the signals' ids.
    ///   - after: how many signals are acknowledged after the fault, before the load ends.
    ///   - fault: what is done, once the load runs.
    /// - Throws: what the fault threw, or the invariants that do not hold.
    func underLoad(
        _ prefix: String,
        after: Int = 100,
        _ fault: (SignalLoad.Running) async throws -> Void
    ) async throws {
        let started = ContinuousClock.now
        try await installation.showingLogs {
            try await automate()
            let before = installation.history.count
            try await SignalLoad(installation, prefix: prefix, types: Self.types).during { load in
                try await load.acknowledges(60)
                try await fault(load)
                try await load.acknowledges(after)
            }
            let healed = ContinuousClock.now
            try await Invariants(installation).hold()
            #expect(installation.history.unknown.isEmpty, "every signal was acknowledged in the end")
            print(
                "\(prefix): \(installation.history.count - before) signals acknowledged,",
                "at rest \(ContinuousClock.now - healed) after the load, \(ContinuousClock.now - started) in all"
            )
        }
    }

    @Test func loadAlone() async throws {
        try await underLoad("alone") { _ in }
    }
}
