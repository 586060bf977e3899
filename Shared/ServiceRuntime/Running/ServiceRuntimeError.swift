/// An error whose description is a sentence for the operator: what is wrong and what to do.
///
/// A start-up failure of this kind is logged as it stands; others are introduced with the service's name.
package protocol OperatorFacingError: Error, CustomStringConvertible {}

/// Why a service could not start or could not go on.
package struct ServiceRuntimeError: OperatorFacingError, Sendable, Equatable {
    /// What went wrong.
    package enum Code: String, Sendable {
        /// The address of the health server cannot be listened on.
        case addressUnavailable = "address_unavailable"
        /// The service refuses to start: what it depends on is not as it must be.
        case startRefused = "start_refused"
        /// A part ended by itself.
        case partEnded = "part_ended"

        /// Whether the same start could succeed later without a change.
        package var isRetryable: Bool {
            switch self {
            case .addressUnavailable, .startRefused: false
            case .partEnded: true
            }
        }
    }

    /// What went wrong.
    package let code: Code
    /// A sentence that says what is wrong and what to do.
    package let message: String
    /// What lies beneath, for the log.
    package let cause: String?

    /// Makes an error.
    package init(code: Code, message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { message }
}
