/// Why a key file or a journal of checkpoints cannot be used.
package struct CheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    package enum Code: String, Sendable {
        /// The file of the keys is missing, or is none.
        case keyFile = "key_file"
        /// The folder of the journal cannot be used, or a file in it cannot be read or written.
        case journal
        /// Another process keeps the journal.
        case inUse = "in_use"
        /// A checkpoint contradicts one that the journal holds.
        case contradiction
    }

    package let code: Code
    /// A sentence for operators that says what to do.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
