package import MerkleLog

/// A checkpoint with its signatures, as it travels and is kept.
package struct SignedCheckpoint: Sendable, Equatable {
    package let checkpoint: Checkpoint
    /// The signed note: the checkpoint's text and the signatures.
    package let note: SignedNote

    /// Reads a signed note whose text is a checkpoint; signatures are not verified.
    package init(note: SignedNote) throws(MerkleLogError) {
        checkpoint = try Checkpoint(parsing: note.text)
        self.note = note
    }

    /// Signs a checkpoint with every key of the log: as the log, and as the log at a time in seconds since 1970.
    package init(_ checkpoint: Checkpoint, signedBy signers: [NoteSigner], at time: UInt64) throws(MerkleLogError) {
        self.checkpoint = checkpoint
        let text = checkpoint.text
        var signatures: [NoteSignature] = []
        for signer in signers {
            signatures.append(try signer.sign(text))
            signatures.append(try signer.cosigner.cosign(text, time: time))
        }
        note = try SignedNote(text: text, signatures: signatures)
    }

    package static func == (one: SignedCheckpoint, other: SignedCheckpoint) -> Bool {
        one.note.bytes == other.note.bytes
    }
}
