/// What a check has found.
package enum HealthState: Sendable, Equatable {
    /// It works.
    case ok
    /// It does not, for a reason that an operator understands and that holds no secret.
    case failing(String)

    /// Whether it works.
    package var isOK: Bool { self == .ok }
}

/// One line of a readiness report.
package struct HealthFinding: Sendable, Equatable {
    /// The check's name.
    package let name: String
    /// What it has found.
    package let state: HealthState
}
