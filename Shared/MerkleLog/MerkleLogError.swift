/// Why something of a tree, a proof, a note, a key or a checkpoint cannot be used or does not hold.
///
/// The same input always fails in the same way. No message has any bytes of a private key.
package struct MerkleLogError: Error, Sendable, Hashable, CustomStringConvertible {
    package let code: Code

    /// A sentence for people.
    package let message: String

    package var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension MerkleLogError {
    /// The stable name of a fault.
    package enum Code: String, Sendable {
        /// The tree has no leaf of that index.
        case indexOutOfRange = "index_out_of_range"
        /// A size is larger than any tree, than the tree that it is to be a part of, or than a checkpoint can say.
        case sizeOutOfRange = "size_out_of_range"
        /// Nothing can be proved from the tree without leaves: every tree contains it.
        case emptyTree = "empty_tree"
        /// A tile that is needed was not given.
        case missingTile = "missing_tile"
        /// A tile has fewer hashes than its width says.
        case shortTile = "short_tile"
        /// A proof has more or fewer hashes than trees of these sizes need.
        case wrongProofLength = "wrong_proof_length"
        /// The hashes of a proof do not lead to the root.
        case rootMismatch = "root_mismatch"

        /// The bytes are no signed note.
        case malformedNote = "malformed_note"
        /// A text cannot be signed: it is not UTF-8, has control characters, or does not end with a line feed.
        case invalidText = "invalid_text"
        /// A line is no signature.
        case malformedSignature = "malformed_signature"
        /// A note or a proof file has more bytes than allowed.
        case tooLarge = "too_large"
        /// A note has more signatures than allowed.
        case tooManySignatures = "too_many_signatures"

        /// A key's name is empty, or has white space, control characters or a `+`.
        case invalidName = "invalid_name"
        /// A text is no key, or its id is not that of its bytes.
        case malformedKey = "malformed_key"
        /// A key is of a type that is not known here.
        case unsupportedKey = "unsupported_key"
        /// A key is used for what its type is not made for.
        case wrongKind = "wrong_kind"
        /// A signature could not be made.
        case notSigned = "not_signed"

        /// A signature is not that of the key that it names.
        case invalidSignature = "invalid_signature"
        /// No key of a log that is trusted has signed.
        case unknownSigner = "unknown_signer"
        /// A time is later than a cosignature can say.
        case invalidTime = "invalid_time"

        /// A text is no checkpoint.
        case malformedCheckpoint = "malformed_checkpoint"
        /// A text cannot name a log.
        case invalidOrigin = "invalid_origin"
        /// A checkpoint is that of another log.
        case wrongOrigin = "wrong_origin"

        /// The bytes are no proof file.
        case malformedProof = "malformed_proof"
        /// A proof does not hold.
        case invalidProof = "invalid_proof"
    }
}
