/// Hashes of ranges of a tree, and the tiles that they are computed from.
struct HashPlan: Sendable, Hashable {
    /// The tiles that are needed, each as wide as it is in the tree that is read.
    let tiles: Set<Tile>

    private let ranges: [[Part]]

    /// A complete subtree as consecutive hashes of one tile.
    private struct Part: Sendable, Hashable {
        let tile: Tile
        let hashes: Range<Int>
    }

    /// Plans the hashes of ranges that a tree of `size` leaves has nodes over, in their order.
    init(_ ranges: [TreeRange], in size: UInt64) {
        self.ranges = ranges.map { range in range.subtrees.compactMap { Self.part($0, in: size) } }
        tiles = Set(self.ranges.joined().map(\.tile))
    }

    /// Computes the hashes from tiles, each of which is asked for once; a tile may have grown since it was named.
    func hashes(_ tile: (Tile) -> [MerkleHash]?) throws(MerkleLogError) -> [MerkleHash] {
        var found: [Tile: [MerkleHash]] = [:]
        for name in tiles {
            guard let hashes = tile(name) else {
                throw MerkleLogError(.missingTile, "The tile \(name.path) is missing.")
            }
            guard hashes.count >= name.width else {
                throw MerkleLogError(.shortTile, "The tile \(name.path) has only \(hashes.count) hashes.")
            }
            found[name] = hashes
        }
        return ranges.map { parts in
            let roots = parts.map { part in MerkleHash.root(over: found[part.tile, default: []][part.hashes]) }
            guard let last = roots.last else { return .empty }
            return roots.dropLast().reversed().reduce(last) { right, left in .node(left, right) }
        }
    }

    private static func part(_ subtree: Subtree, in size: UInt64) -> Part? {
        let (level, height) = subtree.level.quotientAndRemainder(dividingBy: Tile.height)
        let first = subtree.index << UInt64(height)
        let start = Int(first & 0xff)
        guard let tile = Tile(level: level, index: first >> UInt64(Tile.height), in: size) else { return nil }
        return Part(tile: tile, hashes: start..<(start + 1 << height))
    }
}
