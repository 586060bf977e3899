import FoundationEssentials
import Synchronization

/// The runs that this replica could not resume: each is left alone for a while, so that it does not stand in the way of
/// others and another replica, perhaps of a newer release, can take it.
final class RestingRuns: Sendable {
    /// What to do with a run that could not be resumed.
    enum Verdict: Equatable, Sendable {
        /// Somebody may be able to go on with it later.
        case rest
        /// It could not be resumed for ``patience``.
        case giveUp
    }

    private struct Rest {
        var since: ContinuousClock.Instant
        var until: ContinuousClock.Instant
    }

    /// How long a run is left alone.
    static let restTime = Duration.seconds(60)
    /// How long a run is tried again and again; longer than replicas of two releases run side by side.
    static let patience = Duration.seconds(3_600)

    private let rests = Mutex<[UUID: Rest]>([:])

    /// A run could not be resumed.
    func failed(_ run: UUID, at now: ContinuousClock.Instant) -> Verdict {
        rests.withLock { rests in
            let since = rests[run]?.since ?? now
            guard now - since < Self.patience else {
                rests[run] = nil
                return .giveUp
            }
            rests[run] = Rest(since: since, until: now + Self.restTime)
            return .rest
        }
    }

    /// The runs that are to be left alone now.
    func runs(at now: ContinuousClock.Instant) -> [UUID] {
        rests.withLock { rests in
            // What was not tried here for that long has gone on somewhere else.
            rests = rests.filter { now - $0.value.until < Self.patience }
            return rests.filter { $0.value.until > now }.map(\.key)
        }
    }
}
