import Metrics

/// What the intake counts.
package struct IntakeMetrics: Sendable {
    private let accepted = Counter(label: "batuta_signals_accepted_total")
    private let duplicates = Counter(label: "batuta_signals_duplicate_total")
    private let conflicts = Counter(label: "batuta_signals_conflicting_total")
    private let refusals = Counter(label: "batuta_signals_refused_total")
    private let batches = Counter(label: "batuta_signal_batches_total")

    package init() {}

    /// One transaction was committed.
    func committed(_ outcomes: [SignalBatch.Outcome]) {
        let repeated = outcomes.count(where: \.receipt.isDuplicate)
        let conflicting = outcomes.count(where: \.isConflicting)
        batches.increment()
        accepted.increment(by: outcomes.count - repeated)
        if repeated > 0 {
            duplicates.increment(by: repeated)
        }
        if conflicting > 0 {
            conflicts.increment(by: conflicting)
        }
    }

    /// Signals were refused after they had been handed in.
    func refused(_ count: Int) {
        refusals.increment(by: count)
    }
}
