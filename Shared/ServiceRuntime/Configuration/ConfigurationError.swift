/// Everything that is wrong with a configuration, collected, so that one start shows it all.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One thing that is wrong with one variable.
    package struct Fault: Sendable, Equatable, CustomStringConvertible {
        /// The environment variable.
        package let name: String
        /// What kind of fault it is.
        package let code: Code
        /// A sentence that names the variable, what is wrong with it and what is accepted.
        package let sentence: String

        package var description: String { sentence }
    }

    /// The kinds of faults; none goes away by trying again.
    package enum Code: String, Sendable {
        /// A required variable is unset.
        case missing
        /// The value is not of its kind.
        case invalid
        /// Both the variable and its `_FILE` are set.
        case ambiguous
        /// The file that should hold the secret cannot be used.
        case unreadable

        /// Whether the same start could succeed later.
        package var isRetryable: Bool {
            switch self {
            case .missing, .invalid, .ambiguous, .unreadable: false
            }
        }
    }

    /// The faults, in the order of the declarations.
    package let faults: [Fault]

    /// Makes the error from what was found.
    package init(faults: [Fault]) {
        self.faults = faults
    }

    /// The faults' sentences, one to a line.
    package var description: String {
        faults.map(\.sentence).joined(separator: "\n")
    }
}
