import MerkleLog

/// The tiles of a tree in the order of the bytes of their paths, which is not that of their indexes.
///
/// `x001/234` comes before `x001/x234/067`, and that before `x002/000`. They are made one by one, since a checkpoint
/// may speak of more of them than could ever be listed.
enum TilePathOrder {
    /// The first tile of a tree that meets a condition; all that come before it were asked for.
    static func first(size: UInt64, where matches: (Tile) -> Bool) -> Tile? {
        for level in 0...Tile.maximumLevel {
            let hashes = size >> UInt64(Tile.height * level)
            guard hashes > 0 else { return nil }
            let last = (hashes - 1) / UInt64(Tile.fullWidth)
            var found: Tile?
            _ = firstIndex(below: 0, last: last) { index in
                guard let tile = Tile(level: level, index: index, in: size), matches(tile) else { return false }
                found = tile
                return true
            }
            if let found { return found }
        }
        return nil
    }

    /// The first index that matches, of those whose digits go on from a prefix; 0 is no digits at all.
    private static func firstIndex(below prefix: UInt64, last: UInt64, where matches: (UInt64) -> Bool) -> UInt64? {
        for digits in 0..<1_000 {
            let index = prefix * 1_000 + UInt64(digits)
            guard index <= last else { return nil }
            if matches(index) { return index }
        }
        // Longer paths follow, as a digit comes before an x; no index has a leading group of zeros.
        for digits in (prefix == 0 ? 1 : 0)..<1_000 {
            let longer = prefix * 1_000 + UInt64(digits)
            guard longer <= last / 1_000 else { return nil }
            if let found = firstIndex(below: longer, last: last, where: matches) { return found }
        }
        return nil
    }
}
