/// A complete subtree: at level h and index i it covers the leaves from i × 2^h up to, not including, (i + 1) × 2^h.
package struct Subtree: Sendable, Hashable {
    /// The height over the leaves, from 0 to 63.
    package let level: Int

    /// The position among the subtrees of that level, from the left.
    package let index: UInt64

    package init(level: Int, index: UInt64) {
        self.level = level
        self.index = index
    }
}
