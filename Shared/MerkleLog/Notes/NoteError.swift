/// Why a note, a key, a checkpoint or a proof file cannot be used; it never has any bytes of a private key.
package struct NoteError: Error, Sendable, Hashable, CustomStringConvertible {
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

extension NoteError {
    /// The stable name of a fault.
    package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// The bytes are no signed note.
        package static let malformedNote = Code(rawValue: "malformed_note")
        /// A text cannot be signed: it is not UTF-8, has control characters, or does not end with a line feed.
        package static let invalidText = Code(rawValue: "invalid_text")
        /// A line is no signature.
        package static let malformedSignature = Code(rawValue: "malformed_signature")
        /// A note or a proof file has more bytes than allowed.
        package static let tooLarge = Code(rawValue: "too_large")
        /// A note has more signatures than allowed.
        package static let tooManySignatures = Code(rawValue: "too_many_signatures")

        /// A key's name is empty, or has white space, control characters or a `+`.
        package static let invalidName = Code(rawValue: "invalid_name")
        /// A text is no key, or its id is not that of its bytes.
        package static let malformedKey = Code(rawValue: "malformed_key")
        /// A key is of a type that is not known here.
        package static let unsupportedKey = Code(rawValue: "unsupported_key")
        /// A key is used for what its type is not made for.
        package static let wrongKind = Code(rawValue: "wrong_kind")
        /// A signature could not be made.
        package static let notSigned = Code(rawValue: "not_signed")

        /// A signature is not that of the key that it names.
        package static let invalidSignature = Code(rawValue: "invalid_signature")
        /// No key of a log that is trusted has signed.
        package static let unknownSigner = Code(rawValue: "unknown_signer")
        /// A time is later than a cosignature can say.
        package static let invalidTime = Code(rawValue: "invalid_time")

        /// A text is no checkpoint.
        package static let malformedCheckpoint = Code(rawValue: "malformed_checkpoint")
        /// A text cannot name a log.
        package static let invalidOrigin = Code(rawValue: "invalid_origin")
        /// A checkpoint is that of another log.
        package static let wrongOrigin = Code(rawValue: "wrong_origin")
        /// A size or an index is larger than a checkpoint can say.
        package static let sizeOutOfRange = Code(rawValue: "size_out_of_range")

        /// The bytes are no proof file.
        package static let malformedProof = Code(rawValue: "malformed_proof")
        /// A proof does not hold.
        package static let invalidProof = Code(rawValue: "invalid_proof")

        package var description: String { rawValue }

        /// The same input always fails in the same way.
        package var isRetryable: Bool { false }
    }
}
