package import FoundationEssentials

/// A place in a list of dead letters, newest first: the same in every service, so that their lists can be merged.
package struct DeadLetterCursor: Sendable, Equatable {
    package var receivedAt: Timestamp
    package var id: UUID

    package init(receivedAt: Timestamp, id: UUID) {
        self.receivedAt = receivedAt
        self.id = id
    }

    /// Reads a cursor; nil where the text is none.
    package init?(_ text: String) {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, let microseconds = Int64(parts[0]), let id = UUID(uuidString: String(parts[1])),
            (0...Timestamp.latest.microseconds).contains(microseconds)
        else {
            return nil
        }
        self.init(receivedAt: Timestamp(microseconds: microseconds), id: id)
    }

    package var text: String { "\(receivedAt.microseconds)_\(id.uuidString.lowercased())" }
}
