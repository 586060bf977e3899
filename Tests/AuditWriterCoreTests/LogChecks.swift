import Contracts
import Domain
import MerkleLog
import Persistence
import Testing

@testable import AuditWriterCore

/// Reads the whole log back and compares it with what was sent.
enum LogChecks {
    /// The canonical bytes of each lane, in the order of their numbers.
    static func expected(_ messages: [EntryMessage]) -> [LaneName: [[UInt8]]] {
        var entries: [LaneName: [AuditEntry]] = [:]
        for message in messages { entries[message.lane, default: []] += message.entries }
        return entries.mapValues { $0.sorted { $0.seq < $1.seq }.map(\.canonical) }
    }

    /// Indexes without a gap, each lane's bytes in order, hashes as the database computes them, segments that agree.
    static func check(
        _ database: PostgresClient,
        expected: [LaneName: [[UInt8]]],
        heldCount: Int = 0
    ) async throws {
        let results = try await database.pipeline([
            PostgresStatement("SELECT size FROM audit.head", isReadOnly: true),
            PostgresStatement("SELECT count(*) FROM audit.early_entries", isReadOnly: true),
            PostgresStatement(
                "SELECT producer, epoch, first_seq, last_seq, first_index FROM audit.segments ORDER BY first_index",
                isReadOnly: true
            ),
        ])
        let total = expected.values.reduce(0) { $0 + $1.count }
        #expect(try #require(results[0].first).decode(0, as: Int.self) == total)
        #expect(try #require(results[1].first).decode(0, as: Int.self) == heldCount)
        let entries = try await entries(database)
        #expect(entries.count == total)
        var found: [LaneName: [[UInt8]]] = [:]
        var places: [(LaneName, Int64)] = []
        for (index, row) in entries.enumerated() {
            try #require(try row.decode(0, as: Int.self) == index)
            try #require(try row.decode(2, as: Bool.self))
            let entry = try AuditEntry(canonical: try row.decode(1))
            try #require(try row.decode(3) == entry.id)
            try #require(try row.decode(4) == entry.tenant.key)
            let lane = LaneName(producer: entry.producer, epoch: entry.epoch)
            found[lane, default: []].append(entry.canonical)
            places.append((lane, entry.seq))
        }
        #expect(found == expected)
        try await checkTree(database, leaves: entries.map { MerkleHash.leaf(try $0.decode(1, as: [UInt8].self)) })
        try check(segments: results[2], places)
    }

    /// Every full tile is there and no other, each with the hashes and the root that follow from the entries.
    static func checkTree(_ database: PostgresClient, leaves: [MerkleHash]) async throws {
        let rows = try await database.execute(
            PostgresStatement("SELECT level, tile_index, hashes, root FROM audit.tiles", isReadOnly: true)
        )
        var stored: [Tile: (hashes: [MerkleHash], root: MerkleHash)] = [:]
        for row in rows {
            let tile = Tile(level: try row.decode(0), index: UInt64(try row.decode(1, as: Int64.self)), width: 256)
            let hashes = try #require([MerkleHash](concatenated: try row.decode(2, as: [UInt8].self)))
            stored[tile] = (hashes, try #require(MerkleHash(try row.decode(3, as: [UInt8].self))))
        }
        var level = 0
        var hashes = leaves
        var count = 0
        while hashes.count >= 256 {
            var above: [MerkleHash] = []
            for index in 0..<hashes.count / 256 {
                let own = Array(hashes[index * 256..<(index + 1) * 256])
                let tile = Tile(level: level, index: UInt64(index), width: 256)
                let found = try #require(stored[tile], "\(tile.path) is missing")
                try #require(found.hashes == own && found.root == root(own), "\(tile.path) differs")
                above.append(found.root)
                count += 1
            }
            hashes = above
            level += 1
        }
        #expect(stored.count == count)
    }

    /// The root as RFC 6962, section 2.1, defines it.
    static func root(_ leaves: [MerkleHash]) -> MerkleHash {
        guard leaves.count > 1 else {
            return leaves.first ?? .empty
        }
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        return .node(root(Array(leaves[..<split])), root(Array(leaves[split...])))
    }

    /// All entries in their order, a page at a time.
    private static func entries(_ database: PostgresClient) async throws -> [PostgresRow] {
        var entries: [PostgresRow] = []
        while true {
            let page = try await database.execute(
                PostgresStatement(
                    """
                    SELECT leaf_index, canonical, leaf_hash = sha256('\\x00'::bytea || canonical), entry_id, tenant
                    FROM audit.entries WHERE leaf_index >= $1 ORDER BY leaf_index LIMIT 2000
                    """,
                    [.int(entries.count)],
                    isReadOnly: true
                )
            )
            guard page.count > 0 else {
                return entries
            }
            entries += page.map { $0 }
        }
    }

    private static func check(segments: PostgresRows, _ places: [(LaneName, Int64)]) throws {
        var index = 0
        for row in segments {
            let lane = LaneName(producer: try row.decode(0), epoch: try row.decode(1))
            try #require(try row.decode(4, as: Int.self) == index)
            for number in try row.decode(2, as: Int64.self)...(try row.decode(3, as: Int64.self)) {
                try #require(index < places.count && places[index] == (lane, number))
                index += 1
            }
        }
        #expect(index == places.count)
    }
}
