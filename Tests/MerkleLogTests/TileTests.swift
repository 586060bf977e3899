import MerkleLog
import TestSupport
import Testing

@Suite("Tiles")
struct TileTests {
    @Test(
        "a tile's path is that of C2SP tlog-tiles, and is read back",
        arguments: [
            (Tile(level: 0, index: 0, width: 256), "tile/0/000"),
            (Tile(level: 7, index: 0, width: 128), "tile/7/000.p/128"),
            (Tile(level: 1, index: 5, width: 17), "tile/1/005.p/17"),
            (Tile(level: 0, index: 999, width: 1), "tile/0/999.p/1"),
            (Tile(level: 0, index: 1_000, width: 256), "tile/0/x001/000"),
            (Tile(level: 2, index: 1_234_067, width: 256), "tile/2/x001/x234/067"),
            (Tile(level: 2, index: 1_234_067, width: 255), "tile/2/x001/x234/067.p/255"),
            (
                Tile(level: 0, index: (1 << 55) - 1, width: 256), "tile/0/x036/x028/x797/x018/x963/967"
            ),
        ]
    )
    func paths(tile: Tile, path: String) {
        #expect(tile.path == path)
        #expect(Tile(path: path) == tile)
    }

    @Test(
        "what is not exactly a path is refused",
        arguments: [
            "", "tile", "tile/0", "tile/0/", "/tile/0/000", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000",
            "tile/+0/000", "tile/-1/000", "tile/8/000", "tile/63/000", "tile/0/x000/000", "tile/0/001/000",
            "tile/0/x001", "tile/0/x001/x002", "tile/0/xx01/002", "tile/0/001.p", "tile/0/001.p/", "tile/0/001.p/0",
            "tile/0/001.p/256", "tile/0/001.p/257", "tile/0/001.p/01", "tile/0/001.p/+1", "tile/0/001.p/-1",
            "tile/0/001.p/1/", "tile/0/001/1", "tile/0/x001.p/1", "tile/0/001.p/1.p/1", "tile/0/000\n", "tile/0/000 ",
            "tile/entries/000", "tile/0/x036/x028/x797/x018/x963/968", "tile/0/x018/x446/x744/x073/x709/x551/615",
            "tile/0/x018/x446/x744/x073/x709/x551/616", "tile/0/x999/x999/x999/x999/x999/x999/x999/999", "tile/7/001",
            "tile/7/000", "tile/7/000.p/129", "tile/6/128", "Tile/0/000", "tile/0/٠٠٠", "tile/0/000.P/1",
            "tile/0/\u{212A}00", "tile/99999999999999999999/000", "tile/0/000.p/99999999999999999999",
        ]
    )
    func refusedPaths(path: String) {
        #expect(Tile(path: path) == nil)
    }

    @Test("entries lie in bundles of the same form")
    func bundles() {
        #expect(Tile.bundlePath(index: 0, width: 256) == "tile/entries/000")
        #expect(Tile.bundlePath(index: 1_234, width: 5) == "tile/entries/x001/234.p/5")
    }

    @Test(
        "the tiles of a tree are those of the definition, level by level",
        arguments: [0, 1, 255, 256, 257, 600, 70_000]
    )
    func all(size: Int) throws {
        let tiles = Array(Tile.all(size: UInt64(size)))
        var expected: [Tile] = []
        var (rest, level) = (size, 0)
        while rest > 0 {
            for index in 0..<(rest / 256) {
                expected.append(Tile(level: level, index: UInt64(index), width: 256))
            }
            if rest % 256 > 0 {
                expected.append(Tile(level: level, index: UInt64(rest / 256), width: rest % 256))
            }
            (rest, level) = (rest / 256, level + 1)
        }
        #expect(tiles == expected)
        for tile in tiles {
            #expect(Tile(level: tile.level, index: tile.index, in: UInt64(size)) == tile)
            if !tile.isFull {
                #expect(Tile(level: tile.level, index: tile.index + 1, in: UInt64(size)) == nil)
            }
        }
    }

    @Test("the example of the specification: a tree of 70,000 leaves")
    func specification() {
        let tiles = Array(Tile.all(size: 70_000))
        #expect(tiles.count(where: { $0.level == 0 && $0.isFull }) == 273)
        #expect(
            tiles.filter { !$0.isFull || $0.level > 0 } == [
                Tile(level: 0, index: 273, width: 112), Tile(level: 1, index: 0, width: 256),
                Tile(level: 1, index: 1, width: 17), Tile(level: 2, index: 0, width: 1),
            ]
        )
    }

    @Test("the largest trees have tiles too", arguments: [MerkleTree.maximumSize - 1, MerkleTree.maximumSize, .max])
    func largest(size: UInt64) {
        #expect(Array(Tile.all(size: size).prefix(3)).map(\.index) == [0, 1, 2])
        #expect(Tile(level: 7, index: 0, in: size)?.width == Int(size >> 56))
        #expect(Tile(level: 0, index: size >> 8, in: size)?.width == (size & 0xff == 0 ? nil : 255))
        #expect(Tile(level: 0, index: .max, in: size) == nil)
        for level in [-1, 8, .min, .max] {
            #expect(Tile(level: level, index: 0, in: size) == nil)
        }
    }

    @Test("parts that no tile has are harmless")
    func nonsense() {
        for tile in [
            Tile(level: -1, index: .max, width: -1), Tile(level: .max, index: .max, width: .max),
            Tile(level: .min, index: 0, width: .min), Tile(level: 0, index: 0, width: 0),
        ] {
            #expect(Tile(path: tile.path) == nil)
            #expect(!tile.isFull)
        }
    }

    @Test("paths of random tiles are read back, and never those of others")
    func random() {
        var random = SeededGenerator.random()
        for _ in 0..<2_000 {
            let any = UInt64.random(in: 1...MerkleTree.maximumSize, using: &random)
            let size = any >> UInt64.random(in: 0..<63, using: &random)
            let level = Int.random(in: 0...7, using: &random)
            let last = size >> (8 * UInt64(level + 1))
            let index = UInt64.random(in: 0...last, using: &random)
            guard let tile = Tile(level: level, index: index, in: size) else { continue }
            #expect(Tile(path: tile.path) == tile, "\(tile)")
        }
    }
}
