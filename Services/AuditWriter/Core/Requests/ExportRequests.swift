import Checkpoints
import Contracts
import Domain
import FoundationEssentials
package import JSON
import MerkleLog
package import Messaging
package import Persistence

/// Gives out the log for exports: of one tenant, or whole to the auditors of the installation.
package struct ExportRequests: Sendable {
    /// How many entries one answer looks through.
    private static let window: Int64 = 2_000

    private let database: PostgresClient
    private let checkpoints: CheckpointRepository
    private let accesses: LogAccesses
    private let authority: CheckpointAuthority
    private let scopes: ScopeDesk

    /// - Parameters:
    ///   - database: Logged in as the service.
    ///   - accesses: Records what is exported.
    ///   - authority: Signs what an export holds of a tenant.
    ///   - window: How many entries are looked through at once for that.
    ///   - patience: How long one request works on it.
    package init(
        database: PostgresClient,
        accesses: LogAccesses,
        authority: CheckpointAuthority,
        window: Int64 = 5_000,
        patience: Duration = .seconds(3)
    ) {
        self.database = database
        checkpoints = CheckpointRepository(database: database)
        self.accesses = accesses
        self.authority = authority
        scopes = ScopeDesk(database: database, window: window, patience: patience)
    }

    /// `audit.exports.begin`: fixes what is exported, and says under which checkpoint.
    package func begin(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let signed = try await checkpoints.required(deadline: context.deadline)
        let id = UUIDv7.make()
        let size = Int64(clamping: signed.checkpoint.size)
        try await accesses.record("audit.export", try .json(["size": .number(size)]), context)
        _ = try await database.execute(
            PostgresStatement(
                "INSERT INTO audit.exports (export_id, tenant, size, note) VALUES ($1, $2, $3, $4)",
                [.uuid(id), .text(context.tenant), .int8(size), .text(signed.note.encoded)]
            ),
            deadline: context.deadline
        )
        return Reply(status: 201, body: try await answer(id, signed, context))
    }

    /// `audit.exports.get`: an export that was begun, and goes on with what it holds of the tenant until that is known.
    package func get(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        guard let id = body.root["export_id"]?.stringValue.flatMap(UUID.init(uuidString:)) else {
            throw Problem(.invalidRequest, "export_id is needed.")
        }
        let rows = try await database.execute(
            PostgresStatement(
                "SELECT note FROM audit.exports WHERE export_id = $1 AND tenant = $2",
                [.uuid(id), .text(context.tenant)],
                isReadOnly: true
            ),
            deadline: context.deadline
        )
        guard let row = rows.first else {
            throw Problem(.notFound)
        }
        return Reply(body: try await answer(id, CheckpointRepository.read(try row.decode(0)), context))
    }

    private func answer(_ id: UUID, _ signed: SignedCheckpoint, _ context: RequestContext) async throws -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("export_id", id.lowercased)
        writer.member("size", Int64(clamping: signed.checkpoint.size))
        writer.member("checkpoint", signed.note.encoded)
        if context.tenant != ReadTenant.installation {
            let part = try await scopes.advance(id, of: context.tenant, signed.checkpoint, deadline: context.deadline)
            if part.isWhole {
                writer.member("scope", try scope(part, of: context.tenant, signed.checkpoint).encoded)
            } else {
                writer.member("looked_through", part.next)
            }
        }
        writer.endObject()
        return writer.bytes
    }

    /// `audit.exports.entries`: the entries of an export from an index on, and where to go on.
    package func entries(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let root = body.root
        guard let id = root["export_id"]?.stringValue.flatMap(UUID.init(uuidString:)),
            let from = root["from"]?.int64Value, from >= 0
        else {
            throw Problem(.invalidRequest, "export_id and from are needed.")
        }
        let exports = try await database.execute(
            PostgresStatement(
                "SELECT size FROM audit.exports WHERE export_id = $1 AND tenant = $2",
                [.uuid(id), .text(context.tenant)],
                isReadOnly: true
            ),
            deadline: context.deadline
        )
        guard let size = try exports.first?.decode(0, as: Int64.self) else {
            throw Problem(.notFound)
        }
        let end = min(size, from &+ Self.window)
        let own = context.tenant == ReadTenant.installation ? nil : context.tenant
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT leaf_index, canonical FROM audit.entries
                WHERE leaf_index >= $1 AND leaf_index < $2 AND ($3::text IS NULL OR tenant = $3)
                ORDER BY leaf_index
                """,
                [.int8(from), .int8(max(from, end)), own.map { .text($0) } ?? .null],
                isReadOnly: true
            ),
            deadline: context.deadline
        )
        return Reply(body: try Self.page(rows, end: end, size: size))
    }

    private static func page(_ rows: PostgresRows, end: Int64, size: Int64) throws -> [UInt8] {
        var writer = JSONWriter(capacity: 64 * 1_024)
        var next = end
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for row in rows {
            let index: Int64 = try row.decode(0)
            guard writer.bytes.count < EntryReader.maximumBytes else {
                next = index
                break
            }
            writer.beginObject()
            writer.member("leaf_index", index)
            writer.member("entry", raw: try row.decode(1, as: [UInt8].self))
            writer.endObject()
        }
        writer.endArray()
        if next < size {
            writer.member("next", next)
        } else {
            writer.key("next")
            writer.null()
        }
        writer.endObject()
        return writer.bytes
    }

    /// What the log says of a tenant's part of it, signed.
    private func scope(_ part: ScopePart, of tenant: String, _ checkpoint: Checkpoint) throws -> SignedNote {
        let text = """
            \(checkpoint.origin)/scope
            \(checkpoint.size)
            \(checkpoint.root.base64)
            tenant \(tenant)
            entries \(part.entries)
            \(part.digestBase64)

            """
        return try SignedNote(text: text, signatures: try authority.signers.map { try $0.sign(text) })
    }
}
