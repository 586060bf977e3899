package import Messaging

/// Which reads of clients are let in by which gate.
///
/// The newest checkpoint and proofs of consistency cost a few rows, and witnesses and monitors lean on them: they have places
/// of their own, which nobody takes who reads entries.
package struct ReadGates: Sendable {
    /// What watches the log rather than reads it.
    private static let watched: Set<String> = [RequestName.checkpointsNewest, RequestName.proofsConsistency]

    private let reading: ClientReads
    private let watching: ClientReads

    /// Makes gates of which one tenant takes half the places at most.
    ///
    /// - Parameters:
    ///   - reading: How many read at once.
    ///   - watching: How many beside them ask for what watches the log.
    package init(reading: Int, watching: Int) {
        self.reading = ClientReads(limit: reading)
        self.watching = ClientReads(limit: watching)
    }

    /// A handler that refuses what it is asked while too much of its kind is under way.
    ///
    /// - Parameters:
    ///   - name: What is asked for.
    ///   - handler: Answers what is let in.
    /// - Returns: The handler; it throws a `Problem` with code `unavailable`.
    package func admitting(_ name: String, _ handler: @escaping RequestRoutes.Handler) -> RequestRoutes.Handler {
        (Self.watched.contains(name) ? watching : reading).admitting(handler)
    }
}
