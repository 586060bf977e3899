/// One thing that must hold of the stored data, and the query for what does not.
struct CheckRule: Sendable {
    /// What it means when there is something.
    enum Severity: String, Sendable {
        /// The data contradict each other.
        case error
        /// Somebody should look.
        case warning
    }

    /// Which rows the query's parameters `$1` and `$2` stand for.
    enum Scope: Sendable {
        /// Asked once. `$1` is the least id that counts, `$2` that of a day before: what belongs together is not always made
        /// in the same moment, nor by the same clock.
        case all
        /// Asked for each week of a partitioned table: the ids from `$1` up to `$2`, which it does not reach.
        case weeks(of: String)
    }

    /// A word for programs.
    let name: String
    /// The rule, as a sentence that is true where it holds.
    let sentence: String
    let severity: Severity
    let scope: Scope
    /// Answers one text for each violation.
    let query: @Sendable (StoredWeeks) -> String

    init(
        _ name: String,
        _ sentence: String,
        _ severity: Severity = .error,
        _ scope: Scope = .all,
        query: @escaping @Sendable (StoredWeeks) -> String
    ) {
        self.name = name
        self.sentence = sentence
        self.severity = severity
        self.scope = scope
        self.query = query
    }

    /// Every rule, in the order in which a signal becomes an entry of the log.
    static let all = signals + runs + admission + lanes + log + warnings
}
