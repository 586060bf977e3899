import Contracts
import Domain
import HTTPTypes
import Secrets

/// Makes, seals and opens the secrets of hooks, and checks webhooks with them.
struct HookSecrets: Sendable {
    private let ring: SecretKeyRing?
    /// A secret that nobody knows, against which the webhooks of unknown sources are checked.
    private let nobodys = StandardWebhooksSigner.generateSecret()

    init(ring: SecretKeyRing?) {
        self.ring = ring
    }

    /// The keys, or a problem that says what to configure.
    func keys() throws(GatewayProblem) -> SecretKeyRing {
        guard let ring else {
            throw GatewayProblem(
                status: 503,
                code: "secrets_not_configured",
                title: "Secrets not configured",
                sentence: Sentence(
                    "Hooks need a key file to seal their secrets with: set BATUTA_SECRET_KEYS_FILE for every gateway.",
                    "Los webhooks necesitan un archivo de claves: defina BATUTA_SECRET_KEYS_FILE en cada gateway."
                )
            )
        }
        return ring
    }

    /// A new secret of a kind.
    static func make() -> Secret {
        // The form that Standard Webhooks demands does for all.
        StandardWebhooksSigner.generateSecret()
    }

    /// Why a text cannot be the secret of a kind, or nil.
    static func reasonAgainst(_ text: String, _ kind: HookKind) -> String? {
        do throws(SecretsError) {
            _ = try Verifier(kind, [Secret(text)])
            return nil
        } catch {
            return error.message
        }
    }

    func seal(_ secret: Secret, for hook: Hook) throws -> [UInt8] {
        try keys().seal(secret, for: Self.context(of: hook, version: hook.secretVersion)).bytes
    }

    /// The secrets that are accepted at an instant, the present one first.
    func open(_ sealed: SealedHook, at now: Timestamp) throws -> [Secret] {
        let hook = sealed.hook
        let keys = try keys()
        var secrets = [
            try keys.open(
                SealedSecret(bytes: sealed.secret),
                for: Self.context(of: hook, version: hook.secretVersion)
            )
        ]
        if let previous = sealed.previousSecret, let until = hook.previousUntil, now < until {
            let context = Self.context(of: hook, version: hook.secretVersion - 1)
            secrets.append(try keys.open(SealedSecret(bytes: previous), for: context))
        }
        return secrets
    }

    private static func context(of hook: Hook, version: Int64) -> SecretContext {
        // The id and not the name: a hook that is made again under an old name has other secrets.
        SecretContext(kind: .gatewayHook, tenant: hook.tenant.key, name: hook.hookID.lowercased, version: version)
    }

    /// Whether a request carries what could be the credential of some kind, rightly written; else why not.
    ///
    /// It depends on the headers alone, so that it says nothing of which sources there are.
    func plausibility(of headers: HTTPFields, now: Int64) -> SignatureVerdict {
        var best = SignatureVerdict.missing
        for kind in HookKind.allCases {
            switch verdict(kind, [nobodys], headers, [], now: now) {
            case .missing: continue
            case .malformed: best = .malformed
            case .valid, .wrong, .tooOld, .tooNew: return .valid
            }
        }
        return best
    }

    /// Spends what checking a webhook costs, for a source that there is not.
    func checkInVain(_ headers: HTTPFields, _ body: [UInt8], now: Int64) {
        for kind in [HookKind.github, .stripe, .standardWebhooks] {
            let verdict = verdict(kind, [nobodys], headers, body, now: now)
            guard verdict == .missing || verdict == .malformed else {
                return
            }
        }
    }

    /// Checks a webhook against secrets of which each may be the right one.
    func verdict(
        _ kind: HookKind,
        _ secrets: [Secret],
        _ headers: HTTPFields,
        _ body: [UInt8],
        now: Int64
    ) -> SignatureVerdict {
        guard let verifier = try? Verifier(kind, secrets) else {
            return .wrong
        }
        return verifier.verify(headers, body[...], now: now)
    }

    /// The verifier of a kind.
    private enum Verifier {
        case github(GitHubVerifier)
        case stripe(StripeVerifier)
        case standard(StandardWebhooksVerifier)
        case bearer(BearerVerifier)

        init(_ kind: HookKind, _ secrets: [Secret]) throws(SecretsError) {
            switch kind {
            case .github: self = .github(try GitHubVerifier(secrets: secrets))
            case .stripe: self = .stripe(try StripeVerifier(secrets: secrets))
            case .standardWebhooks: self = .standard(try StandardWebhooksVerifier(keys: secrets))
            case .alertmanager, .generic: self = .bearer(try BearerVerifier(tokens: secrets))
            }
        }

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
            }
        }
    }
}
