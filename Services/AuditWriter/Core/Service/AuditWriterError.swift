/// Why deliveries could not be written to the log.
package struct AuditWriterError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What happened.
    package enum Code: String, Sendable {
        /// A message is not what its contract says, or claims to be somebody else's.
        case unreadableMessage = "unreadable_message"
        /// Other writers took the head of the log again and again.
        case headTakenOver = "head_taken_over"
        /// The tables are not as this process believed; it has forgotten what it believed.
        case staleState = "stale_state"

        /// Whether the same work may succeed later.
        package var isRetryable: Bool {
            switch self {
            case .unreadableMessage: false
            case .headTakenOver, .staleState: true
            }
        }
    }

    package let code: Code
    /// A sentence for operators; it repeats no value out of a message.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
