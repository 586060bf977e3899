/// What the sizes of trees are held to.
package enum MerkleTree {
    /// The most leaves of a tree: 2^63.
    package static let maximumSize: UInt64 = 1 << 63

    /// Refuses a size that no tree has.
    static func check(_ size: UInt64) throws(MerkleLogError) {
        guard size <= maximumSize else {
            throw MerkleLogError(.sizeOutOfRange, "A tree has at most 2^63 leaves, not \(size).")
        }
    }
}
