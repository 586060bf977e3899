import HTTPTypes
import Secrets

/// Checks webhooks of one credential.
enum HookVerifier {
    case github(GitHubVerifier)
    case stripe(StripeVerifier)
    case standard(StandardWebhooksVerifier)
    case bearer(BearerVerifier)
    case signature(HTTPField.Name, BodySignatureVerifier)

    /// - Parameters:
    ///   - credential: What the webhooks prove themselves with.
    ///   - secrets: The secrets of which each may be the right one.
    /// - Throws: `SecretsError` where a text cannot be such a secret.
    init(_ credential: HookCredential, _ secrets: [Secret]) throws(SecretsError) {
        switch credential {
        case .github: self = .github(try GitHubVerifier(secrets: secrets))
        case .stripe: self = .stripe(try StripeVerifier(secrets: secrets))
        case .standardWebhooks: self = .standard(try StandardWebhooksVerifier(keys: secrets))
        case .bearer: self = .bearer(try BearerVerifier(tokens: secrets))
        case .signature(let form):
            let verifier = try BodySignatureVerifier(secrets: secrets, encoding: form.encoding, prefix: form.prefix)
            self = .signature(form.header, verifier)
        }
    }

    /// Checks a webhook.
    ///
    /// - Parameters:
    ///   - headers: Its headers.
    ///   - body: The body's bytes as they came.
    ///   - now: Seconds since 1970.
    /// - Returns: The verdict.
    func verify(_ headers: HTTPFields, _ body: ArraySlice<UInt8>, now: Int64) -> SignatureVerdict {
        switch self {
        case .github(let verifier):
            verifier.verify(signature: headers[values: .hubSignature], body: body)
        case .stripe(let verifier):
            verifier.verify(signature: headers[values: .stripeSignature], body: body, now: now)
        case .standard(let verifier):
            verifier.verify(
                id: headers[values: .webhookID],
                timestamp: headers[values: .webhookTimestamp],
                signature: headers[values: .webhookSignature],
                body: body,
                now: now
            )
        case .bearer(let verifier):
            verifier.verify(authorization: headers[values: .authorization])
        case .signature(let header, let verifier):
            verifier.verify(signature: headers[values: header], body: body)
        }
    }
}
