/// What the verification of entries with proofs has found.
package enum ProofsVerdict: Sendable, Hashable {
    /// Every entry that is there is in the log; whether others are missing cannot be told.
    case good(ProofsSummary)
    /// The checkpoint or an entry was changed.
    case bad(ExportFault)

    /// The verdict in one word.
    package var name: String {
        switch self {
        case .good: "good"
        case .bad: "bad"
        }
    }

    /// What was found; nil where the verdict is good.
    package var fault: ExportFault? {
        switch self {
        case .good: nil
        case .bad(let fault): fault
        }
    }
}

/// What a file of entries with proofs holds.
package struct ProofsSummary: Sendable, Hashable {
    /// The head of the log.
    package let head: ExportHead

    /// How many entries are in the file.
    package let entries: UInt64
}
