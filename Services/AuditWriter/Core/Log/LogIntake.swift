import Logging
package import Messaging

/// What is done with deliveries of `audit.writer`.
package struct LogIntake: Sendable {
    private let appender: LogAppender
    private let deadLetters: DeadLetterRepository

    package init(appender: LogAppender, deadLetters: DeadLetterRepository) {
        self.appender = appender
        self.deadLetters = deadLetters
    }

    /// Appends the entries of deliveries in one transaction.
    package func process(_ deliveries: [Delivery]) async throws {
        var messages: [EntryMessage] = []
        messages.reserveCapacity(deliveries.count)
        for delivery in deliveries {
            messages.append(try EntryMessage(delivery))
        }
        _ = try await appender.append(messages)
    }

    /// Puts a delivery away.
    ///
    /// Its numbers stay a gap in their lane, which shows in the log and in `dead_letters`.
    package func bury(_ delivery: Delivery, reason: String) async throws {
        try await deadLetters.insert(DeadLetter(delivery, reason: reason), deadline: .now + .seconds(15))
    }

    /// Whether a failure passes by itself, or lies in the data.
    package static func classify(_ error: any Error) -> BatchConsumer.FailureKind {
        guard let error = error as? AuditWriterError else {
            return BatchConsumer.FailureKind(of: error)
        }
        return error.code.isRetryable ? .retry : .data
    }
}
