import Domain
import Logging
import Synchronization

/// Looks at the age of the outbox every two seconds, in memory alone, and tells the log and health.
final class OutboxWatch: Sendable {
    private static let interval = Duration.seconds(2)

    private let relays: RelayRegistry
    private let alarm: Mutex<OutboxAlarm>
    private let logger: Logger

    init(relays: RelayRegistry, limit: Duration, logger: Logger) {
        self.relays = relays
        self.logger = logger
        alarm = Mutex(OutboxAlarm(limit: limit))
    }

    /// What waits, by destination.
    var backlogs: [Destination: OutboxBacklog] {
        relays.all.reduce(into: [:]) { backlogs, relay in
            backlogs[relay.destination] = (backlogs[relay.destination] ?? OutboxBacklog()) + relay.backlog
        }
    }

    /// A sentence about each destination whose outbox is old.
    var findings: [String] {
        let raised = alarm.withLock { $0.raised }
        let backlogs = backlogs
        return Destination.allCases.filter(raised.contains).map { destination in
            let backlog = backlogs[destination] ?? OutboxBacklog()
            return "\(backlog.items) items wait for the consumer of \(destination.rawValue), the oldest for "
                + "\(Int(backlog.age(at: Self.now))) seconds"
        }
    }

    /// Works until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            look()
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Milliseconds of Unix time.
    static var now: UInt64 { UUIDv7.milliseconds(of: UUIDv7.make()) ?? 0 }

    private func look() {
        let backlogs = backlogs
        for event in alarm.withLock({ $0.looked(at: backlogs, now: Self.now) }) {
            switch event {
            case .raised(let destination, let backlog):
                logger.warning(
                    "the outbox grows old: the broker or a consumer is away, or slow",
                    metadata: [
                        "destination": "\(destination)", "waiting": "\(backlog.items)",
                        "oldest_seconds": "\(Int(backlog.age(at: Self.now)))",
                    ]
                )
            case .over(let destination):
                logger.notice("the outbox has recovered", metadata: ["destination": "\(destination)"])
            }
        }
    }
}
