extension Tile {
    /// Every tile of a tree of some size, level by level from the leaves; a level's partial tile is its last.
    package static func all(size: UInt64) -> TileSequence { TileSequence(size: size) }
}

/// Every tile of a tree, made one by one.
package struct TileSequence: Sequence, IteratorProtocol, Sendable {
    private let size: UInt64
    private var level = 0
    private var index: UInt64 = 0

    init(size: UInt64) { self.size = size }

    package mutating func next() -> Tile? {
        while level <= Tile.maximumLevel {
            if let tile = Tile(level: level, index: index, in: size) {
                index += 1
                return tile
            }
            level += 1
            index = 0
        }
        return nil
    }
}
