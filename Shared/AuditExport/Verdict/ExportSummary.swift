package import MerkleLog

/// What an export that was verified holds.
package struct ExportSummary: Sendable, Hashable {
    /// The head of the log.
    package let head: ExportHead

    /// The tenant whose entries these are; nil where they are those of all.
    package let tenant: String?

    /// How many entries are in the export.
    package let entries: UInt64

    /// The lanes of the entries, by producer and epoch; none where the entries are one tenant's.
    package let lanes: [Lane]

    /// A lane of a producer, as far as the export has it.
    package struct Lane: Sendable, Hashable {
        /// The name of the producer; text of an export, not fit for a terminal as it is.
        package let producer: String

        /// The run of the producer, from 1.
        package let epoch: Int64

        /// The number of the last entry.
        package let last: Int64

        /// Whether the log says that the lane has ended.
        package let hasEnded: Bool
    }
}

/// A checkpoint whose signatures were verified.
package struct ExportHead: Sendable, Hashable {
    package let checkpoint: Checkpoint

    /// When the log has signed it last, in seconds since 1970; nil where no signature of the log says a time.
    package let time: UInt64?

    /// The witnesses that have signed it, in the order of their signatures.
    package let witnesses: [Witness]

    /// A witness's word that it has seen the checkpoint.
    package struct Witness: Sendable, Hashable {
        package let name: String

        /// In seconds since 1970.
        package let time: UInt64
    }

    init(_ checkpoint: Checkpoint, _ signatures: [OpenedNote.Signature]) {
        self.checkpoint = checkpoint
        time = signatures.filter { $0.key.isLog && $0.key.verifier.name == checkpoint.origin }.compactMap(\.time).max()
        witnesses = signatures.filter { !$0.key.isLog }.compactMap { signature in
            signature.time.map { Witness(name: signature.key.verifier.name, time: $0) }
        }
    }
}
