import Checkpoints
import Contracts
import Domain
import FoundationEssentials
package import JSON
import MerkleLog
package import Messaging
package import Persistence

/// Gives out entries with their proofs, page after page under one checkpoint.
package struct ProvedEntryRequests: Sendable {
    private let reader: EntryReader
    private let checkpoints: CheckpointRepository
    private let tiles: TileRepository
    private let accesses: LogAccesses

    package init(database: PostgresClient, accesses: LogAccesses) {
        reader = EntryReader(database: database, accesses: accesses)
        checkpoints = CheckpointRepository(database: database)
        tiles = TileRepository(database: database)
        self.accesses = accesses
    }

    /// `audit.proofs.inclusion`: the newest entries first, each with the proof that a checkpoint covers it.
    ///
    /// The first page is of the newest checkpoint, and those that follow are of the same one. What no checkpoint covers yet
    /// is left out.
    package func list(_ context: RequestContext, _ body: JSONDocument) async throws -> Reply {
        let filter = EntryFilter(body.root)
        let limit = EntryReader.limit(body.root["limit"])
        let cursor = try ProofCursor(body.root["cursor"])
        let signed = try await checkpoint(cursor, context)
        let size = Int64(clamping: signed.checkpoint.size)
        let tenant = try ReadTenant(body.root["tenant"], context)
        let entries = try await reader.find(
            filter,
            of: tenant,
            before: cursor?.position ?? EntryReader.end,
            in: size,
            limit: limit + 1,
            deadline: context.deadline
        )
        try await accesses.record(
            "audit.query",
            try filter.auditValue(of: tenant.recorded(context), provedIn: size),
            context
        )
        let page = try ProvedPage(entries, limit: limit, size: signed.checkpoint.size)
        let found = try await tiles.tiles(page.tiles, deadline: context.deadline)
        return Reply(body: try page.body(under: signed, found))
    }

    /// The checkpoint of a page: the newest one, or that of the pages before.
    private func checkpoint(_ cursor: ProofCursor?, _ context: RequestContext) async throws -> SignedCheckpoint {
        guard let cursor else {
            return try await checkpoints.required(deadline: context.deadline)
        }
        guard let signed = try await checkpoints.signed(size: cursor.size, deadline: context.deadline) else {
            throw Problem(.invalidCursor)
        }
        return signed
    }
}

/// Where a page of entries with proofs begins: the size of the log, and the id that the entries are below.
private struct ProofCursor {
    let size: Int64
    let position: UUID

    init(size: Int64, position: UUID) {
        self.size = size
        self.position = position
    }

    /// Reads a cursor; nil where there is none.
    init?(_ view: JSONView?) throws(Problem) {
        guard let view, !view.isNull else {
            return nil
        }
        let parts = (view.stringValue ?? "").split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let size = Int64(parts[0]), size > 0, let position = UUID(uuidString: String(parts[1]))
        else {
            throw Problem(.invalidCursor)
        }
        self.init(size: size, position: position)
    }

    var text: String { "\(size).\(position.lowercased)" }
}

/// The entries of a page, and what their proofs need.
private struct ProvedPage {
    /// The tiles that the proofs of all of them need.
    let tiles: Set<Tile>

    private let items: [(plan: InclusionPlan, canonical: [UInt8])]
    private let next: ProofCursor?

    /// Takes as many rows as an answer has room for.
    init(_ entries: EntryReader.Found, limit: Int, size: UInt64) throws {
        // A hash of a proof in base64, quoted, with a comma.
        let longestProof = (UInt64.bitWidth - size.leadingZeroBitCount) * 47
        var items: [(plan: InclusionPlan, canonical: [UInt8])] = []
        var tiles: Set<Tile> = []
        var last: UUID?
        var end = entries.end
        var bytes = 0
        for row in entries.rows {
            guard items.count < limit, bytes < EntryReader.maximumBytes else {
                end = last
                break
            }
            let canonical: [UInt8] = try row.decode(2)
            let plan = try InclusionPlan(index: UInt64(clamping: try row.decode(1, as: Int64.self)), size: size)
            bytes += canonical.count + longestProof + 64
            tiles.formUnion(plan.tiles)
            items.append((plan, canonical))
            last = try row.decode(0)
        }
        (self.items, self.tiles) = (items, tiles)
        next = end.map { ProofCursor(size: Int64(clamping: size), position: $0) }
    }

    /// The answer: `{"checkpoint", "items": [{"leaf_index", "entry", "proof"}], "next"}`.
    func body(under signed: SignedCheckpoint, _ found: [Tile: [MerkleHash]]) throws -> [UInt8] {
        var writer = JSONWriter(capacity: 64 * 1_024)
        writer.beginObject()
        writer.member("checkpoint", signed.note.encoded)
        writer.key("items")
        writer.beginArray()
        for item in items {
            writer.beginObject()
            writer.member("leaf_index", Int64(clamping: item.plan.index))
            writer.member("entry", raw: item.canonical)
            writer.proof(try item.plan.proof(found))
            writer.endObject()
        }
        writer.endArray()
        writer.member("next", next?.text)
        writer.endObject()
        return writer.bytes
    }
}
