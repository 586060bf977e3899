import FoundationEssentials
import Synchronization

/// The runs that this replica drives, as many as it has room for.
///
/// A run is entered before its claim is committed, so that the search for runs without a driver never takes one that is
/// about to get its own.
final class RunSlots: Sendable {
    let capacity: Int
    private let held = Mutex<Set<UUID>>([])

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Enters a run, if there is room and it is not in already.
    func reserve(_ run: UUID) -> Bool {
        held.withLock { held in
            guard held.count < capacity else {
                return false
            }
            return held.insert(run).inserted
        }
    }

    /// The run is no longer driven here.
    func release(_ run: UUID) {
        held.withLock { _ = $0.remove(run) }
    }

    /// How many more runs there is room for.
    var free: Int { held.withLock { capacity - $0.count } }

    /// The runs driven here.
    var runs: [UUID] { held.withLock { Array($0) } }
}
