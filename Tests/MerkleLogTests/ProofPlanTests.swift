import MerkleLog
import TestSupport
import Testing

@Suite("Proofs from tiles")
struct ProofPlanTests {
    @Test("every proof of the trees of up to 70 leaves is that of the definition, and holds")
    func small() throws {
        let tree = ReferenceTree(count: 70)
        for size in 0...70 {
            let tiles = tree.tiles(size)
            for other in 0...size {
                try expectProofs(other, size, tree, tiles)
            }
        }
    }

    @Test("proofs of the trees of up to 600 leaves are those of the definition, and hold")
    func medium() throws {
        var random = SeededGenerator.random()
        let tree = ReferenceTree(count: 600)
        for size in 71...600 {
            let tiles = tree.tiles(size)
            let edges = [0, 1, 255, 256, 257, 511, 512, 513, size - 1, size].filter { $0 <= size }
            let picked = [edges.randomElement(using: &random) ?? 0, Int.random(in: 0...size, using: &random)]
            for other in picked {
                try expectProofs(other, size, tree, tiles)
            }
        }
    }

    @Test("proofs of a tree of three levels of tiles are those of the definition, and hold")
    func large() throws {
        var random = SeededGenerator.random()
        let whole = Int.random(in: 65_537...70_000, using: &random)
        let tree = ReferenceTree(count: whole)
        for size in [whole, 65_536, 65_537] {
            let tiles = tree.tiles(size)
            for other in [0, 1, 255, 256, 65_535, 65_536, size - 1, size, Int.random(in: 0...size, using: &random)] {
                try expectProofs(other, size, tree, tiles)
            }
        }
    }

    /// Expects the proofs about the leaf at an index, and about the tree that ends there, to be those of the definition.
    private func expectProofs(_ other: Int, _ size: Int, _ tree: ReferenceTree, _ tiles: [Tile: [MerkleHash]]) throws {
        let (small, large) = (UInt64(other), UInt64(size))
        if other < size {
            let plan = try InclusionPlan(index: small, size: large)
            let proof = try plan.proof(only(plan.tiles, of: tiles))
            #expect(proof == tree.path(other, 0..<size), "leaf \(other) of \(size)")
            let leaf = tree.leaves[other]
            let root = tree.root(size)
            try MerkleProof.verifyInclusion(of: leaf, index: small, size: large, proof: proof, root: root)
        }
        if other > 0 || size == 0 {
            let plan = try ConsistencyPlan(from: small, to: large)
            let proof = try plan.proof(only(plan.tiles, of: tiles))
            #expect(proof == tree.consistency(other, size), "\(other) to \(size)")
            let roots = (tree.root(other), tree.root(size))
            try MerkleProof.verifyConsistency(from: small, root: roots.0, to: large, root: roots.1, proof: proof)
        }
        let plan = try RootPlan(size: small, in: large)
        #expect(try plan.root(only(plan.tiles, of: tiles)) == tree.root(other), "\(other) in \(size)")
    }

    /// The tiles that a plan names, and no other; each has to be one of the tree.
    private func only(_ names: Set<Tile>, of tiles: [Tile: [MerkleHash]]) throws -> [Tile: [MerkleHash]] {
        var found: [Tile: [MerkleHash]] = [:]
        for name in names {
            let hashes = try #require(tiles[name], "\(name.path) is no tile of the tree.")
            found[name] = hashes
        }
        return found
    }

