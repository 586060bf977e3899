/// Why an export cannot be written, or why nothing can be told about one.
package struct ExportError: Error, Sendable, Hashable, CustomStringConvertible {
    package let code: Code

    /// A sentence for people.
    package let message: String

    package var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension ExportError {
    /// The stable name of a failure.
    package enum Code: String, Sendable {
        /// The system refuses to read, make or write a file or a directory.
        case system
        /// The directory that is to be written exists already, and is not empty.
        case notEmpty = "not_empty"
        /// The checkpoint is none, or has no entries.
        case invalidCheckpoint = "invalid_checkpoint"
        /// The scope is none, or not that of the checkpoint and the entries.
        case invalidScope = "invalid_scope"
        /// An entry is empty, too long, or not the one that its hash says.
        case invalidEntry = "invalid_entry"
        /// There are more or fewer entries than the checkpoint says.
        case wrongCount = "wrong_count"
        /// The entries do not have the root that the checkpoint says.
        case rootMismatch = "root_mismatch"
        /// A verifier was called with what it cannot use.
        case usage
    }
}
