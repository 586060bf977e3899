/// What a run's step forward writes besides the run's own row.
struct RunChange: Sendable {
    /// An attempt that is recorded before its effect.
    struct AttemptStart: Equatable, Sendable {
        var position: Int
        /// From 1.
        var number: Int
        /// Microseconds of Unix time.
        var startedAt: Int64
    }

    /// The end of an attempt that was recorded before.
    struct AttemptEnd: Equatable, Sendable {
        var position: Int
        /// From 1.
        var number: Int
        var outcome: AttemptOutcome
        /// Microseconds of Unix time.
        var finishedAt: Int64
    }

    /// Positions of the steps whose rows have changed.
    var steps: Set<Int> = []
    /// Positions of the items whose rows are new.
    var added: Set<Int> = []
    var started: [AttemptStart] = []
    var ended: [AttemptEnd] = []
    var emissions: [Emission] = []
    /// What steps wait for besides a time, by position.
    var opened: [Int: StepWait] = [:]
    /// Positions of steps that do not wait for it any more.
    var closed: Set<Int> = []
    /// Positions of steps for which nothing had come when their time was over, or their attempt was given up for lost.
    var timedOut: Set<Int> = []
    /// How long after it is stored the run goes on, by the clock of the database.
    var timer: Duration?
}
