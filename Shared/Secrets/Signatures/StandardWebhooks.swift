/// The names and forms of Standard Webhooks 1.0.0, which its verifier and its signer share.
package enum StandardWebhooks {
    /// The header with the message's id, which stays the same over attempts.
    package static let idHeader = "webhook-id"
    /// The header with the attempt's time, seconds since 1970.
    package static let timestampHeader = "webhook-timestamp"
    /// The header with the signatures.
    package static let signatureHeader = "webhook-signature"

    static let maximumIDBytes = 255

    /// Whether bytes may be an id: with a full stop, the same signed bytes could be read as another id, time and body.
    static func isID(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.count <= maximumIDBytes
            && bytes.allSatisfy { SecretSyntax.isVisible($0) && $0 != UInt8(ascii: ".") }
    }

    /// What is signed before the body.
    static func prefix(id: some Collection<UInt8>, time: some Collection<UInt8>) -> [UInt8] {
        Array(id) + [UInt8(ascii: ".")] + Array(time) + [UInt8(ascii: ".")]
    }
}
