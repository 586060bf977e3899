import Checkpoints
import Contracts
import Domain
import FoundationEssentials
package import JSON
import MerkleLog
package import Messaging
package import Persistence

/// Gives out what proves the log: checkpoints, proofs and tiles.
///
/// Of other tenants none of it tells what an entry says, so that whoever may read the log of one tenant may have the tree of
/// the whole log.
package struct ProofRequests: Sendable {
    private let database: PostgresClient
    private let checkpoints: CheckpointRepository
    private let tiles: TileRepository
    private let accesses: LogAccesses

    package init(database: PostgresClient, accesses: LogAccesses) {
        self.accesses = accesses
        self.database = database
        checkpoints = CheckpointRepository(database: database)
        tiles = TileRepository(database: database)
    }

    /// `audit.checkpoints.newest`: the newest checkpoint, with what witnesses have added to it.
    package func newest(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let signed = try await checkpoints.required(deadline: context.deadline)
        let cosigned = try await checkpoints.cosigned(signed, deadline: context.deadline)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("note", cosigned.encoded)
        writer.member("size", Int64(clamping: signed.checkpoint.size))
        writer.endObject()
        return Reply(body: writer.bytes)
    }

    /// `audit.entries.prove`: one entry that the caller may read with the proof that the newest checkpoint covers it.
    package func prove(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let signed = try await checkpoints.required(deadline: context.deadline)
        let size = signed.checkpoint.size
        guard let index = body.root["leaf_index"]?.int64Value, index >= 0 else {
            throw Problem(.invalidRequest, "leaf_index is a whole number from 0 on.")
        }
        let rows = try await database.execute(
            PostgresStatement(
                "SELECT canonical, leaf_hash FROM audit.entries WHERE leaf_index = $1 AND ($2 OR tenant = $3)",
                [.int8(index), .bool(context.tenant == ReadTenant.installation), .text(context.tenant)],
                isReadOnly: true
            ),
            deadline: context.deadline
        )
        guard let row = rows.first else {
            throw Problem(.notFound)
        }
        guard UInt64(index) < size else {
            throw Problem(
                .inFlight,
                "The entry is not covered by a checkpoint yet; it will be within a second or two.",
                detailES: "Ningún punto de control cubre todavía la entrada; lo hará en uno o dos segundos."
            )
        }
        try await accesses.record("audit.query", try .json(["leaf_index": .number(index)]), context)
        let plan = try InclusionPlan(index: UInt64(index), size: size)
        let found = try await tiles.tiles(plan.tiles, deadline: context.deadline)
        let proof = try plan.proof(found)
        let canonical: [UInt8] = try row.decode(0)
        var writer = JSONWriter(capacity: canonical.count + 4_096)
        writer.beginObject()
        writer.member("leaf_index", index)
        writer.member("leaf_hash", (try row.decode(1, as: [UInt8].self)).hex)
        writer.member("entry", raw: canonical)
        writer.proof(proof)
        writer.member("checkpoint", signed.note.encoded)
        writer.endObject()
        return Reply(body: writer.bytes)
    }

    /// `audit.proofs.consistency`: that the log of one size is the beginning of the log of another.
    package func consistency(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let signed = try await checkpoints.required(deadline: context.deadline)
        guard let from = Self.size(body.root["from"]), let to = Self.size(body.root["to"], or: signed) else {
            throw Problem(.invalidRequest, "from and to are sizes of the log.")
        }
        guard from > 0, from <= to, to <= signed.checkpoint.size else {
            throw Problem(
                .invalidRequest,
                "from is at least 1 and at most to, and to at most \(signed.checkpoint.size), the size of the newest checkpoint.",
                detailES:
                    "from es al menos 1 y no supera a to, ni to a \(signed.checkpoint.size), el tamaño del último punto de control."
            )
        }
        let plan = try ConsistencyPlan(from: from, to: to)
        let found = try await tiles.tiles(plan.tiles, deadline: context.deadline)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("from", Int64(clamping: from))
        writer.member("to", Int64(clamping: to))
        writer.proof(try plan.proof(found))
        writer.endObject()
        return Reply(body: writer.bytes)
    }

    /// `audit.tiles.get`: the hashes of one tile of the log as the newest checkpoint covers it.
    package func tile(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let root = body.root
        let signed = try await checkpoints.required(deadline: context.deadline)
        guard let level = root["level"]?.int64Value, (0...7).contains(level), let index = Self.size(root["index"]),
            let whole = Tile(level: Int(level), index: index, in: signed.checkpoint.size)
        else {
            throw Problem(.notFound)
        }
        let width = root["width"]?.int64Value ?? Int64(whole.width)
        guard (1...Int64(whole.width)).contains(width) else {
            throw Problem(.notFound)
        }
        let tile = Tile(level: Int(level), index: index, width: Int(width))
        let found = try await tiles.tiles([tile], deadline: context.deadline)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("hashes", Data((found[tile] ?? []).concatenated).base64EncodedString())
        writer.endObject()
        return Reply(body: writer.bytes)
    }

    private static func size(_ view: JSONView?) -> UInt64? {
        view?.int64Value.flatMap { UInt64(exactly: $0) }
    }

    private static func size(_ view: JSONView?, or signed: SignedCheckpoint) -> UInt64? {
        view == nil ? signed.checkpoint.size : size(view)
    }
}
