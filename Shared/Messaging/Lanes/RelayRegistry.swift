import Synchronization

/// The relays of one process: those of its own lanes, and those of lanes it has taken over.
final class RelayRegistry: Sendable {
    /// Relays as they are added; each is to be run once.
    let added: AsyncStream<LaneRelay>
    /// Tells that something was confirmed, or taken over.
    let changes: AsyncStream<Void>
    private let add: AsyncStream<LaneRelay>.Continuation
    private let change: AsyncStream<Void>.Continuation
    private let relays = Mutex<[LaneRelay]>([])

    init() {
        (added, add) = AsyncStream.makeStream()
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func add(_ new: [LaneRelay]) {
        relays.withLock { $0 += new }
        for relay in new {
            add.yield(relay)
        }
        change.yield()
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

    func wakeVerifier() {
        change.yield()
    }

    var all: [LaneRelay] {
        relays.withLock { $0 }
    }

    /// The lanes that this process sends.
    var epochs: [Int64] {
        relays.withLock { relays in Array(Set(relays.map(\.epoch))) }
    }
}
