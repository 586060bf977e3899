import Crypto

/// Checks messages of Standard Webhooks 1.0.0: signatures over `id.timestamp.body`, by HMAC-SHA256 or Ed25519.
package struct StandardWebhooksVerifier: Sendable {
    private let shared: SigningKeys
    private let verifying: [Curve25519.Signing.PublicKey]

    /// Makes a verifier.
    ///
    /// - Parameter keys: 1 to 8 texts, each `whsec_` and base64 for `v1`, or `whpk_` and base64 for `v1a`.
    /// - Throws: ``SecretsError`` with code `invalid_secret_count` or `invalid_signing_secret`.
    package init(keys: [Secret]) throws(SecretsError) {
        try SigningKeys.checkCount(keys)
        var shared: [Secret] = []
        var verifying: [Curve25519.Signing.PublicKey] = []
        for key in keys {
            switch try StandardWebhooksKey(key) {
            case .shared(let key): shared.append(key)
            case .verifying(let key): verifying.append(key)
            }
        }
        self.shared = SigningKeys(checked: shared)
        self.verifying = verifying
    }

    /// Checks a message.
    ///
    /// Signatures of other versions, or of one that there is no key for, are ignored. The time counts only where a
    /// signature is right.
    ///
    /// - Parameters:
    ///   - id: Every value of `webhook-id`.
    ///   - timestamp: Every value of `webhook-timestamp`.
    ///   - signature: Every value of `webhook-signature`.
    ///   - body: The body's bytes as they came.
    ///   - now: Seconds since 1970.
    /// - Returns: The verdict.
    package func verify(
        id: [String],
        timestamp: [String],
        signature: [String],
        body: ArraySlice<UInt8>,
        now: Int64
    ) -> SignatureVerdict {
        do throws(SignatureRefusal) {
            let signatures = try signatures(in: SignatureSyntax.single(signature))
            let id = try SignatureSyntax.single(id)
            guard StandardWebhooks.isID(id) else { throw SignatureRefusal(.malformed) }
            let digits = try SignatureSyntax.single(timestamp)
            let time = try SignedTime(digits)
            let prefix = StandardWebhooks.prefix(id: id, time: digits)
            let isShared = !signatures.shared.isEmpty && shared.madeOne(of: signatures.shared, over: prefix, body)
            guard isShared || isSigned(signatures.verifying, prefix, body) else { throw SignatureRefusal(.wrong) }
            try time.check(now: now)
            return .valid
        } catch {
            return error.verdict
        }
    }

    /// The signatures that there is a key for, at least one.
    private func signatures(in value: ArraySlice<UInt8>) throws(SignatureRefusal) -> Signatures {
        var found = Signatures()
        for item in value.split(whereSeparator: SecretSyntax.isBlank) {
            guard let comma = item.firstIndex(of: UInt8(ascii: ",")), comma > item.startIndex else {
                throw SignatureRefusal(.malformed)
            }
            let content = item[(comma + 1)...]
            switch String(decoding: item[..<comma], as: UTF8.self) {
            case "v1" where !shared.keys.isEmpty:
                found.shared.append(try SignatureSyntax.bytes(base64: content, count: 32))
            case "v1a" where !verifying.isEmpty:
                found.verifying.append(try SignatureSyntax.bytes(base64: content, count: 64))
            default: continue
            }
        }
        guard found.count <= SignatureSyntax.maximumSignatures else { throw SignatureRefusal(.malformed) }
        guard found.count > 0 else { throw SignatureRefusal(.missing) }
        return found
    }

    /// Whether one of the public keys belongs to one of the signatures; there is nothing secret to leak.
    private func isSigned(_ signatures: [[UInt8]], _ prefix: [UInt8], _ body: ArraySlice<UInt8>) -> Bool {
        guard !signatures.isEmpty else { return false }
        let message = prefix + body
        return verifying.contains { key in
            signatures.contains { key.isValidSignature($0, for: message) }
        }
    }
}

extension StandardWebhooksVerifier {
    private struct Signatures {
        var shared: [[UInt8]] = []
        var verifying: [[UInt8]] = []

        var count: Int { shared.count + verifying.count }
    }
}
