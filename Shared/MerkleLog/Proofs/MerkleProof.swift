/// The checks of proofs, by the algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2.
package enum MerkleProof {
    /// The most hashes of a proof about trees of up to 2^63 leaves.
    package static let maximumCount = 64

    /// Checks that the leaf at an index is in the tree of a size and a root; returns where it is, throws where not.
    package static func verifyInclusion(
        of leaf: MerkleHash,
        index: UInt64,
        size: UInt64,
        proof: [MerkleHash],
        root: MerkleHash
    ) throws(MerkleLogError) {
        try MerkleTree.check(size)
        guard index < size else {
            throw MerkleLogError(.indexOutOfRange, "A tree of \(size) leaves has none with the index \(index).")
        }
        var path = Path(index, last: size - 1)
        var hash = leaf
        for sibling in proof {
            hash = try path.climb() ? .node(sibling, hash) : .node(hash, sibling)
        }
        try path.expectTop()
        guard hash == root else {
            throw MerkleLogError(.rootMismatch, "The proof does not lead from the leaf to the tree's root.")
        }
    }

    /// Checks that a tree continues an earlier one, the `from` leaves of which were `earlier`; throws where it does not.
    ///
    /// Trees of one size are the same or not, and need no hashes. Nothing is proved from the tree without leaves.
    package static func verifyConsistency(
        from: UInt64,
        root earlier: MerkleHash,
        to: UInt64,
        root later: MerkleHash,
        proof: [MerkleHash]
    ) throws(MerkleLogError) {
        try check(from: from, to: to)
        guard from < to else { return try verifySame(earlier, later, size: from, proof: proof) }
        var rest = proof[...]
        // A complete earlier tree is a node of the later one, and stands for the proof's first hash.
        let start = from.nonzeroBitCount == 1 ? earlier : rest.popFirst()
        guard let start else { throw wrongLength }
        var path = Path(from - 1, last: to - 1)
        path.skipRight()
        var earlierHash = start
        var laterHash = start
        for sibling in rest {
            if try path.climb() {
                earlierHash = .node(sibling, earlierHash)
                laterHash = .node(sibling, laterHash)
            } else {
                laterHash = .node(laterHash, sibling)
            }
        }
        try path.expectTop()
        guard earlierHash == earlier else {
            throw MerkleLogError(.rootMismatch, "The proof does not lead to the root of the earlier tree.")
        }
        guard laterHash == later else {
            throw MerkleLogError(.rootMismatch, "The proof does not lead to the root of the later tree.")
        }
    }

    /// Refuses sizes between which nothing can be proved.
    static func check(from: UInt64, to: UInt64) throws(MerkleLogError) {
        try MerkleTree.check(to)
        guard from <= to else {
            throw MerkleLogError(.sizeOutOfRange, "A tree of \(to) leaves does not continue one of \(from).")
        }
        guard from > 0 || to == 0 else {
            throw MerkleLogError(
                .emptyTree,
                "Nothing can be proved from the tree without leaves: all trees continue it."
            )
        }
    }

    private static func verifySame(
        _ earlier: MerkleHash,
        _ later: MerkleHash,
        size: UInt64,
        proof: [MerkleHash]
    ) throws(MerkleLogError) {
        guard proof.isEmpty else { throw wrongLength }
        guard earlier == later else {
            throw MerkleLogError(.rootMismatch, "The trees have one size and different roots.")
        }
        guard size > 0 || earlier == .empty else {
            throw MerkleLogError(.rootMismatch, "The root is not that of the tree without leaves.")
        }
    }

    private static let wrongLength = MerkleLogError(
        .wrongProofLength,
        "The proof has not as many hashes as trees of these sizes need."
    )
}

extension MerkleProof {
    /// The way from a node up to the root: its position and that of the last node, both of the same level.
    private struct Path {
        private var position: UInt64
        private var last: UInt64

        init(_ position: UInt64, last: UInt64) {
            self.position = position
            self.last = last
        }

        /// Passes the levels on which the node is a right child, up to one where it is a left one.
        mutating func skipRight() {
            let levels = (~position).trailingZeroBitCount
            position >>= UInt64(levels)
            last >>= UInt64(levels)
        }

        /// Goes up one hash of the proof; answers whether that hash is on the left, throws at the root.
        mutating func climb() throws(MerkleLogError) -> Bool {
            guard last > 0 else { throw wrongLength }
            let isRight = !position.isMultiple(of: 2)
            let isSiblingLeft = isRight || position == last
            if isSiblingLeft, !isRight {
                // The last node of an incomplete tree has no sibling on these levels: it is its own parent.
                let levels = position.trailingZeroBitCount
                position >>= UInt64(levels)
                last >>= UInt64(levels)
            }
            position >>= 1
            last >>= 1
            return isSiblingLeft
        }

        /// Throws where the root is not reached.
        func expectTop() throws(MerkleLogError) {
            guard last == 0 else { throw wrongLength }
        }
    }
}
