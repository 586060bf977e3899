/// Why an export cannot be written, or why nothing can be told about one.
package struct ExportError: Error, Sendable, Hashable, CustomStringConvertible {
    package let code: Code

    /// A sentence for people.
    package let message: String

    /// Whether the same call, made again, may succeed.
    package var isRetryable: Bool { code.isRetryable }

    package var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension ExportError {
    /// The stable name of a failure.
    package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// The system refuses to read, make or write a file or a directory.
        package static let system = Code(rawValue: "system")
        /// The directory that is to be written exists already, and is not empty.
        package static let notEmpty = Code(rawValue: "not_empty")
        /// The checkpoint is none, or has no entries.
        package static let invalidCheckpoint = Code(rawValue: "invalid_checkpoint")
        /// The scope is none, or not that of the checkpoint and the entries.
        package static let invalidScope = Code(rawValue: "invalid_scope")
        /// An entry is empty, too long, or not the one that its hash says.
        package static let invalidEntry = Code(rawValue: "invalid_entry")
        /// There are more or fewer entries than the checkpoint says.
        package static let wrongCount = Code(rawValue: "wrong_count")
        /// The entries do not have the root that the checkpoint says.
        package static let rootMismatch = Code(rawValue: "root_mismatch")
        /// A verifier was called with what it cannot use.
        package static let usage = Code(rawValue: "usage")

        package var description: String { rawValue }

        /// Only what the system refuses may succeed later.
        package var isRetryable: Bool { self == .system }
    }
}
