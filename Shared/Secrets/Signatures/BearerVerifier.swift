import Crypto

/// Checks `Authorization: Bearer <token>`, for publishers that sign nothing.
///
/// Tokens are compared by their HMAC-SHA256 under a key of this verifier's own, so that neither content nor length shows
/// in the time it takes.
package struct BearerVerifier: Sendable {
    /// The header with the token.
    package static let header = "Authorization"

    /// The most bytes that a token may have.
    package static let maximumTokenBytes = 2048

    private let key: Secret
    private let codes: [Secret]

    /// Makes a verifier.
    ///
    /// - Parameter tokens: 1 to 8, each of 1 to ``maximumTokenBytes`` visible characters of ASCII.
    /// - Throws: ``SecretsError`` with code `invalid_secret_count` or `invalid_signing_secret`.
    package init(tokens: [Secret]) throws(SecretsError) {
        try SigningKeys.checkCount(tokens)
        let areUsable = tokens.allSatisfy { token in
            (1...Self.maximumTokenBytes).contains(token.count)
                && token.withUnsafeBytes { $0.allSatisfy(SecretSyntax.isVisible) }
        }
        guard areUsable else {
            throw SecretsError(
                .invalidSigningSecret,
                "A bearer token has 1 to \(Self.maximumTokenBytes) visible characters of ASCII."
            )
        }
        let key = Secret(SymmetricKey(size: .bits256))
        self.key = key
        codes = tokens.map { token in token.withUnsafeBytes { Self.code(of: $0, key) } }
    }

    /// Checks a request.
    ///
    /// - Parameter authorization: Every value of ``header``.
    /// - Returns: The verdict; `missing` where there are credentials of another scheme, never `tooOld` or `tooNew`.
    package func verify(authorization: [String]) -> SignatureVerdict {
        do throws(SignatureRefusal) {
            let token = try Self.token(in: SignatureSyntax.single(authorization))
            let code = token.withUnsafeBytes { Self.code(of: $0, key) }
            var isValid = false
            for expected in codes {
                let isEqual = expected == code
                isValid = isEqual || isValid
            }
            return isValid ? .valid : .wrong
        } catch {
            return error.verdict
        }
    }

    private static func code(of token: UnsafeRawBufferPointer, _ key: Secret) -> Secret {
        Secret(SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: token, using: key.key)))
    }

    private static func token(in value: ArraySlice<UInt8>) throws(SignatureRefusal) -> ArraySlice<UInt8> {
        let scheme = value.prefix { !SecretSyntax.isBlank($0) }
        guard String(decoding: scheme, as: UTF8.self).lowercased() == "bearer" else {
            throw SignatureRefusal(.missing)
        }
        let token = value[scheme.endIndex...].trimmed
        guard (1...maximumTokenBytes).contains(token.count), token.allSatisfy(SecretSyntax.isVisible) else {
            throw SignatureRefusal(.malformed)
        }
        return token
    }
}
