import Metrics

/// What the writer counts.
package struct LogMetrics: Sendable {
    static let appendedName = "batuta_audit_entries_appended_total"
    static let duplicatesName = "batuta_audit_entries_duplicate_total"
    static let earlyName = "batuta_audit_entries_early_total"
    static let sizeName = "batuta_audit_log_entries"
    static let appendName = "batuta_audit_append_seconds"
    static let signedName = "batuta_audit_log_signed_entries"
    static let checkpointsName = "batuta_audit_checkpoints_total"
    static let signName = "batuta_audit_sign_seconds"
    static let missingName = "batuta_audit_missing_partitions"

    private let appended = Counter(label: appendedName)
    private let duplicates = Counter(label: duplicatesName)
    private let early = Counter(label: earlyName)
    private let size = Gauge(label: sizeName)
    private let append = Timer(label: appendName)
    private let signedSize = Gauge(label: signedName)
    private let checkpoints = Counter(label: checkpointsName)
    private let sign = Timer(label: signName)
    private let missing = Gauge(label: missingName)

    package init() {}

    /// A transaction was committed, or was not needed because everything was known.
    func committed(_ plan: AppendPlan, size: Int64, took duration: Duration) {
        appended.increment(by: plan.appendedCount)
        duplicates.increment(by: plan.duplicates)
        self.early.increment(by: plan.held.count)
        self.size.record(size)
        append.recordNanoseconds(Int64(duration / .nanoseconds(1)))
    }

    /// So many partitions are missing without which entries cannot be appended.
    func missing(weeks: Int) {
        missing.record(weeks)
    }

    /// A checkpoint was signed.
    func signed(_ size: UInt64, took duration: Duration) {
        signedSize.record(Double(size))
        checkpoints.increment()
        sign.recordNanoseconds(Int64(duration / .nanoseconds(1)))
    }
}
