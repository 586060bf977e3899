import Contracts
package import Messaging
import Synchronization

/// Lets in so many reads of clients at once, so that they leave room for the requests of other services.
///
/// They have connections of their own to the database; those that find none free wait, and those that find too many waiting
/// are refused.
package final class ClientReads: Sendable {
    private let limit: Int
    private let admitted = Mutex(0)

    /// - Parameter limit: How many are let in at once.
    package init(limit: Int) {
        self.limit = limit
    }

    /// A handler that refuses what it is asked while too much of that is under way.
    ///
    /// - Parameter handler: Answers what is let in.
    /// - Returns: The handler; it throws a `Problem` with code `unavailable`.
    package func admitting(_ handler: @escaping RequestRoutes.Handler) -> RequestRoutes.Handler {
        { [self] context, body in
            let isAdmitted = admitted.withLock { count in
                guard count < limit else { return false }
                count += 1
                return true
            }
            guard isAdmitted else {
                throw Problem(
                    .unavailable,
                    "The audit log is being read by too many at once.",
                    detailES: "Demasiados leen el registro de auditoría a la vez."
                )
            }
            defer { admitted.withLock { $0 -= 1 } }
            return try await handler(context, body)
        }
    }
}
