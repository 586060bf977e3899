/// Why the process refuses to start with the crash point it was given.
package struct FaultInjectionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    package enum Code: String, Sendable {
        /// `BATUTA_CRASH_AT` is set without `BATUTA_ALLOW_FAULTS=1`.
        case notAllowed = "not_allowed"
        /// No crash point has that name.
        case unknownPoint = "unknown_point"
        /// What follows the colon is not a whole number of at least 1.
        case badArrival = "bad_arrival"

        /// Whether the same start could succeed later: never, the environment has to change.
        package var isRetryable: Bool {
            switch self {
            case .notAllowed, .unknownPoint, .badArrival: false
            }
        }
    }

    /// What is wrong.
    package let code: Code
    /// One sentence that names the variable, what is wrong with it and what is accepted.
    package let message: String

    package var description: String { message }
}
