import FoundationEssentials
import Synchronization

/// The runs that this replica drives: as many as it has room for, and of one tenant no more than its share.
///
/// A run is entered before its claim is committed, so that the search for runs without a driver never takes one that is
/// about to get its own.
final class RunSlots: Sendable {
    /// What became of a run that was to be entered.
    enum Admission: Equatable, Sendable {
        case entered
        /// It is in already.
        case heldAlready
        /// There is no room at all.
        case full
        /// Its tenant has all of its share.
        case tenantFull
    }

    private struct State {
        /// The tenants of the runs.
        var tenants: [UUID: String] = [:]
        var counts: [String: Int] = [:]
    }

    let capacity: Int
    /// How many of them one tenant may have.
    let share: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - capacity: How many runs.
    ///   - share: How many of them of one tenant; nil for three quarters, so that others always find room.
    init(capacity: Int, share: Int? = nil) {
        self.capacity = capacity
        self.share = min(capacity, share ?? max(1, capacity * 3 / 4))
    }

    /// Enters a run, if there is room and it is not in already.
    func reserve(_ run: UUID, of tenant: String) -> Admission {
        state.withLock { state in
            guard state.tenants[run] == nil else {
                return .heldAlready
            }
            guard state.tenants.count < capacity else {
                return .full
            }
            guard state.counts[tenant, default: 0] < share else {
                return .tenantFull
            }
            state.tenants[run] = tenant
            state.counts[tenant, default: 0] += 1
            return .entered
        }
    }

    /// The run is no longer driven here.
    func release(_ run: UUID) {
        state.withLock { state in
            guard let tenant = state.tenants.removeValue(forKey: run), let count = state.counts[tenant] else {
                return
            }
            state.counts[tenant] = count > 1 ? count - 1 : nil
        }
    }

    /// How many more runs there is room for.
    var free: Int { state.withLock { capacity - $0.tenants.count } }

    /// The runs driven here.
    var runs: [UUID] { state.withLock { Array($0.tenants.keys) } }

    /// What room there is now, for so many runs at most.
    func room(limit: Int) -> RunRoom {
        state.withLock { state in
            RunRoom(limit: min(limit, capacity - state.tenants.count), share: share, held: state.counts)
        }
    }
}
