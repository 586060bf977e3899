/// Why something of a tree cannot be computed, or a proof does not hold.
package struct MerkleError: Error, Sendable, Hashable, CustomStringConvertible {
    package let code: Code

    /// A sentence for people.
    package let message: String

    /// Whether the same call, made again, may succeed: no.
    package var isRetryable: Bool { code.isRetryable }

    package var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension MerkleError {
    /// The stable name of a fault.
    package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// The tree has no leaf of that index.
        package static let indexOutOfRange = Code(rawValue: "index_out_of_range")
        /// A size is larger than any tree, or than the tree that it is to be a part of.
        package static let sizeOutOfRange = Code(rawValue: "size_out_of_range")
        /// Nothing can be proved from the tree without leaves: every tree contains it.
        package static let emptyTree = Code(rawValue: "empty_tree")
        /// A tile that is needed was not given.
        package static let missingTile = Code(rawValue: "missing_tile")
        /// A tile has fewer hashes than its width says.
        package static let shortTile = Code(rawValue: "short_tile")
        /// A proof has more or fewer hashes than trees of these sizes need.
        package static let wrongProofLength = Code(rawValue: "wrong_proof_length")
        /// The hashes of a proof do not lead to the root.
        package static let rootMismatch = Code(rawValue: "root_mismatch")

        package var description: String { rawValue }

        /// The same input always fails in the same way.
        package var isRetryable: Bool { false }
    }
}

/// What the sizes of trees are held to.
package enum MerkleTree {
    /// The most leaves of a tree: 2^63.
    package static let maximumSize: UInt64 = 1 << 63

    /// Refuses a size that no tree has.
    static func check(_ size: UInt64) throws(MerkleError) {
        guard size <= maximumSize else {
            throw MerkleError(.sizeOutOfRange, "A tree has at most 2^63 leaves, not \(size).")
        }
    }
}
