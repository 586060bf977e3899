import Messaging
package import ServiceRuntime

/// The settings of the outbox of every service that tells others something, and its metrics.
package enum OutboxKeys {
    /// How many items may be published and not yet be known to be with their consumer.
    package static let window = ConfigurationKey<Int>.int(
        "BATUTA_OUTBOX_WINDOW",
        in: 100...10_000_000,
        default: Int(OutboxLimits.standardWindow),
        help: "How many items of a lane may be published and not yet verified; the rest waits in the outbox."
    )

    /// The age from which on an outbox is old.
    package static let alarm = ConfigurationKey<Duration>.duration(
        "BATUTA_OUTBOX_ALARM",
        in: .seconds(1) ... .seconds(86_400),
        default: "60s",
        help: "How old the oldest unverified item may be before log and health tell of it."
    )

    /// All of them.
    package static let all: [any ConfigurationDeclaration] = [window, alarm]

    private static let waiting = MetricDescription.gauge(
        "batuta_outbox_waiting",
        help: "Items that are committed and not yet known to be with their consumer.",
        labels: ["destination"]
    )
    private static let oldest = MetricDescription.gauge(
        "batuta_outbox_oldest_seconds",
        help: "The age of the oldest of them.",
        labels: ["destination"]
    )

    /// Writes both gauges, from memory.
    static func collect(_ backlogs: [Destination: OutboxBacklog], now: UInt64, into exposition: inout Exposition) {
        let samples = Destination.allCases.map { destination in
            (Exposition.labels([("destination", destination.rawValue)]), backlogs[destination] ?? OutboxBacklog())
        }
        exposition.add(waiting, samples: samples.map { ($0.0, Double($0.1.items)) })
        exposition.add(oldest, samples: samples.map { ($0.0, $0.1.age(at: now)) })
    }

    /// What a service's settings say.
    static func limits(_ configuration: ServiceConfiguration) -> OutboxLimits {
        OutboxLimits(window: Int64(configuration[window]), alarm: configuration[alarm])
    }
}
