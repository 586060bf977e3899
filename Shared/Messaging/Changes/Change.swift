package import Contracts

/// What a transaction that may change what users see has come to: its result, and an entry for each object that it has
/// changed.
///
/// The body of ``LaneGroup/change(deadline:_:)`` answers it, so that no change is written without a word about it.
package struct Change<Result: Sendable>: Sendable {
    /// What the caller gets once the transaction is committed.
    package let result: Result
    /// What the audit log is told.
    package let entries: [AuditDraft]

    private init(_ result: Result, _ entries: [AuditDraft]) {
        self.result = result
        self.entries = entries
    }

    /// Objects were changed.
    ///
    /// - Parameters:
    ///   - result: What the caller gets.
    ///   - entry: What the audit log is told of the object that was asked for, large values included.
    ///   - more: The same of other objects that have changed with it.
    /// - Returns: The change.
    package static func made(_ result: Result, _ entry: AuditDraft, and more: [AuditDraft] = []) -> Change {
        Change(result, [entry] + more)
    }

    /// Nothing that users see was changed: it is as asked for already, or it was asked for and answered before.
    ///
    /// Signals and the progress of runs are no such change either (`docs/architecture.md`, law 5).
    package static func none(_ result: Result) -> Change {
        Change(result, [])
    }

    /// The same change with another result.
    package func map<Other: Sendable>(_ transform: (Result) throws -> Other) rethrows -> Change<Other> {
        Change<Other>(try transform(result), entries)
    }
}

/// A transaction has changed what users see, and named no entry for the audit log; it was rolled back.
///
/// This is a mistake of ours: its operation cannot be used before it is mended.
package struct UnauditedChangeError: Error, CustomStringConvertible {
    package var description: String { "a change without an entry for the audit log was rolled back" }
}
