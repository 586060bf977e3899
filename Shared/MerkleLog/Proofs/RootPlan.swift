/// What the root of a tree, or of what it was at a smaller size, needs.
///
/// The caller reads the tiles that it names, from wherever they are, and hands them back.
package struct RootPlan: Sendable, Hashable {
    package let size: UInt64
    private let plan: HashPlan

    /// Plans the root of the first `size` leaves from the tiles of a tree of `whole` leaves; throws where it has fewer.
    package init(size: UInt64, in whole: UInt64) throws(MerkleLogError) {
        try MerkleTree.check(whole)
        guard size <= whole else {
            throw MerkleLogError(.sizeOutOfRange, "A tree of \(whole) leaves has no part of \(size).")
        }
        self.size = size
        plan = HashPlan([TreeRange(start: 0, end: size)], in: whole)
    }

    /// The tiles that are needed, as wide as they are in the whole tree.
    package var tiles: Set<Tile> { plan.tiles }

    /// Computes the root; throws where a tile is missing or too short.
    package func root(_ tile: (Tile) -> [MerkleHash]?) throws(MerkleLogError) -> MerkleHash {
        try plan.hashes(tile).first ?? .empty
    }

    /// Computes the root; throws where a tile is missing or too short.
    package func root(_ tiles: [Tile: [MerkleHash]]) throws(MerkleLogError) -> MerkleHash {
        try root { tiles[$0] }
    }
}
