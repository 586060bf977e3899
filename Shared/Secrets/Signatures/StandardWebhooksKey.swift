import Crypto

/// A key of Standard Webhooks, told apart by its prefix.
enum StandardWebhooksKey: Sendable {
    /// `whsec_` and 24 to 64 bytes in base64: signs and verifies `v1`.
    case shared(Secret)
    /// `whpk_` and the 32 bytes of an Ed25519 public key in base64: verifies `v1a`.
    case verifying(Curve25519.Signing.PublicKey)

    static let sharedPrefix = "whsec_"
    static let verifyingPrefix = "whpk_"
    static let sharedBytes = 24...64

    /// Reads a key's text.
    ///
    /// - Parameter text: The whole text, prefix included.
    /// - Throws: ``SecretsError`` with code `invalid_signing_secret`.
    init(_ text: Secret) throws(SecretsError) {
        if let bytes = Self.bytes(of: text, after: Self.sharedPrefix, atMost: Self.sharedBytes.upperBound) {
            guard bytes.count >= Self.sharedBytes.lowerBound else { throw Self.invalid }
            self = .shared(bytes)
        } else if let bytes = Self.bytes(of: text, after: Self.verifyingPrefix, atMost: 32),
            let key = bytes.withUnsafeBytes({ try? Curve25519.Signing.PublicKey(rawRepresentation: $0) })
        {
            self = .verifying(key)
        } else {
            throw Self.invalid
        }
    }

    private static func bytes(of text: Secret, after prefix: String, atMost maximum: Int) -> Secret? {
        text.withUnsafeBytes { characters -> Secret? in
            guard characters.starts(with: prefix.utf8) else { return nil }
            let base64 = characters.dropFirst(prefix.utf8.count)
            // An empty text is base64 too, but no key.
            let bytes = Secret(capacity: maximum) { Base64.decode(base64, into: $0) ?? 0 }
            return bytes.count > 0 ? bytes : nil
        }
    }

    private static var invalid: SecretsError {
        SecretsError(
            .invalidSigningSecret,
            "A key of Standard Webhooks is \(sharedPrefix) and 24 to 64 bytes in base64, "
                + "or \(verifyingPrefix) and the 32 bytes of an Ed25519 public key in base64."
        )
    }
}
