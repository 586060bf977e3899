/// What a check has found.
package enum HealthState: Sendable, Equatable {
    /// It works.
    case ok
    /// It works, and an operator should know something about it, which holds no secret.
    case noted(String)
    /// It does not, for a reason that an operator understands and that holds no secret.
    case failing(String)

    /// Whether it works.
    package var isOK: Bool {
        switch self {
        case .ok, .noted: true
        case .failing: false
        }
    }
}

/// One line of a readiness report.
package struct HealthFinding: Sendable, Equatable {
    /// The check's name.
    package let name: String
    /// What it has found.
    package let state: HealthState
}
