import Templates

/// What an automation says about which of its runs may begin, and when.
struct AdmissionPolicy: Sendable {
    /// What becomes of a run that finds no room.
    enum OnLimit: String, CaseIterable, Sendable {
        /// It waits, and goes when there is room.
        case queue
        /// It is not created.
        case skip
        /// It begins, and the oldest of those under way are canceled.
        case cancelRunning = "cancel_running"
    }

    /// How many runs may be under way at once.
    struct Concurrency: Sendable {
        var limit: Int
        /// Runs with different values do not count against each other; nil for all runs together.
        var key: Template?
        var onLimit: OnLimit
    }

    /// How many runs may begin within a time, whenever that is taken to begin.
    struct Rate: Sendable {
        var limit: Int
        var window: Duration
        var key: Template?
        var onLimit: OnLimit
    }

    /// By which signals start no second run.
    struct Dedupe: Sendable {
        var key: Template
        /// How long a run holds its key; at most, where it gives it up with its end.
        var window: Duration
        var endsWithRun: Bool
    }

    var concurrency: Concurrency?
    var rate: Rate?
    var dedupe: Dedupe?

    /// Whether every run may simply begin.
    var isEmpty: Bool { concurrency == nil && rate == nil && dedupe == nil }
}
