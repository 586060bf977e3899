import MerkleLog
import Persistence

/// The SQL of the tree: its full tiles, and the hashes at its right edge.
struct TileRepository: Sendable {
    let database: PostgresClient

    /// How many tiles of level 0 are stored: all before that one are.
    func fullTileCount(deadline: ContinuousClock.Instant) async throws -> Int64 {
        let rows = try await database.execute(
            PostgresStatement(
                "SELECT coalesce(max(tile_index) + 1, 0) FROM audit.tiles WHERE level = 0",
                isReadOnly: true
            ),
            deadline: deadline
        )
        return try rows.first?.decode(0) ?? 0
    }

    /// The leaf hashes of a range of entries, in their order.
    ///
    /// - Throws: `AuditWriterError` with code `damagedLog` where one is missing.
    func leafHashes(_ range: Range<Int64>, deadline: ContinuousClock.Instant) async throws -> [MerkleHash] {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT leaf_hash FROM audit.entries WHERE leaf_index >= $1 AND leaf_index < $2 ORDER BY leaf_index
                """,
                [.int8(range.lowerBound), .int8(range.upperBound)],
                isReadOnly: true
            ),
            deadline: deadline
        )
        guard rows.count == range.count else {
            throw AuditWriterError(
                .damagedLog,
                "the log lacks entries from \(range.lowerBound) to \(range.upperBound - 1): it has \(rows.count) of them"
            )
        }
        return try Self.hashes(rows)
    }

    /// The roots of a range of stored tiles of one level, which are hashes of the level above.
    func roots(
        ofLevel level: Int,
        _ range: Range<Int64>,
        deadline: ContinuousClock.Instant
    ) async throws -> [MerkleHash] {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT root FROM audit.tiles WHERE level = $1 AND tile_index >= $2 AND tile_index < $3
                ORDER BY tile_index
                """,
                [.int(level), .int8(range.lowerBound), .int8(range.upperBound)],
                isReadOnly: true
            ),
            deadline: deadline
        )
        guard rows.count == range.count else {
            throw AuditWriterError(.damagedLog, "tiles of level \(level) are missing from the log's tree")
        }
        return try Self.hashes(rows)
    }

    /// The hashes of tiles, each with as many as its width says.
    ///
    /// A tile that is not stored stands at the right edge: its hashes come from the entries or from the tiles below.
    func tiles(_ tiles: Set<Tile>, deadline: ContinuousClock.Instant) async throws -> [Tile: [MerkleHash]] {
        let order = tiles.map { $0 }
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT asked.position, t.hashes
                FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS asked (level, tile_index, position)
                JOIN audit.tiles t ON t.level = asked.level AND t.tile_index = asked.tile_index
                """,
                [.int8Array(order.map { Int64($0.level) }), .int8Array(order.map { Int64(clamping: $0.index) })],
                isReadOnly: true
            ),
            deadline: deadline
        )
        var found: [Tile: [MerkleHash]] = [:]
        for row in rows {
            let tile = order[try row.decode(0, as: Int.self) - 1]
            guard let hashes = [MerkleHash](concatenated: try row.decode(1, as: [UInt8].self)),
                hashes.count >= tile.width
            else {
                throw AuditWriterError(.damagedLog, "the tile \(tile.path) cannot be read")
            }
            found[tile] = Array(hashes.prefix(tile.width))
        }
        for tile in order where found[tile] == nil {
            let first = Int64(clamping: tile.index) * 256
            let range = first..<first + Int64(tile.width)
            found[tile] =
                tile.level == 0
                ? try await leafHashes(range, deadline: deadline)
                : try await roots(ofLevel: tile.level - 1, range, deadline: deadline)
        }
        return found
    }

    private static func hashes(_ rows: PostgresRows) throws -> [MerkleHash] {
        try rows.map { row in
            guard let hash = MerkleHash(try row.decode(0, as: [UInt8].self)) else {
                throw AuditWriterError(.damagedLog, "a hash of the log does not have 32 bytes")
            }
            return hash
        }
    }

    /// Stores tiles that became full; part of the transaction that appends what filled them.
    static func store(_ filled: [FilledTile]) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO audit.tiles (level, tile_index, hashes, root)
            SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[])
            """,
            [
                .int8Array(filled.map { Int64($0.tile.level) }),
                .int8Array(filled.map { Int64(clamping: $0.tile.index) }),
                .bytesArray(filled.map(\.hashes.concatenated)),
                .bytesArray(filled.map(\.root.bytes)),
            ]
        )
    }
}
