import Contracts
import Domain
import FoundationEssentials
import JSON
import MerkleLog
import Messaging
import Persistence

/// The log of the whole installation, read from the database by whoever owns it.
struct DatabaseLog: ExportedLog {
    let database: PostgresClient

    /// How many entries are read at once: whole tiles.
    private static let window: UInt64 = 16 * 256

    func begin() async throws -> BegunExport {
        try await SchemaGate.check(client: database, schema: .audit)
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT c.size, c.note FROM audit.head h JOIN audit.checkpoints c ON c.origin = h.origin
                ORDER BY c.size DESC, c.signed_at DESC LIMIT 1
                """,
                isReadOnly: true
            )
        )
        guard let row = rows.first else {
            throw CommandLineError(.answer, "the log has no checkpoint yet; start an audit-writer, which signs it")
        }
        let size = try row.decode(0, as: Int64.self)
        try await leaveEntry(size)
        return BegunExport(id: "", size: UInt64(clamping: size), checkpoint: try row.decode(1), scope: nil)
    }

    func next(from index: UInt64, of export: BegunExport) async throws -> [ExportedEntry] {
        let end = min(export.size, index + Self.window)
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT leaf_index, canonical, leaf_hash FROM audit.entries WHERE leaf_index >= $1 AND leaf_index < $2
                ORDER BY leaf_index
                """,
                [.int8(Int64(clamping: index)), .int8(Int64(clamping: end))],
                isReadOnly: true
            )
        )
        var entries: [ExportedEntry] = []
        for row in rows {
            let found = UInt64(clamping: try row.decode(0, as: Int64.self))
            while index + UInt64(entries.count) < found {
                entries.append(try await absent(index + UInt64(entries.count)))
            }
            guard let leaf = MerkleHash(try row.decode(2, as: [UInt8].self)) else {
                throw CommandLineError(.answer, "the leaf hash of entry \(found) does not have 32 bytes")
            }
            entries.append(ExportedEntry(entry: try row.decode(1), leaf: leaf))
        }
        while index + UInt64(entries.count) < end {
            entries.append(try await absent(index + UInt64(entries.count)))
        }
        return entries
    }

    /// An entry that was sealed: its hash is in its tile.
    private func absent(_ index: UInt64) async throws -> ExportedEntry {
        let rows = try await database.execute(
            PostgresStatement(
                "SELECT substr(hashes, $2, 32) FROM audit.tiles WHERE level = 0 AND tile_index = $1",
                [.int8(Int64(clamping: index / 256)), .int(Int(index % 256) * 32 + 1)],
                isReadOnly: true
            )
        )
        guard let row = rows.first, let leaf = MerkleHash(try row.decode(0, as: [UInt8].self)) else {
            throw CommandLineError(.answer, "the log lacks entry \(index); run `batuta check`")
        }
        return ExportedEntry(entry: nil, leaf: leaf)
    }

    /// Records the export; the next audit-writer that runs brings the entry into the log.
    private func leaveEntry(_ size: Int64) async throws {
        let draft = AuditDraft(
            id: UUIDv7.make(),
            time: .now(),
            tenant: "batuta",
            actor: AuditActor(type: .system, id: "batuta", via: "audit export"),
            action: "audit.export",
            object: AuditObject(type: "audit_log", id: "batuta"),
            after: try .json(["size": .number(size)])
        )
        let lanes = LaneGroup.unrelayed(schema: .audit, service: "audit-writer", replica: "export", database: database)
        try await lanes.change(deadline: .now + .seconds(30)) { _ in .made((), draft) }
    }
}
