/// Checks webhooks of GitHub: `X-Hub-Signature-256: sha256=` and the HMAC-SHA256 of the raw body in hexadecimal.
///
/// The signature has no time in it: that a delivery is not taken twice is up to its `X-GitHub-Delivery`.
package struct GitHubVerifier: Sendable {
    /// The header with the signature.
    package static let signatureHeader = "X-Hub-Signature-256"

    private let verifier: BodySignatureVerifier

    /// Makes a verifier.
    ///
    /// - Parameter secrets: 1 to 8, each as it was typed into GitHub.
    /// - Throws: ``SecretsError`` with code `invalid_secret_count` or `invalid_signing_secret`.
    package init(secrets: [Secret]) throws(SecretsError) {
        verifier = try BodySignatureVerifier(secrets: secrets, encoding: .hexadecimal, prefix: "sha256=")
    }

    /// Checks a delivery.
    ///
    /// - Parameters:
    ///   - signature: Every value of ``signatureHeader``.
    ///   - body: The body's bytes as they came.
    /// - Returns: The verdict; never `tooOld` or `tooNew`.
    package func verify(signature: [String], body: ArraySlice<UInt8>) -> SignatureVerdict {
        verifier.verify(signature: signature, body: body)
    }
}
