import Crypto

/// Signs outgoing messages as Standard Webhooks 1.0.0 has it, with `v1`.
package struct StandardWebhooksSigner: Sendable {
    private let keys: SigningKeys

    /// Makes a signer.
    ///
    /// - Parameter secrets: 1 to 8 texts of `whsec_` and base64; every one signs, so that a receiver can replace its own.
    /// - Throws: ``SecretsError`` with code `invalid_secret_count` or `invalid_signing_secret`.
    package init(secrets: [Secret]) throws(SecretsError) {
        try SigningKeys.checkCount(secrets)
        var keys: [Secret] = []
        for secret in secrets {
            guard case .shared(let key) = try StandardWebhooksKey(secret) else {
                throw SecretsError(.invalidSigningSecret, "A public key of Standard Webhooks cannot sign.")
            }
            keys.append(key)
        }
        self.keys = SigningKeys(checked: keys)
    }

    /// Signs one attempt to deliver a message.
    ///
    /// - Parameters:
    ///   - id: The message's id: 1 to 255 visible characters of ASCII without a full stop.
    ///   - timestamp: The attempt's time in seconds since 1970.
    ///   - body: The body's bytes as they will be sent.
    /// - Returns: The value of `webhook-signature`.
    /// - Throws: ``SecretsError`` with code `invalid_message_id` or `invalid_message_time`.
    package func sign(id: String, timestamp: Int64, body: ArraySlice<UInt8>) throws(SecretsError) -> String {
        guard StandardWebhooks.isID(id.utf8) else {
            throw SecretsError(
                .invalidMessageID,
                "A message's id has 1 to \(StandardWebhooks.maximumIDBytes) visible characters of ASCII "
                    + "and no full stop."
            )
        }
        let time = String(timestamp)
        guard timestamp >= 0, time.utf8.count <= SignedTime.maximumDigits else {
            throw SecretsError(.invalidMessageTime, "A message's time is not one that a receiver reads.")
        }
        let prefix = StandardWebhooks.prefix(id: id.utf8, time: time.utf8)
        return keys.keys.map { "v1," + Self.base64(SigningKeys.code(over: prefix, body, $0)) }.joined(separator: " ")
    }

    /// A new secret of 32 random bytes, as a receiver is shown it.
    package static func generateSecret() -> Secret {
        Secret(prefix: StandardWebhooksKey.sharedPrefix, base64: SymmetricKey(size: .bits256))
    }

    private static func base64(_ code: HMAC<SHA256>.MAC) -> String {
        code.withUnsafeBytes { bytes in
            let count = Base64.encodedCount(bytes.count)
            return String(unsafeUninitializedCapacity: count) { buffer in
                Base64.encode(bytes, into: UnsafeMutableRawBufferPointer(buffer))
                return count
            }
        }
    }
}
