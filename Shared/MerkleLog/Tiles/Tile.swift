/// A tile of C2SP tlog-tiles, of height 8: up to 256 consecutive hashes of one level of a tree.
///
/// A hash of level L covers 256^L leaves, and is the root of a full tile of level L − 1 where L is not 0. The parts are
/// not checked: a tile that no tree has is one that nobody finds.
package struct Tile: Sendable, Hashable {
    /// The number of hashes of a full tile.
    package static let fullWidth = 256

    /// How many levels of a tree one level of tiles spans.
    package static let height = 8

    /// The highest level that a tree of 2^63 leaves has tiles of.
    package static let maximumLevel = 7

    /// The level, from 0, which holds the hashes of leaves, to 7.
    package let level: Int

    /// The position among the tiles of that level, from the left.
    package let index: UInt64

    /// The number of hashes, from 1 to 256.
    package let width: Int

    package init(level: Int, index: UInt64, width: Int) {
        self.level = level
        self.index = index
        self.width = width
    }

    /// The tile at a level and an index in a tree of some size, partial at the right edge; nil where it has none.
    package init?(level: Int, index: UInt64, in size: UInt64) {
        guard (0...Self.maximumLevel).contains(level) else { return nil }
        let hashes = size >> (UInt64(Self.height * level))
        let full = hashes >> UInt64(Self.height)
        let rest = Int(hashes & 0xff)
        guard index < full || (index == full && rest > 0) else { return nil }
        self.init(level: level, index: index, width: index < full ? Self.fullWidth : rest)
    }

    /// Whether the tile has all its hashes, so that it will never change.
    package var isFull: Bool { width == Self.fullWidth }
}
