/// Checks signatures that are the HMAC-SHA256 of the raw body and stand, after a fixed text, in one header: what many
/// publishers write, each in a header of its own.
///
/// The signature has no time in it: that a delivery is not taken twice is up to an id in it.
package struct BodySignatureVerifier: Sendable {
    /// How the code is written.
    package enum Encoding: String, CaseIterable, Hashable, Sendable {
        /// 64 hexadecimal digits of either case.
        case hexadecimal = "hex"
        /// 44 characters of base64, the padding included.
        case base64
    }

    private let keys: SigningKeys
    private let encoding: Encoding
    private let prefix: [UInt8]

    /// Makes a verifier.
    ///
    /// - Parameters:
    ///   - secrets: 1 to 8, each the text that the publisher signs with.
    ///   - encoding: How the code is written.
    ///   - prefix: What stands before the code, such as `sha256=`; nothing where it is empty.
    /// - Throws: ``SecretsError`` with code `invalid_secret_count` or `invalid_signing_secret`.
    package init(secrets: [Secret], encoding: Encoding, prefix: String) throws(SecretsError) {
        keys = try SigningKeys(secrets)
        self.encoding = encoding
        self.prefix = Array(prefix.utf8)
    }

    /// Checks a delivery.
    ///
    /// - Parameters:
    ///   - signature: Every value of the header.
    ///   - body: The body's bytes as they came.
    /// - Returns: The verdict; never `tooOld` or `tooNew`.
    package func verify(signature: [String], body: ArraySlice<UInt8>) -> SignatureVerdict {
        do throws(SignatureRefusal) {
            let value = try SignatureSyntax.single(signature)
            guard value.starts(with: prefix) else { throw SignatureRefusal(.malformed) }
            let text = value.dropFirst(prefix.count)
            let code =
                switch encoding {
                case .hexadecimal: try SignatureSyntax.mac(hexadecimal: text)
                case .base64: try SignatureSyntax.bytes(base64: text, count: 32)
                }
            return keys.madeOne(of: [code], over: [], body) ? .valid : .wrong
        } catch {
            return error.verdict
        }
    }
}
