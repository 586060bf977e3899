/// What does not hold of a system although it must.
package struct InvariantViolation: Error, CustomStringConvertible {
    /// One sentence for each.
    package let violations: [String]

    init(_ violations: [String]) {
        self.violations = violations
    }

    package var description: String {
        "The system is at rest, and \(violations.count) things do not hold:\n" + violations.joined(separator: "\n")
    }
}
