/// What can go wrong with a lane itself; errors of the database pass through as they are.
package struct LaneError: Error, Sendable, CustomStringConvertible {
    /// What happened.
    package enum Code: Sendable {
        /// Another process has closed the lane, and the transaction was rolled back: it can be tried again at once.
        case fencedOff
        /// The process drains: nothing new is written.
        case draining
        /// More transactions wait for a lane than are allowed.
        case tooManyWaiters
        /// The lane's row is not as this process has left it. The transaction's outcome is not known.
        case foreignRow
    }

    package let code: Code
    package let message: String

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    /// Whether the same transaction can simply be tried again.
    package var isRetryable: Bool {
        switch code {
        case .fencedOff, .tooManyWaiters: true
        case .draining, .foreignRow: false
        }
    }

    package var description: String { message }
}

/// SQLSTATEs that the schemas raise themselves.
package enum GuardState {
    /// `advance_lane`: the lane was closed or settled by another process.
    package static let laneFencedOff = "BT001"
    /// `require_identity_generation`: tenants or tokens have changed.
    package static let identitiesChanged = "BT002"
    /// `require_generation`: the automations in force have changed.
    package static let automationsChanged = "BT003"
    /// `lock_head`: another writer has taken over the head of the audit log.
    package static let headTakenOver = "BT004"
    /// `require_retired`: the partition stays; the message is the reason.
    package static let partitionKept = "BT005"
}
