import MerkleLog
import TestSupport
import Testing

/// Proofs that somebody has changed hold exactly where the definition, read backwards, leads to the same roots.
@Suite("Changed proofs")
struct ProofMutationTests {
    private let tree = ReferenceTree(count: 300)

    @Test("an inclusion proof with anything changed is refused")
    func inclusion() throws {
        var random = SeededGenerator.random()
        for _ in 0..<150 {
            let size = Int.random(in: 1...300, using: &random)
            let index = Int.random(in: 0..<size, using: &random)
            let proof = tree.path(index, 0..<size)
            let claim = Inclusion(
                index: UInt64(index),
                size: UInt64(size),
                leaf: tree.leaves[index],
                root: tree.root(size)
            )
            #expect(claim.holds(proof))
            for changed in changed(proof, using: &random) where changed != proof {
                #expect(!claim.holds(changed), "leaf \(index) of \(size)")
            }
            #expect(!claim.with(\.leaf, flipped(claim.leaf, using: &random)).holds(proof))
            #expect(!claim.with(\.root, flipped(claim.root, using: &random)).holds(proof))
            #expect(!claim.with(\.index, claim.index + 1).holds(proof))
            #expect(!claim.with(\.index, claim.index &- 1).holds(proof))
            // Another size may have a node at the same place: then the path, and what it proves, is the same.
            for other in [claim.size + 1, claim.size - 1, claim.size * 2, 0, .max] {
                let root =
                    other <= 1_000
                    ? ReferenceProof.root(of: claim.leaf, index: claim.index, size: other, proof: proof) : nil
                #expect(
                    claim.with(\.size, other).holds(proof) == (root == claim.root),
                    "leaf \(index) of \(size), \(other)"
                )
            }
        }
    }

    @Test("a consistency proof with anything changed is refused")
    func consistency() throws {
        var random = SeededGenerator.random()
        for _ in 0..<150 {
            let to = Int.random(in: 1...300, using: &random)
            let from = Int.random(in: 1...to, using: &random)
            let proof = tree.consistency(from, to)
            let claim = Consistency(from: UInt64(from), to: UInt64(to), first: tree.root(from), second: tree.root(to))
            #expect(claim.holds(proof))
            for changed in changed(proof, using: &random) where changed != proof {
                #expect(!claim.holds(changed), "\(from) to \(to)")
            }
            #expect(!claim.with(\.first, flipped(claim.first, using: &random)).holds(proof))
            #expect(!claim.with(\.second, flipped(claim.second, using: &random)).holds(proof))
            #expect(from == to || !claim.with(\.first, claim.second).with(\.second, claim.first).holds(proof))
            for (path, size) in [
                (\Consistency.from, claim.from + 1), (\.from, claim.from - 1), (\.to, claim.to + 1),
                (\.to, claim.to - 1),
                (\.from, 0), (\.to, 0), (\.to, .max), (\.from, .max),
            ] {
                let other = claim.with(path, size)
                #expect(other.holds(proof) == other.isTrue(proof), "\(from) to \(to), \(size)")
            }
        }
    }

    @Test("proofs of random hashes for random sizes are refused, and nothing traps")
    func nonsense() {
        var random = SeededGenerator.random()
        let edges: [UInt64] = [0, 1, 2, MerkleTree.maximumSize - 1, MerkleTree.maximumSize, .max - 1, .max]
        for _ in 0..<1_000 {
            let sizes = (0..<2).map { _ in
                let any = UInt64.random(in: .min ... .max, using: &random) >> UInt64.random(in: 0..<64, using: &random)
                return Bool.random(using: &random) ? any : edges.randomElement(using: &random) ?? 0
            }
            let proof = Array(tree.leaves.prefix(Int.random(in: 0...70, using: &random)))
            let claim = Inclusion(index: sizes[0], size: sizes[1], leaf: tree.leaves[7], root: .empty)
            #expect(!claim.holds(proof))
            let other = Consistency(from: sizes[0], to: sizes[1], first: tree.leaves[8], second: tree.leaves[9])
            #expect(!other.holds(proof))
        }
    }

    @Test("what the empty tree and equal trees prove")
    func edges() {
        let one = tree.leaves[0]
        let two = tree.leaves[1]
        expectRefusal(.rootMismatch) { () throws(MerkleLogError) in try verify(0, one, 0, one, []) }
        expectRefusal(.rootMismatch) { () throws(MerkleLogError) in try verify(5, one, 5, two, []) }
        expectRefusal(.wrongProofLength) { () throws(MerkleLogError) in try verify(5, one, 5, one, [two]) }
        expectRefusal(.emptyTree) { () throws(MerkleLogError) in try verify(0, .empty, 5, one, []) }
        expectRefusal(.sizeOutOfRange) { () throws(MerkleLogError) in try verify(6, one, 5, one, []) }
        expectRefusal(.wrongProofLength) { () throws(MerkleLogError) in try verify(4, one, 5, one, []) }
        expectRefusal(.wrongProofLength) { () throws(MerkleLogError) in try verify(3, one, 5, one, []) }
        #expect(holds { () throws(MerkleLogError) in try verify(0, .empty, 0, .empty, []) })
        #expect(holds { () throws(MerkleLogError) in try verify(5, one, 5, one, []) })
        expectRefusal(.indexOutOfRange) { () throws(MerkleLogError) in
            try MerkleProof.verifyInclusion(of: one, index: 0, size: 0, proof: [], root: .empty)
        }
        for size in [MerkleTree.maximumSize + 1, .max] {
            expectRefusal(.sizeOutOfRange) { () throws(MerkleLogError) in
                try MerkleProof.verifyInclusion(of: one, index: 0, size: size, proof: [], root: one)
            }
            expectRefusal(.sizeOutOfRange) { () throws(MerkleLogError) in try verify(size, one, size, one, []) }
            expectRefusal(.sizeOutOfRange) { () throws(MerkleLogError) in try verify(1, one, size, one, []) }
        }
        expectRefusal(.wrongProofLength) { () throws(MerkleLogError) in
            try MerkleProof.verifyInclusion(of: one, index: 0, size: 1, proof: [two], root: one)
        }
        expectRefusal(.rootMismatch) { () throws(MerkleLogError) in
            try MerkleProof.verifyInclusion(of: one, index: 0, size: 1, proof: [], root: two)
        }
    }

    private func verify(
        _ from: UInt64,
        _ first: MerkleHash,
        _ to: UInt64,
        _ second: MerkleHash,
        _ proof: [MerkleHash]
    ) throws(MerkleLogError) {
        try MerkleProof.verifyConsistency(from: from, root: first, to: to, root: second, proof: proof)
    }

    /// A proof with a bit flipped, a hash dropped, doubled or added anywhere, and two neighbours swapped.
    private func changed(_ proof: [MerkleHash], using random: inout SeededGenerator) -> [[MerkleHash]] {
        var changes = [proof + [.empty], [.empty] + proof, proof.reversed()]
        for index in proof.indices {
            var copy = proof
            copy[index] = flipped(copy[index], using: &random)
            changes.append(copy)
            copy = proof
            copy.remove(at: index)
            changes.append(copy)
            copy = proof
            copy.insert(copy[index], at: index)
            changes.append(copy)
            copy = proof
            copy.swapAt(index, (index + 1) % proof.count)
            changes.append(copy)
        }
        return changes
    }

    private func flipped(_ hash: MerkleHash, using random: inout SeededGenerator) -> MerkleHash {
        var bytes = hash.bytes
        bytes[Int.random(in: 0..<32, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        return MerkleHash(bytes) ?? .empty
    }
}

/// A value of which copies differ in one part.
private protocol Changeable {}

extension Changeable {
    fileprivate func with<Value>(_ path: WritableKeyPath<Self, Value>, _ value: Value) -> Self {
        var copy = self
        copy[keyPath: path] = value
        return copy
    }
}

/// That a leaf is in a tree.
private struct Inclusion: Changeable {
    var index: UInt64
    var size: UInt64
    var leaf: MerkleHash
    var root: MerkleHash

    func holds(_ proof: [MerkleHash]) -> Bool {
        MerkleLogTests.holds { () throws(MerkleLogError) in
            try MerkleProof.verifyInclusion(of: leaf, index: index, size: size, proof: proof, root: root)
        }
    }
}

/// That a tree continues an earlier one.
private struct Consistency: Changeable {
    var from: UInt64
    var to: UInt64
    var first: MerkleHash
    var second: MerkleHash

    func holds(_ proof: [MerkleHash]) -> Bool {
        MerkleLogTests.holds { () throws(MerkleLogError) in
            try MerkleProof.verifyConsistency(from: from, root: first, to: to, root: second, proof: proof)
        }
    }

    /// Whether the definition, read backwards, leads to both roots.
    func isTrue(_ proof: [MerkleHash]) -> Bool {
        guard to <= 1_000, let roots = ReferenceProof.roots(from: from, to: to, earlier: first, proof: proof) else {
            return false
        }
        return roots.earlier == first && roots.later == second
    }
}
