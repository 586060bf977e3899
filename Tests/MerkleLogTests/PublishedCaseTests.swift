import JSON
import MerkleLog
import Testing

@Suite("Merkle trees: reference values of RFC 6962")
struct MerkleReferenceTests {
    private let cases: JSONView
    private let leaves: [MerkleHash]

    init() throws {
        cases = try CaseFiles.document("rfc6962_reference.json")
        leaves = try #require(cases["leaves_hex"]).elements.map { MerkleHash.leaf(Hex.bytes($0.stringValue ?? "")) }
    }

    @Test("single hashes")
    func hasher() throws {
        for row in try #require(cases["hasher"]).elements {
            let expected = try row.text("out")
            if try row.text("op") == "leaf" {
                #expect(try MerkleHash.leaf(row.text("in_utf8").utf8).hex == expected)
            } else {
                // These nodes are over texts that are no hashes, so that only the prefix and the order are seen.
                let bytes = try [1] + row.text("l_utf8").utf8 + row.text("r_utf8").utf8
                #expect(ReferenceTree.hash(bytes).hex == expected)
            }
        }
    }

    @Test("roots of sizes 0 to 8")
    func roots() throws {
        let roots = try cases.hashes("roots_hex_by_size")
        #expect(roots.count == 9 && leaves.count == 8)
        for (size, root) in roots.enumerated() {
            var edge = TreeEdge()
            #expect(edge.append(contentsOf: leaves.prefix(size)).isEmpty)
            #expect(edge.root == root, "\(size)")
            #expect(ReferenceTree(leaves).root(size) == root, "The reference of these tests is wrong at \(size).")
        }
    }

    @Test("inclusion proofs")
    func inclusion() throws {
        let rows = Array(try #require(cases["inclusion"]).elements)
        #expect(rows.count == 36)
        for row in rows {
            let (index, size) = try (row.number("leaf_index"), row.number("tree_size"))
            let proof = try row.hashes("proof")
            let plan = try InclusionPlan(index: index, size: size)
            let tile = Tile(level: 0, index: 0, width: Int(size))
            #expect(try plan.proof([tile: Array(leaves.prefix(Int(size)))]) == proof)
            try MerkleProof.verifyInclusion(
                of: row.hash("leaf_hash"),
                index: index,
                size: size,
                proof: proof,
                root: row.hash("root")
            )
        }
    }

    @Test("consistency proofs")
    func consistency() throws {
        let rows = Array(try #require(cases["consistency"]).elements)
        #expect(rows.count == 36)
        for row in rows {
            let (from, to) = try (row.number("size1"), row.number("size2"))
            let proof = try row.hashes("proof")
            let tile = Tile(level: 0, index: 0, width: Int(to))
            #expect(try ConsistencyPlan(from: from, to: to).proof([tile: Array(leaves.prefix(Int(to)))]) == proof)
            try MerkleProof.verifyConsistency(
                from: from,
                root: row.hash("root1"),
                to: to,
                root: row.hash("root2"),
                proof: proof
            )
        }
    }
}

@Suite(
    "Merkle trees: published proofs",
    .enabled(if: PublishedProofs.folder != nil, "BATUTA_CASES is unset: the proofs are not here.")
)
struct MerklePublishedProofTests {
    @Test("inclusion proofs hold or are refused as published")
    func inclusion() throws {
        var verdicts: Set<Bool> = []
        for (path, row) in try PublishedProofs.cases("inclusion") {
            let isRefused = try row.flag("wantErr")
            let hashes = try (
                leaf: MerkleHash(base64: row.text("leafHash")), root: MerkleHash(base64: row.text("root"))
            )
            let (index, size) = try (row.number("leafIdx"), row.number("treeSize"))
            var held = false
            if let leaf = hashes.leaf, let root = hashes.root, let proof = try row.base64Hashes("proof") {
                held = holds { () throws(MerkleLogError) in
                    try MerkleProof.verifyInclusion(of: leaf, index: index, size: size, proof: proof, root: root)
                }
            }
            #expect(held != isRefused, "\(path)")
            verdicts.insert(held)
        }
        #expect(verdicts == [true, false])
    }

    @Test("consistency proofs hold or are refused as published")
    func consistency() throws {
        var verdicts: Set<Bool> = []
        for (path, row) in try PublishedProofs.cases("consistency") {
            let isRefused = try row.flag("wantErr")
            let roots = try (from: MerkleHash(base64: row.text("root1")), to: MerkleHash(base64: row.text("root2")))
            let (from, to) = try (row.number("size1"), row.number("size2"))
            var held = false
            if let first = roots.from, let second = roots.to, let proof = try row.base64Hashes("proof") {
                held = holds { () throws(MerkleLogError) in
                    try MerkleProof.verifyConsistency(from: from, root: first, to: to, root: second, proof: proof)
                }
            }
            #expect(held != isRefused, "\(path)")
            verdicts.insert(held)
        }
        #expect(verdicts == [true, false])
    }
}
