/// Says when an outbox has grown old, and when it has recovered: once each.
///
/// Pure. An alarm is over at half the age that raised it, so that one that hovers is not raised again and again.
struct OutboxAlarm {
    /// What somebody is to be told.
    enum Event: Equatable {
        case raised(Destination, OutboxBacklog)
        case over(Destination)
    }

    /// The age, in seconds, beyond which an outbox is old.
    let limit: Double
    private(set) var raised: Set<Destination> = []

    init(limit: Duration) {
        self.limit = limit / .seconds(1)
    }

    /// The backlogs of all destinations are these.
    ///
    /// - Parameters:
    ///   - backlogs: What waits.
    ///   - now: Milliseconds of Unix time.
    /// - Returns: What has changed, in the order of the destinations.
    mutating func looked(at backlogs: [Destination: OutboxBacklog], now: UInt64) -> [Event] {
        Destination.allCases.compactMap { destination in
            let backlog = backlogs[destination] ?? OutboxBacklog()
            let age = backlog.age(at: now)
            if age > limit, raised.insert(destination).inserted {
                return .raised(destination, backlog)
            }
            if age <= limit / 2, raised.remove(destination) != nil {
                return .over(destination)
            }
            return nil
        }
    }
}
