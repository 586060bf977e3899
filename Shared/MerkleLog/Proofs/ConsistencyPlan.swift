/// What a proof that a tree continues a smaller one needs: that of RFC 6962, section 2.1.2.
///
/// The caller reads the tiles that it names, from wherever they are, and hands them back.
package struct ConsistencyPlan: Sendable, Hashable {
    package let from: UInt64
    package let to: UInt64
    private let plan: HashPlan

    /// Plans the proof that the tree of `to` leaves begins with the `from` leaves of an earlier one.
    ///
    /// Trees of one size need no hashes. Throws where `from` is larger than `to`, or 0 and `to` is not: from the tree
    /// without leaves nothing can be proved.
    package init(from: UInt64, to: UInt64) throws(MerkleLogError) {
        try MerkleProof.check(from: from, to: to)
        var ranges: [TreeRange] = []
        var range = TreeRange(start: 0, end: to)
        while range.end != from {
            let isLeft = from <= range.middle
            ranges.append(isLeft ? range.right : range.left)
            range = isLeft ? range.left : range.right
        }
        // The node that ends with the earlier tree; whoever checks the proof has it already where it is all of that.
        if range.start > 0 {
            ranges.append(range)
        }
        self.from = from
        self.to = to
        plan = HashPlan(ranges.reversed(), in: to)
    }

    /// The tiles that are needed, as wide as they are in a tree of ``to`` leaves.
    package var tiles: Set<Tile> { plan.tiles }

    /// Computes the proof, from the lowest hash upwards; throws where a tile is missing or too short.
    package func proof(_ tile: (Tile) -> [MerkleHash]?) throws(MerkleLogError) -> [MerkleHash] {
        try plan.hashes(tile)
    }

    /// Computes the proof, from the lowest hash upwards; throws where a tile is missing or too short.
    package func proof(_ tiles: [Tile: [MerkleHash]]) throws(MerkleLogError) -> [MerkleHash] {
        try plan.hashes { tiles[$0] }
    }
}
