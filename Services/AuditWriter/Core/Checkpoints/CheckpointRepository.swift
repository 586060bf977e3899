import Checkpoints
import Contracts
import MerkleLog
import Persistence

/// The SQL of checkpoints.
struct CheckpointRepository: Sendable {
    let database: PostgresClient

    /// The end of the log as the database has it, and the newest checkpoint with its time.
    struct Outlook: Sendable {
        let head: LogHead
        let newest: SignedCheckpoint?
        /// How long ago it was signed.
        let age: Duration
    }

    /// Reads where the log stands.
    func outlook(deadline: ContinuousClock.Instant) async throws -> Outlook {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT \(LogHead.columns), c.note,
                       coalesce(extract(epoch FROM now() - c.signed_at) * 1000, 0)::bigint
                FROM audit.head h LEFT JOIN LATERAL (
                    SELECT note, signed_at FROM audit.checkpoints c WHERE c.origin = h.origin
                    ORDER BY c.size DESC, c.signed_at DESC LIMIT 1
                ) AS c ON true
                """,
                isReadOnly: true
            ),
            deadline: deadline
        )
        guard let row = rows.first else {
            throw AuditWriterError(.damagedLog, "audit.head has no row")
        }
        let note = try row.decode(5, as: String?.self)
        return Outlook(
            head: try LogHead(row),
            newest: try note.map(Self.read),
            age: .milliseconds(try row.decode(6, as: Int64.self))
        )
    }

    /// The newest signature of the log as it is, of one size.
    func signed(size: Int64, deadline: ContinuousClock.Instant) async throws -> SignedCheckpoint? {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT c.note FROM audit.head h JOIN audit.checkpoints c ON c.origin = h.origin AND c.size = $1
                ORDER BY c.signed_at DESC LIMIT 1
                """,
                [.int8(size)],
                isReadOnly: true
            ),
            deadline: deadline
        )
        return try rows.first.map { try Self.read(try $0.decode(0)) }
    }

    /// A checkpoint with the newest line of each witness that has signed this size.
    func cosigned(_ signed: SignedCheckpoint, deadline: ContinuousClock.Instant) async throws -> SignedNote {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT DISTINCT ON (witness) line FROM audit.cosignatures WHERE origin = $1 AND size = $2
                ORDER BY witness, signed_at DESC LIMIT 10
                """,
                [.text(signed.checkpoint.origin), .int8(Int64(clamping: signed.checkpoint.size))],
                isReadOnly: true
            ),
            deadline: deadline
        )
        var note = signed.note
        for row in rows {
            try note.add(try NoteSignature(parsing: try row.decode(0, as: String.self)))
        }
        return note
    }

    /// Stores a line of a witness; the same line again is no change.
    func addCosignature(
        of checkpoint: Checkpoint,
        witness: String,
        line: String,
        time: UInt64,
        deadline: ContinuousClock.Instant
    ) async throws {
        _ = try await database.execute(
            PostgresStatement(
                """
                INSERT INTO audit.cosignatures (origin, size, witness, signed_at, line)
                VALUES ($1, $2, $3, to_timestamp(least($4, 32503680000)), $5) ON CONFLICT DO NOTHING
                """,
                [
                    .text(checkpoint.origin), .int8(Int64(clamping: checkpoint.size)), .text(witness),
                    .int8(Int64(clamping: time)), .text(line),
                ]
            ),
            deadline: deadline
        )
    }

    /// Reads a stored note.
    static func read(_ note: String) throws -> SignedCheckpoint {
        try SignedCheckpoint(note: SignedNote(parsing: Array(note.utf8)))
    }

    /// Stores a checkpoint that was signed just now and moves on what the head says of it; under the head's lock.
    static func insert(_ signed: SignedCheckpoint) -> [PostgresStatement] {
        let checkpoint = signed.checkpoint
        let size = Int64(clamping: checkpoint.size)
        return [
            PostgresStatement(
                """
                INSERT INTO audit.checkpoints (origin, size, signed_at, root, note)
                VALUES ($1, $2, clock_timestamp(), $3, $4)
                """,
                [
                    .text(checkpoint.origin), .int8(size), .bytes(checkpoint.root.bytes),
                    .text(String(decoding: signed.note.bytes, as: UTF8.self)),
                ]
            ),
            PostgresStatement(
                "UPDATE audit.head SET origin = $1, signed_size = $2, signed_root = $3",
                [.text(checkpoint.origin), .int8(size), .bytes(checkpoint.root.bytes)]
            ),
        ]
    }
}
