/// Checks webhooks of Stripe: `Stripe-Signature: t=<seconds>,v1=<hexadecimal HMAC-SHA256 of t.body>`.
///
/// Several `v1` may stand there while Stripe replaces a secret; other schemes are ignored.
package struct StripeVerifier: Sendable {
    /// The header with the signature.
    package static let signatureHeader = "Stripe-Signature"

    private let keys: SigningKeys

    /// Makes a verifier.
    ///
    /// - Parameter secrets: 1 to 8, each the whole text that Stripe shows, `whsec_` included.
    /// - Throws: ``SecretsError`` with code `invalid_secret_count` or `invalid_signing_secret`.
    package init(secrets: [Secret]) throws(SecretsError) { keys = try SigningKeys(secrets) }

    /// Checks an event.
    ///
    /// The time counts only where the signature is right: `tooOld` is said of nobody's message but Stripe's.
    ///
    /// - Parameters:
    ///   - signature: Every value of ``signatureHeader``.
    ///   - body: The body's bytes as they came.
    ///   - now: Seconds since 1970.
    /// - Returns: The verdict.
    package func verify(signature: [String], body: ArraySlice<UInt8>, now: Int64) -> SignatureVerdict {
        do throws(SignatureRefusal) {
            let header = try Header(SignatureSyntax.single(signature))
            let time = try SignedTime(header.time)
            let prefix = Array(header.time) + [UInt8(ascii: ".")]
            guard keys.madeOne(of: header.codes, over: prefix, body) else { throw SignatureRefusal(.wrong) }
            try time.check(now: now)
            return .valid
        } catch {
            return error.verdict
        }
    }
}

extension StripeVerifier {
    private struct Header {
        /// The digits as they were signed.
        let time: ArraySlice<UInt8>
        let codes: [[UInt8]]

        init(_ value: ArraySlice<UInt8>) throws(SignatureRefusal) {
            var time: ArraySlice<UInt8>?
            var codes: [[UInt8]] = []
            for item in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
                let item = item.trimmed
                guard let sign = item.firstIndex(of: UInt8(ascii: "=")) else { throw SignatureRefusal(.malformed) }
                let content = item[(sign + 1)...]
                switch String(decoding: item[..<sign], as: UTF8.self) {
                case "t":
                    guard time == nil else { throw SignatureRefusal(.malformed) }
                    time = content
                case "v1": codes.append(try SignatureSyntax.mac(hexadecimal: content))
                default: continue
                }
            }
            guard let time, codes.count <= SignatureSyntax.maximumSignatures else { throw SignatureRefusal(.malformed) }
            guard !codes.isEmpty else { throw SignatureRefusal(.missing) }
            self.time = time
            self.codes = codes
        }
    }
}
