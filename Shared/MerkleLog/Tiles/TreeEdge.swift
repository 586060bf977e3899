/// The right edge of a growing tree: for each level of tiles the hashes of the one that is not full yet.
///
/// It is all that appending needs, whatever the size of the tree. An append costs one hash on average, reading the root
/// one for each bit of the size that is set.
package struct TreeEdge: Sendable, Hashable {
    /// The hashes of each level's partial tile, the level of the leaves first; the last level has at least one.
    package private(set) var partials: [[MerkleHash]]

    // The same tree as subtrees, so that neither its root nor a full tile's is hashed again from the start.
    private var range: CompactRange

    /// The edge of the tree without leaves.
    package init() {
        partials = []
        range = CompactRange()
    }

    /// Takes up a tree of some size with the hashes of its partial tiles.
    ///
    /// Nil where the size is larger than any tree's, or a level has not as many hashes as ``widths(size:)`` says.
    package init?(size: UInt64, partials: [[MerkleHash]]) {
        guard size <= MerkleTree.maximumSize, partials.map(\.count) == Self.widths(size: size) else { return nil }
        self.partials = partials
        range = CompactRange()
        for (level, hashes) in partials.enumerated().reversed() {
            var part = CompactRange()
            for hash in hashes {
                part.append(hash)
            }
            range.append(smaller: part, leaves: part.count << UInt64(Tile.height * level))
        }
    }

    /// The widths of the partial tiles of a tree, from the level of the leaves up; 0 where a level has only full ones.
    package static func widths(size: UInt64) -> [Int] {
        var widths: [Int] = []
        var rest = size
        while rest > 0 {
            widths.append(Int(rest & 0xff))
            rest >>= UInt64(Tile.height)
        }
        return widths
    }

    /// The partial tiles of a tree, from the level of the leaves up: what ``init(size:partials:)`` is to be given.
    package static func partialTiles(size: UInt64) -> [Tile] {
        widths(size: size).enumerated().compactMap { level, width in
            guard width > 0 else { return nil }
            return Tile(level: level, index: size >> UInt64(Tile.height * (level + 1)), width: width)
        }
    }

    /// The number of leaves.
    package var size: UInt64 { range.count }

    /// The root of the tree.
    package var root: MerkleHash { range.root }

    /// Adds the hash of a leaf; answers the tiles that it made full, the lowest level first.
    package mutating func append(_ leaf: MerkleHash) -> [FilledTile] {
        append(contentsOf: CollectionOfOne(leaf))
    }

    /// Adds the hashes of leaves in their order; answers the tiles that they made full in the order of becoming so.
    package mutating func append(contentsOf leaves: some Sequence<MerkleHash>) -> [FilledTile] {
        var filled: [FilledTile] = []
        for leaf in leaves {
            Self.append(leaf, to: &partials, &range, filling: &filled)
        }
        return filled
    }

    private static func append(
        _ leaf: MerkleHash,
        to partials: inout [[MerkleHash]],
        _ range: inout CompactRange,
        filling filled: inout [FilledTile]
    ) {
        let position = range.count
        add(leaf, to: 0, of: &partials)
        range.append(leaf) { height, root in
            // Eight joins make a tile of level 0, eight more one of level 1.
            guard height.isMultiple(of: Tile.height) else { return }
            let level = height / Tile.height - 1
            let tile = Tile(level: level, index: position >> UInt64(height), width: Tile.fullWidth)
            filled.append(FilledTile(tile: tile, hashes: partials[level], root: root))
            partials[level] = []
            add(root, to: level + 1, of: &partials)
        }
    }

    private static func add(_ hash: MerkleHash, to level: Int, of partials: inout [[MerkleHash]]) {
        if level == partials.count {
            partials.append([])
        }
        if partials[level].isEmpty {
            partials[level].reserveCapacity(Tile.fullWidth)
        }
        partials[level].append(hash)
    }
}
