import Domain
import FoundationEssentials
import Synchronization

/// The runs that this replica could not resume: each is left alone for a while, so that it does not stand in the way of
/// others and another replica, perhaps of a newer release, can take it.
final class RestingRuns: Sendable {
    /// What to do with a run that could not be resumed.
    enum Verdict: Equatable, Sendable {
        /// Somebody may be able to go on with it later.
        case rest
        /// It could not be resumed for ``patience``, and nobody has brought it a step forward.
        case giveUp
    }

    /// How far a run has come.
    private struct Mark: Equatable {
        var status: StepStatus
        var attempt: Int
    }

    private struct Rest {
        var since: ContinuousClock.Instant
        var until: ContinuousClock.Instant
        /// Nil where the run's rows could not be read.
        var marks: [Mark]?
    }

    /// How long a run is left alone.
    static let restTime = Duration.seconds(60)
    /// How long a run is tried again and again; longer than replicas of two releases run side by side.
    static let patience = Duration.seconds(3_600)

    private let rests = Mutex<[UUID: Rest]>([:])

    /// A run could not be resumed.
    ///
    /// - Parameters:
    ///   - run: Its id.
    ///   - steps: As they are stored; nil where they cannot be read.
    ///   - now: When it failed.
    /// - Returns: What to do with it.
    func failed(_ run: UUID, at steps: [RunRecord.Step]?, now: ContinuousClock.Instant) -> Verdict {
        let marks = steps?.map { Mark(status: $0.status, attempt: $0.attempt) }
        return rests.withLock { rests in
            let before = rests[run].flatMap { $0.marks == marks ? $0 : nil }
            let since = before?.since ?? now
            guard now - since < Self.patience else {
                rests[run] = nil
                return .giveUp
            }
            rests[run] = Rest(since: since, until: now + Self.restTime, marks: marks)
            return .rest
        }
    }

    /// A run has gone on here after all.
    func resumed(_ run: UUID) {
        rests.withLock { _ = $0.removeValue(forKey: run) }
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
