/// Why a key file, a sealed secret or a signing secret cannot be used; it never has any of their bytes.
package struct SecretsError: Error, Sendable, Hashable, CustomStringConvertible {
    package let code: Code

    /// A sentence for operators, which says what to do where something can be done.
    package let message: String

    /// The line of the key file, from 1, where one is at fault.
    package let line: Int?

    /// Whether the same call, made again, may succeed.
    package var isRetryable: Bool { code.isRetryable }

    package var description: String { message }

    init(_ code: Code, _ message: String, line: Int? = nil) {
        self.code = code
        self.message = message
        self.line = line
    }
}

extension SecretsError {
    /// The stable name of a fault.
    package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// The key file cannot be opened or read.
        package static let unreadableKeyFile = Code(rawValue: "unreadable_key_file")
        /// The key file is a folder, a pipe or a device.
        package static let notAFile = Code(rawValue: "not_a_file")
        /// Others than its owner have rights to the key file.
        package static let exposedKeyFile = Code(rawValue: "exposed_key_file")
        /// The key file has more bytes or keys than allowed.
        package static let keyFileTooLarge = Code(rawValue: "key_file_too_large")
        /// The key file has no key.
        package static let noKeys = Code(rawValue: "no_keys")
        /// A line of the key file has not two fields.
        package static let malformedLine = Code(rawValue: "malformed_line")
        /// A key's id has characters or a length that it cannot have.
        package static let invalidKeyID = Code(rawValue: "invalid_key_id")
        /// A key is not 32 bytes in base64.
        package static let invalidKey = Code(rawValue: "invalid_key")
        /// Two keys have one id.
        package static let duplicateKeyID = Code(rawValue: "duplicate_key_id")
        /// One key has two ids.
        package static let duplicateKey = Code(rawValue: "duplicate_key")

        /// A secret has more bytes than can be sealed.
        package static let secretTooLarge = Code(rawValue: "secret_too_large")
        /// A secret could not be sealed.
        package static let notSealed = Code(rawValue: "not_sealed")
        /// Sealed bytes end too early.
        package static let truncated = Code(rawValue: "truncated")
        /// Sealed bytes have a form that this release does not know.
        package static let unsupportedForm = Code(rawValue: "unsupported_form")
        /// The key of a sealed secret is not in the key file.
        package static let unknownKey = Code(rawValue: "unknown_key")
        /// A sealed secret was changed, or is opened for something that it was not sealed for.
        package static let notAuthentic = Code(rawValue: "not_authentic")

        /// There are no signing secrets, or too many.
        package static let invalidSecretCount = Code(rawValue: "invalid_secret_count")
        /// A signing secret is not written as its scheme demands.
        package static let invalidSigningSecret = Code(rawValue: "invalid_signing_secret")
        /// A message's id cannot be signed.
        package static let invalidMessageID = Code(rawValue: "invalid_message_id")
        /// A message's time cannot be signed.
        package static let invalidMessageTime = Code(rawValue: "invalid_message_time")

        package var description: String { rawValue }

        /// Nothing here mends itself: the same call always fails in the same way until somebody acts.
        package var isRetryable: Bool { false }
    }
}