    @Test("a plan names no tile that it can do without, and asks for each once")
    func fewTiles() throws {
        #expect(try InclusionPlan(index: 0, size: 1).tiles.isEmpty)
        #expect(try ConsistencyPlan(from: 0, to: 0).tiles.isEmpty)
        #expect(try ConsistencyPlan(from: 300, to: 300).tiles.isEmpty)
        #expect(try RootPlan(size: 0, in: 300).tiles.isEmpty)
        #expect(try RootPlan(size: 65_536, in: 70_000).tiles == [Tile(level: 2, index: 0, width: 1)])
        #expect(
            try InclusionPlan(index: 69_999, size: 70_000).tiles == [
                Tile(level: 0, index: 273, width: 112), Tile(level: 1, index: 1, width: 17),
                Tile(level: 2, index: 0, width: 1),
            ]
        )
        #expect(
            try InclusionPlan(index: 0, size: 65_536).tiles
                == [Tile(level: 0, index: 0, width: 256), Tile(level: 1, index: 0, width: 256)]
        )
        let tree = ReferenceTree(count: 600)
        let tiles = tree.tiles(600)
        for plan in try [InclusionPlan(index: 300, size: 600), InclusionPlan(index: 599, size: 600)] {
            var asked: [Tile] = []
            _ = try plan.proof { tile in
                asked.append(tile)
                return tiles[tile]
            }
            #expect(asked.count == plan.tiles.count && Set(asked) == plan.tiles)
            for tile in plan.tiles {
                expectRefusal(.missingTile) { () throws(MerkleLogError) in
                    _ = try plan.proof { $0 == tile ? nil : tiles[$0] }
                }
                expectRefusal(.shortTile) { () throws(MerkleLogError) in
                    _ = try plan.proof { $0 == tile ? tiles[$0]?.dropLast() : tiles[$0] }
                }
            }
        }
    }

    @Test("tiles may have grown since they were named")
    func grownTiles() throws {
        let tree = ReferenceTree(count: 600)
        let tiles = tree.tiles(600)
        let grown = { (tile: Tile) in tiles.first { $0.key.level == tile.level && $0.key.index == tile.index }?.value }
        for size in [1, 100, 255, 257, 300, 513] {
            let whole = UInt64(size)
            #expect(try InclusionPlan(index: whole - 1, size: whole).proof(grown) == tree.path(size - 1, 0..<size))
            #expect(try ConsistencyPlan(from: 1, to: whole).proof(grown) == tree.consistency(1, size))
            #expect(try RootPlan(size: whole, in: whole).root(grown) == tree.root(size))
        }
    }

    @Test("what no tree can prove is refused")
    func refused() {
        let tooLarge = MerkleTree.maximumSize + 1
        for (index, size) in [(0, 0), (1, 1), (600, 600), (.max, 1), (.max, MerkleTree.maximumSize)]
            as [(UInt64, UInt64)]
        {
            expectRefusal(.indexOutOfRange) { () throws(MerkleLogError) in
                _ = try InclusionPlan(index: index, size: size)
            }
        }
        for size in [tooLarge, .max] {
            expectRefusal(.sizeOutOfRange) { () throws(MerkleLogError) in _ = try InclusionPlan(index: 0, size: size) }
            expectRefusal(.sizeOutOfRange) { () throws(MerkleLogError) in _ = try ConsistencyPlan(from: 1, to: size) }
            expectRefusal(.sizeOutOfRange) { () throws(MerkleLogError) in _ = try ConsistencyPlan(from: size, to: size)
            }
            expectRefusal(.sizeOutOfRange) { () throws(MerkleLogError) in _ = try RootPlan(size: 0, in: size) }
        }
        expectRefusal(.sizeOutOfRange) { () throws(MerkleLogError) in _ = try ConsistencyPlan(from: 2, to: 1) }
        expectRefusal(.sizeOutOfRange) { () throws(MerkleLogError) in _ = try ConsistencyPlan(from: .max, to: 1) }
        expectRefusal(.emptyTree) { () throws(MerkleLogError) in _ = try ConsistencyPlan(from: 0, to: 1) }
        expectRefusal(.sizeOutOfRange) { () throws(MerkleLogError) in _ = try RootPlan(size: 2, in: 1) }
        expectRefusal(.sizeOutOfRange) { () throws(MerkleLogError) in _ = try RootPlan(size: .max, in: 1) }
    }
}
