import MerkleLog
import TestSupport
import Testing

/// Trees whose left parts nobody has ever seen: their hashes are random, and stand for up to 2^62 leaves each.
@Suite("Trees of up to 2^63 leaves")
struct LargeTreeTests {
    @Test("leaves are appended to trees of any size, and proofs about the edge hold")
    func growth() throws {
        var random = SeededGenerator.random()
        for shift in 1..<57 {
            // Many sizes lie just before a carry over several levels of tiles.
            let top = (MerkleTree.maximumSize >> UInt64(shift)) - 20
            let size = Bool.random(using: &random) ? top : UInt64.random(in: 1...top, using: &random)
            try expectGrowth(from: size, by: 25, using: &random)
        }
    }

    private func expectGrowth(from size: UInt64, by count: Int, using random: inout SeededGenerator) throws {
        let partials = TreeEdge.widths(size: size).map { width in (0..<width).map { _ in hash(using: &random) } }
        var edge = try #require(TreeEdge(size: size, partials: partials))
        let leaves = (0..<count).map { _ in hash(using: &random) }
        let first = edge.root
        #expect(first == root(size, partials))
        let filled = edge.append(contentsOf: leaves.dropLast(5)) + edge.append(contentsOf: leaves.suffix(5))
        #expect(edge.size == size + UInt64(count))

        // The tiles at the edge, before and after, are all that these proofs can need.
        let full = Dictionary(filled.map { ($0.tile, $0.hashes) }) { first, _ in first }
        var tiles = full
        for (tile, hashes) in zip(TreeEdge.partialTiles(size: edge.size), edge.partials.filter { !$0.isEmpty }) {
            tiles[tile] = hashes
        }
        let plan = try ConsistencyPlan(from: size, to: edge.size)
        let proof = try plan.proof(tiles)
        try MerkleProof.verifyConsistency(from: size, root: first, to: edge.size, root: edge.root, proof: proof)
        let roots = ReferenceProof.roots(from: size, to: edge.size, earlier: first, proof: proof)
        #expect(roots?.earlier == first && roots?.later == edge.root)
        #expect(try RootPlan(size: size, in: edge.size).root(tiles) == first)
        for (offset, leaf) in leaves.enumerated() {
            let index = size + UInt64(offset)
            let proof = try InclusionPlan(index: index, size: edge.size).proof(tiles)
            try MerkleProof.verifyInclusion(of: leaf, index: index, size: edge.size, proof: proof, root: edge.root)
            #expect(ReferenceProof.root(of: leaf, index: index, size: edge.size, proof: proof) == edge.root)
        }
    }

    /// The root of a tree from its partial tiles, as RFC 6962 splits it.
    private func root(_ size: UInt64, _ partials: [[MerkleHash]]) -> MerkleHash {
        var roots: [MerkleHash] = []
        for hashes in partials.reversed() {
            var rest = hashes[...]
            while !rest.isEmpty {
                let complete = 1 << (Int.bitWidth - 1 - rest.count.leadingZeroBitCount)
                roots.append(ReferenceTree(Array(rest.prefix(complete))).root(complete))
                rest = rest.dropFirst(complete)
            }
        }
        guard let last = roots.last else { return ReferenceTree.hash([]) }
        return roots.dropLast().reversed().reduce(last) { ReferenceTree.node($1, $0) }
    }

    private func hash(using random: inout SeededGenerator) -> MerkleHash {
        MerkleHash((0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }) ?? .empty
    }

    @Test("the tree of exactly 2^63 leaves is planned, and not one leaf more")
    func maximum() throws {
        let size = MerkleTree.maximumSize
        let hash = MerkleHash.leaf([1])
        let tile = { (tile: Tile) in [MerkleHash](repeating: hash, count: tile.width) }
        #expect(try InclusionPlan(index: 0, size: size).proof(tile).count == 63)
        #expect(try InclusionPlan(index: size - 1, size: size).proof(tile).count == 63)
        #expect(try ConsistencyPlan(from: 1, to: size).proof(tile).count == 63)
        #expect(try ConsistencyPlan(from: size - 1, to: size).proof(tile).count == 64)
        #expect(try ConsistencyPlan(from: size / 2, to: size).proof(tile).count == 1)
        #expect(try ConsistencyPlan(from: size, to: size).proof(tile).isEmpty)
        #expect(try RootPlan(size: size, in: size).tiles == [Tile(level: 7, index: 0, width: 128)])
        #expect(try RootPlan(size: size - 1, in: size).tiles.count == 8)
        let partials = TreeEdge.widths(size: size).map { [MerkleHash](repeating: hash, count: $0) }
        let edge = try #require(TreeEdge(size: size, partials: partials))
        #expect(try RootPlan(size: size, in: size).root(tile) == edge.root)
    }
}
