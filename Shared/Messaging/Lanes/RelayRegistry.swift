import Synchronization

/// The relays of one process: those of its own lanes, and those of lanes it has taken over.
final class RelayRegistry: Sendable {
    /// Tells that something of a destination was confirmed, or taken over.
    private struct Changes: Sendable {
        let stream: AsyncStream<Void>
        let continuation: AsyncStream<Void>.Continuation

        init() {
            (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        }
    }

    /// Relays as they are added; each is to be run once.
    let added: AsyncStream<LaneRelay>
    private let add: AsyncStream<LaneRelay>.Continuation
    private let signals = Changes()
    private let commands = Changes()
    private let audit = Changes()
    private let relays = Mutex<[LaneRelay]>([])

    init() {
        (added, add) = AsyncStream.makeStream()
    }

    func add(_ new: [LaneRelay]) {
        relays.withLock { $0 += new }
        for relay in new {
            add.yield(relay)
        }
        for destination in Destination.allCases {
            wakeVerifier(of: destination)
        }
    }

    /// Drops relays that have nothing left to do, and ends them.
    func remove(where isDone: (LaneRelay) -> Bool) {
        let removed = relays.withLock { relays in
            let removed = relays.filter(isDone)
            relays.removeAll { relay in removed.contains { $0 === relay } }
            return removed
        }
        for relay in removed {
            relay.finish()
        }
    }

    /// Tells, to the one verifier of a destination, that there may be something to ask about.
    func changes(of destination: Destination) -> AsyncStream<Void> {
        changes(destination).stream
    }

    func wakeVerifier(of destination: Destination) {
        changes(destination).continuation.yield()
    }

    private func changes(_ destination: Destination) -> Changes {
        switch destination {
        case .signals: signals
        case .commands: commands
        case .audit: audit
        }
    }

    var all: [LaneRelay] {
        relays.withLock { $0 }
    }

    func relays(of destination: Destination) -> [LaneRelay] {
        relays.withLock { relays in relays.filter { $0.destination == destination } }
    }

    /// The lanes that this process sends.
    var epochs: [Int64] {
        relays.withLock { relays in Array(Set(relays.map(\.epoch))) }
    }
}
