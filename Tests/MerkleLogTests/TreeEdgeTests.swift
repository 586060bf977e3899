import MerkleLog
import TestSupport
import Testing

@Suite("The edge of a growing tree")
struct TreeEdgeTests {
    @Test("roots, partial tiles and full tiles are those of the definition, at every size to 600")
    func everySize() {
        let tree = ReferenceTree(count: 600)
        let everything = tree.tiles(600)
        var edge = TreeEdge()
        var filled: [FilledTile] = []
        for size in 0...600 {
            #expect(edge.size == UInt64(size))
            #expect(edge.root == tree.root(size), "\(size)")
            let partials = TreeEdge.partialTiles(size: UInt64(size))
            let expected = tree.tiles(size).filter { !$0.key.isFull }
            #expect(Dictionary(zip(partials, edge.partials.filter { !$0.isEmpty })) { first, _ in first } == expected)
            #expect(edge.partials.map(\.count) == TreeEdge.widths(size: UInt64(size)))
            #expect(TreeEdge(size: edge.size, partials: edge.partials) == edge)
            guard size < 600 else { break }
            let new = edge.append(tree.leaves[size])
            #expect(new.count == (size % 256 == 255 ? 1 : 0))
            filled += new
        }
        #expect(filled.map(\.tile) == [Tile(level: 0, index: 0, width: 256), Tile(level: 0, index: 1, width: 256)])
        for tile in filled {
            #expect(tile.hashes == everything[tile.tile])
            #expect(tile.root == tree.hash(Int(tile.tile.index) * 256..<Int(tile.tile.index + 1) * 256))
        }
    }

    @Test("a tree of three levels of tiles, taken up in the middle of it")
    func threeLevels() throws {
        var random = SeededGenerator.random()
        let size = Int.random(in: 65_537...70_000, using: &random)
        let tree = ReferenceTree(count: size)
        var edge = TreeEdge()
        var filled: [FilledTile] = []
        var start = 0
        while start < size {
            let end = min(size, start + Int.random(in: 0...9_000, using: &random))
            filled += edge.append(contentsOf: tree.leaves[start..<end])
            edge = try #require(TreeEdge(size: UInt64(end), partials: edge.partials))
            start = end
        }
        #expect(edge.root == tree.root(size))
        let expected = tree.tiles(size)
        var found: [Tile: [MerkleHash]] = [:]
        for tile in filled {
            #expect(found.updateValue(tile.hashes, forKey: tile.tile) == nil)
        }
        for (tile, hashes) in zip(TreeEdge.partialTiles(size: UInt64(size)), edge.partials.filter { !$0.isEmpty }) {
            found[tile] = hashes
        }
        #expect(found == expected)
        // The leaf that fills a tile of level 0 may fill those above it: the lowest comes first.
        let top = try #require(filled.firstIndex { $0.tile.level == 1 })
        #expect(filled[top - 1].tile == Tile(level: 0, index: 255, width: 256))
        #expect(filled[top - 1].root == filled[top].hashes.last)
        #expect(filled[top].root == tree.root(65_536))
    }

    @Test(
        "roots that another program has computed, of trees of decimal numbers",
        arguments: [
            (255, "32f85bcaa87d7bcd05728f09e9aeba350ba6a2f733830087f0597682848be5cb"),
            (256, "828515d033c19d8c901f37eccb8aed919667703486f8d2fff1cf7040321c5db1"),
            (257, "1eda049a4351d86f76252bd7ec0b7746ad75b7fa0316ad5f541dbda458a312c4"),
            (65_536, "f025d06ed804859fd274a1bdacadd6e48ea87634aa91e1edb20143f9498cd02b"),
            (65_537, "dc8795a25fd4bd52a0b84f639fd3139ba160824023d188e428eb5db0f3ce221a"),
            (70_000, "1a4cdfcb66374a0c0dcbef49acbd4976d13ee864fb3cb241fc943cad04f02f7e"),
        ]
    )
    func otherProgram(size: Int, root: String) {
        var edge = TreeEdge()
        let filled = edge.append(contentsOf: (0..<size).lazy.map { MerkleHash.leaf(String($0).utf8) })
        #expect(edge.root.hex == root)
        #expect(filled.count == size / 256 + size / 65_536)
    }

    @Test("partial tiles that are not those of the size are refused")
    func refused() {
        let hashes = ReferenceTree(count: 256).leaves
        let one = [hashes[0]]
        #expect(TreeEdge(size: 0, partials: []) == TreeEdge())
        #expect(TreeEdge(size: 256, partials: [[], one]) != nil)
        let refused: [(UInt64, [[MerkleHash]])] = [
            (0, [[]]), (0, [one]), (1, []), (1, [[]]), (1, [one, []]), (1, [one, one]), (2, [one]), (256, [hashes]),
            (256, [[], one, []]), (256, [one, one]), (256, []), (257, [[], one]), (257, [one]), (512, [[], one]),
            (
                MerkleTree.maximumSize + 1,
                TreeEdge.widths(size: MerkleTree.maximumSize + 1).map { Array(hashes.prefix($0)) }
            ),
            (.max, TreeEdge.widths(size: .max).map { Array(hashes.prefix($0)) }),
        ]
        for (size, partials) in refused {
            #expect(TreeEdge(size: size, partials: partials) == nil, "\(size), \(partials.map(\.count))")
        }
    }
}
