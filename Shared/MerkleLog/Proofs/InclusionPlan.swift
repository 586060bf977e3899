/// What a proof that a leaf is in a tree needs: the audit path of RFC 6962, section 2.1.1.
///
/// The caller reads the tiles that it names, from wherever they are, and hands them back.
package struct InclusionPlan: Sendable, Hashable {
    package let index: UInt64
    package let size: UInt64
    private let plan: HashPlan

    /// Plans the proof for the leaf at an index, from 0, in a tree of some size; throws where it has none there.
    package init(index: UInt64, size: UInt64) throws(MerkleLogError) {
        try MerkleTree.check(size)
        guard index < size else {
            throw MerkleLogError(.indexOutOfRange, "A tree of \(size) leaves has none with the index \(index).")
        }
        var ranges: [TreeRange] = []
        var range = TreeRange(start: 0, end: size)
        while range.count > 1 {
            let isLeft = index < range.middle
            ranges.append(isLeft ? range.right : range.left)
            range = isLeft ? range.left : range.right
        }
        self.index = index
        self.size = size
        plan = HashPlan(ranges.reversed(), in: size)
    }

    /// The tiles that are needed, as wide as they are in a tree of ``size`` leaves.
    package var tiles: Set<Tile> { plan.tiles }

    /// Computes the proof, from the leaf's sibling upwards; throws where a tile is missing or too short.
    package func proof(_ tile: (Tile) -> [MerkleHash]?) throws(MerkleLogError) -> [MerkleHash] {
        try plan.hashes(tile)
    }

    /// Computes the proof, from the leaf's sibling upwards; throws where a tile is missing or too short.
    package func proof(_ tiles: [Tile: [MerkleHash]]) throws(MerkleLogError) -> [MerkleHash] {
        try plan.hashes { tiles[$0] }
    }
}
