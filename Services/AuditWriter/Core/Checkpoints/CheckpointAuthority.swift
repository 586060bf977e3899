package import Checkpoints
import Contracts
package import MerkleLog

/// What signs for the log: its keys, and what is known outside of the database to have been signed.
package struct CheckpointAuthority: Sendable {
    /// The keys that sign, the one in use first.
    package let signers: [NoteSigner]
    /// What this replica has signed or seen signed.
    package let journal: CheckpointJournal

    /// The name of the log.
    package var origin: String { signers[0].name }

    /// What verifies the log's signatures.
    package var verifierKeys: [NoteVerifierKey] { signers.map(\.verifierKey) }

    /// - Parameters:
    ///   - signers: At least one, all of the log's name.
    ///   - journal: That of the same log.
    package init(signers: [NoteSigner], journal: CheckpointJournal) {
        self.signers = signers
        self.journal = journal
    }

    /// Signs the log with so many entries and this root, now.
    func sign(size: UInt64, root: MerkleHash) throws -> SignedCheckpoint {
        let seconds = UInt64(clamping: Timestamp.now().microseconds / 1_000_000)
        return try SignedCheckpoint(Checkpoint(origin: origin, size: size, root: root), signedBy: signers, at: seconds)
    }

    /// Refuses a log whose newest checkpoint is not signed with one of the keys.
    ///
    /// So a key is only ever replaced by one that has signed beside it, and a wrong key file signs nothing.
    func requireOwnSignature(_ newest: SignedCheckpoint?) throws(AuditWriterError) {
        guard let newest else {
            return
        }
        if let signatures = try? newest.note.verified(by: verifierKeys), !signatures.isEmpty {
            return
        }
        throw AuditWriterError(
            .foreignLog,
            "The newest checkpoint in the database is not signed with a key of the key file. Put the key file back that the "
                + "log \(origin) is signed with; a new key stands above the old one in it until both have signed."
        )
    }

    /// Refuses a log that does not continue what was signed.
    ///
    /// - Parameters:
    ///   - head: The end of the log in the database.
    ///   - root: Computes the root of its first entries.
    /// - Throws: `AuditWriterError` with a sentence that says what to do.
    func requireSequel(_ head: LogHead, root: (UInt64) async throws -> MerkleHash) async throws {
        if let name = head.origin, name != origin {
            throw AuditWriterError(
                .foreignLog,
                "The database holds the log \(name), and the key file is that of \(origin). Put the right key file or "
                    + "database back; nothing is appended or signed until then."
            )
        }
        for known in [journal.newest?.checkpoint, try head.signed(origin)].compactMap({ $0 }) {
            guard known.size <= UInt64(clamping: head.size) else {
                throw AuditWriterError(
                    .restoredLog,
                    "The log \(origin) was signed with \(known.size) entries, and the database has \(head.size): it was "
                        + "restored to an earlier state. Nothing is appended or signed, so that no second history begins. "
                        + "Restore a newer state; if the entries after it are lost, begin a new log as docs/operations.md "
                        + "says under \"Restoring to an earlier moment\"."
                )
            }
            guard try await root(known.size) == known.root else {
                throw AuditWriterError(
                    .forkedLog,
                    "The first \(known.size) entries of the log \(origin) are not those that were signed: the database was "
                        + "changed, or restored and written to since. Nothing is appended or signed. `batuta audit export` "
                        + "and `verify --known` with a checkpoint of the journal name what differs; restore a state that "
                        + "agrees."
                )
            }
        }
    }
}

extension LogHead {
    /// The newest checkpoint as the head remembers it.
    fileprivate func signed(_ origin: String) throws -> Checkpoint? {
        guard let signedRoot, signedSize > 0 else {
            return nil
        }
        return try Checkpoint(origin: origin, size: UInt64(clamping: signedSize), root: signedRoot)
    }
}

/// Where the log stands as the writer that has its head knows it.
package struct LogStanding: Sendable, Equatable {
    package let fence: Int64
    package let size: Int64
    package let signedSize: Int64

    /// Whether entries were appended since the last checkpoint.
    package var isUnsigned: Bool { size > signedSize }
}
