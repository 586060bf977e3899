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
        /// What the tables hold is not the log that was appended.
        case damagedLog = "damaged_log"
        /// The log was signed with more entries than the database has: it was restored to an earlier state.
        case restoredLog = "restored_log"
        /// The entries are not those that were signed.
        case forkedLog = "forked_log"
        /// The database holds a log of another name than the key file's, or one that other keys have signed.
        case foreignLog = "foreign_log"
        /// No partition takes an entry, and none can be made.
        case missingPartition = "missing_partition"

        /// Whether the same work may succeed later.
        package var isRetryable: Bool {
            switch self {
            case .unreadableMessage: false
            // An operator can put right what is wrong with the log; until then deliveries wait.
            case .headTakenOver, .staleState, .damagedLog, .restoredLog, .forkedLog, .foreignLog, .missingPartition:
                true
            }
        }
    }

    package let code: Code
    /// A sentence for operators; it repeats no value out of a message.
    package let message: String

    /// Whether nothing may be appended or signed until an operator has acted.
    package var stopsTheLog: Bool {
        switch code {
        case .damagedLog, .restoredLog, .forkedLog, .foreignLog: true
        case .unreadableMessage, .headTakenOver, .staleState, .missingPartition: false
        }
    }

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
