extension Tile {
    /// The path that C2SP tlog-tiles gives the tile, such as `tile/0/x001/x234/067` or `tile/1/000.p/17`.
    package var path: String { "tile/\(level)/\(Self.path(index: index, width: width))" }

    /// The path of the entries below a tile of level 0, such as `tile/entries/x001/234.p/5`.
    package static func bundlePath(index: UInt64, width: Int) -> String {
        "tile/entries/\(path(index: index, width: width))"
    }

    /// Reads a tile's path; nil for anything that is not exactly the path of a tile of a tree.
    package init?(path: String) {
        guard path.utf8.count <= Self.longestPath else { return nil }
        var parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 3, let level = Int(parts[1]) else { return nil }
        var width = Self.fullWidth
        if parts.count >= 4, parts[parts.count - 2].hasSuffix(".p") {
            guard let partial = Int(parts.removeLast()) else { return nil }
            width = partial
            parts[parts.count - 1].removeLast(2)
        }
        let digits = parts.dropFirst(2).map { $0.hasPrefix("x") ? $0.dropFirst() : $0 }.joined()
        guard let index = UInt64(digits) else { return nil }
        let tile = Tile(level: level, index: index, width: width)
        // What is printed again in the same way was written in the one right way.
        guard tile.isInsideLargestTree, tile.path.utf8.elementsEqual(path.utf8) else { return nil }
        self = tile
    }

    /// Whether a tree of 2^63 leaves has all the hashes of the tile.
    private var isInsideLargestTree: Bool {
        guard let largest = Tile(level: level, index: index, in: MerkleTree.maximumSize) else { return false }
        return (1...largest.width).contains(width)
    }

    /// More bytes than any path has: seven groups of three digits and what stands around them.
    private static let longestPath = 64

    private static func path(index: UInt64, width: Int) -> String {
        var path = group(index % 1_000)
        var rest = index / 1_000
        while rest > 0 {
            path = "x\(group(rest % 1_000))/\(path)"
            rest /= 1_000
        }
        return width == fullWidth ? path : "\(path).p/\(width)"
    }

    private static func group(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 3 - digits.utf8.count)) + digits
    }
}
