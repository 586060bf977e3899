/// What a rule has come to.
struct CheckFinding: Sendable {
    /// How many examples are shown.
    static let examplesShown = 5

    let rule: CheckRule
    /// How many violations there are.
    var count: Int64 = 0
    /// A few of them, as texts.
    var examples: [String] = []
    /// Why the rule could not be checked to its end; that counts as a violation.
    var failure: String?

    init(_ rule: CheckRule) {
        self.rule = rule
    }

    /// Whether the data break the rule, or it could not be told.
    var isViolated: Bool { failure != nil || (count > 0 && rule.severity == .error) }

    /// Whether somebody should look.
    var isWarning: Bool { failure == nil && count > 0 && rule.severity == .warning }

    /// Adds what one query has found.
    mutating func add(count: Int64, examples: [String]) {
        self.count += count
        self.examples += examples.prefix(max(0, Self.examplesShown - self.examples.count))
    }
}
