import Foundation
import TestSupport
import Testing

/// How much the tests of pressure put on the system.
enum Pressure {
    private static let asked = ProcessInfo.processInfo.environment["BATUTA_PRESSURE"].flatMap { Int($0) }

    /// How many signals wait while the engine is away.
    static let backlog = asked ?? 6_000

    /// How many items of a lane may be published and not yet verified.
    static let window = asked == nil ? 1_000 : 50_000

    static let settings = ["BATUTA_OUTBOX_ALARM": "1s", "BATUTA_OUTBOX_WINDOW": "\(window)"]
}

/// A system whose consumers, broker, connections or descriptors are taken away while signals keep coming.
///
/// With `BATUTA_PRESSURE=200000` the backlog is that long and the outbox has the limits that it has in production;
/// otherwise both are small, and the tests are short.
@Suite(
    .serialized,
    .requiresPrivateServers,
    .privateInstallation(
        "pressure",
        [.gateway: 1, .engine: 1, .auditWriter: 1],
        settings: [.gateway: Pressure.settings, .engine: Pressure.settings]
    ),
    .timeLimit(.minutes(30))
)
struct PressureTests {
    let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    static let waiting = #"batuta_outbox_waiting{destination="signals"}"#
    static let oldest = #"batuta_outbox_oldest_seconds{destination="signals"}"#

    var gateway: Replica { get throws { try installation.replica(.gateway) } }
    var engine: Replica { get throws { try installation.replica(.engine) } }

    /// Makes the automation that the signals wake, the first time it is called, and waits until all is quiet.
    func prepare() async throws {
        if try await installation.count("SELECT count(*) FROM engine.automations") == 0 {
            try await installation.automate("pressed", on: "pressure.*", steps: 2)
            try await installation.postBatches(200, of: 50, prefix: "warm", type: "pressure.warm")
        }
        try await Invariants(installation).rest()
    }

    /// How many messages the relays may have published that the engine is not known to hold.
    func allowed() async throws -> Int {
        try await installation.count(
            """
            SELECT count(*) FROM gateway.outbox o JOIN gateway.lanes l USING (epoch)
            WHERE o.destination = 'signals' AND o.last_seq > l.signals_verified
              AND o.first_seq <= l.signals_verified + \(Pressure.window)
            """
        )
    }

    /// Waits until all that waits is done, and checks that nothing was lost or done twice.
    func recovers(within limit: Duration = .seconds(90)) async throws {
        try await Invariants(installation).hold(within: limit)
        #expect(installation.history.unknown.isEmpty, "every signal was acknowledged in the end")
        try await eventually("nothing waits in the outbox") { try await gateway.metric(Self.waiting) == 0 }
    }
}
