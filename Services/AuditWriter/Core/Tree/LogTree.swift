import Logging
import MerkleLog
import Persistence

/// Reads the tree of the log as the tables hold it.
struct LogTree: Sendable {
    /// How many leaf hashes are read at once while missing tiles are made up for.
    private static let chunk: Int64 = 10_240

    let repository: TileRepository
    let logger: Logger

    init(database: PostgresClient, logger: Logger) {
        repository = TileRepository(database: database)
        self.logger = logger
    }

    /// The right edge of the tree over the entries up to a head that the caller has taken.
    ///
    /// Tiles that a release before has left out are stored on the way, a chunk a transaction under the head's lock.
    func edge(of head: LogHead, deadline: () -> ContinuousClock.Instant) async throws -> TreeEdge {
        let count = try await repository.fullTileCount(deadline: deadline())
        var edge = try await stored(count, deadline: deadline())
        var next = Int64(clamping: edge.size)
        guard next <= head.size else {
            throw AuditWriterError(.damagedLog, "the tree has tiles for more entries than the log has")
        }
        let isBehind = head.size - next >= 256
        while next < head.size {
            let end = min(head.size, next + Self.chunk)
            let hashes = try await repository.leafHashes(next..<end, deadline: deadline())
            let filled = edge.append(contentsOf: hashes)
            if !filled.isEmpty {
                try await repository.database.withTransaction(deadline: deadline()) { transaction in
                    try await transaction.pipeline([LogRepository.lockHead(head)])
                    try await transaction.commit([TileRepository.store(filled)])
                }
            }
            if isBehind {
                logger.info("made up for missing tiles", metadata: ["entries": "\(end)", "of": "\(head.size)"])
            }
            next = end
        }
        return edge
    }

    /// The edge of the tree that the stored tiles form.
    private func stored(_ count: Int64, deadline: ContinuousClock.Instant) async throws -> TreeEdge {
        guard count > 0 else {
            return TreeEdge()
        }
        var partials: [[MerkleHash]] = [[]]
        var below = count
        var level = 0
        while below > 0 {
            let full = below / 256
            partials.append(try await repository.roots(ofLevel: level, full * 256..<below, deadline: deadline))
            below = full
            level += 1
        }
        guard let edge = TreeEdge(size: UInt64(count) * 256, partials: partials) else {
            throw AuditWriterError(.damagedLog, "the stored tiles form no tree")
        }
        return edge
    }

    /// The root of the tree over the first `size` of `total` entries.
    func root(of size: UInt64, in total: UInt64, deadline: ContinuousClock.Instant) async throws -> MerkleHash {
        let plan = try RootPlan(size: size, in: total)
        let tiles = try await repository.tiles(plan.tiles, deadline: deadline)
        return try plan.root { tiles[$0] }
    }
}
