import MerkleLog

/// Compares the tree that the tiles claim with the one that follows from the entries, leaf by leaf, in constant memory.
struct TreeCheck {
    /// The tree over the hashes of the tiles of level 0.
    private var claimed = TreeEdge()

    /// The tree with the hashes of the entries in their place, where they are there; nil as long as both are the same.
    private var actual: TreeEdge?

    /// The first index at which the hash of an entry differs from the tile's.
    private var firstChanged: UInt64?

    /// The first tile above level 0, level by level and by index, that is not what follows from the level below.
    private var firstWrong: Tile?

    /// The sizes whose roots are asked for, the largest first.
    private var sizes: [UInt64]

    /// The roots of the claimed tree at these sizes.
    private var roots: [UInt64: MerkleHash] = [0: .empty]

    private let checkpoint: Checkpoint
    private let earlier: [Checkpoint]

    /// Makes the check of a tree that is to have the root of a checkpoint, and had those of earlier ones.
    init(_ checkpoint: Checkpoint, earlier: [Checkpoint]) {
        self.checkpoint = checkpoint
        self.earlier = earlier
        sizes = Set(earlier.map(\.size)).filter { $0 > 0 }.sorted(by: >)
    }

    /// Adds the leaves of the next tile, as it claims them and, where they differ, as the entries have them.
    ///
    /// `isStored` answers whether a tile of a higher level is stored with these hashes.
    mutating func append(
        claimed leaves: [MerkleHash],
        actual hashes: [MerkleHash]?,
        isStored: (Tile, [MerkleHash]) throws(ExportFault) -> Bool
    ) throws(ExportFault) {
        if let hashes, firstChanged == nil {
            firstChanged = zip(leaves, hashes).enumerated().first { $1.0 != $1.1 }.map { claimed.size + UInt64($0.0) }
            actual = claimed
        }
        _ = actual?.append(contentsOf: hashes ?? leaves)
        var rest = leaves[...]
        while let size = sizes.last, size - claimed.size <= UInt64(rest.count) {
            let part = rest.prefix(Int(size - claimed.size))
            rest = rest.dropFirst(part.count)
            try append(part, isStored)
            roots[size] = claimed.root
            sizes.removeLast()
        }
        try append(rest, isStored)
    }

    private mutating func append(
        _ leaves: ArraySlice<MerkleHash>,
        _ isStored: (Tile, [MerkleHash]) throws(ExportFault) -> Bool
    ) throws(ExportFault) {
        for filled in claimed.append(contentsOf: leaves) where filled.tile.level > 0 {
            try check(filled.tile, filled.hashes, isStored)
        }
    }

    private mutating func check(
        _ tile: Tile,
        _ hashes: [MerkleHash],
        _ isStored: (Tile, [MerkleHash]) throws(ExportFault) -> Bool
    ) throws(ExportFault) {
        if let firstWrong, (firstWrong.level, firstWrong.index) < (tile.level, tile.index) { return }
        if try !isStored(tile, hashes) {
            firstWrong = tile
        }
    }

    /// Judges the tree when all its leaves were added; throws the fault, if there is one.
    mutating func finish(
        isStored: (Tile, [MerkleHash]) throws(ExportFault) -> Bool
    ) throws(ExportFault) {
        for tile in TreeEdge.partialTiles(size: claimed.size) where tile.level > 0 {
            try check(tile, claimed.partials[tile.level], isStored)
        }
        if firstWrong != nil || claimed.root != checkpoint.root {
            throw whatIsWrong
        }
        if let firstChanged {
            throw Self.changed(firstChanged)
        }
        for known in earlier where roots[known.size] != known.root {
            let meaning =
                "The first \(known.size) entries are not those of the earlier checkpoint: there are two histories."
            throw ExportFault(.fork, at: known.size, meaning)
        }
    }

    /// What is wrong where the tiles do not follow from each other and lead to the root.
    ///
    /// It is the tiles themselves, if the entries lead to the root, else the entries.
    private var whatIsWrong: ExportFault {
        let tile = firstChanged.flatMap { Tile(level: 0, index: $0 >> 8, in: checkpoint.size) } ?? firstWrong
        if let tile, (actual ?? claimed).root == checkpoint.root {
            let meaning = "The hashes of the tile \(tile.path) are not those that follow from the entries."
            return ExportFault(.tile, at: tile.path, meaning)
        }
        if let firstChanged { return Self.changed(firstChanged) }
        return ExportFault(
            .tree,
            at: "checkpoint",
            "The hashes of the tiles do not lead to the root that the log has signed."
        )
    }

    private static func changed(_ index: UInt64) -> ExportFault {
        ExportFault(.entry, at: index, "The entry \(index) is not the one that the log has: it was changed.")
    }
}
