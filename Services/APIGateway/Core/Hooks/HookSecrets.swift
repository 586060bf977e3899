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

    /// Why a text cannot be the secret of a credential, or nil.
    static func reasonAgainst(_ text: String, _ credential: HookCredential) -> String? {
        do throws(SecretsError) {
            _ = try HookVerifier(credential, [Secret(text)])
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

    /// Whether a request carries what could be the credential of some source; else why not.
    ///
    /// It depends on the headers alone, so that it says nothing of which sources there are.
    func plausibility(of headers: HTTPFields, now: Int64) -> SignatureVerdict {
        if headers.contains(where: { HookSignature.isSigning($0.name) && !$0.value.isEmpty }) {
            return .valid
        }
        let verdict = verdict(.bearer, [nobodys], headers, [], now: now)
        return verdict == .wrong ? .valid : verdict
    }

    /// Spends what checking a signature costs, where there is none to check.
    func checkInVain(_ headers: HTTPFields, _ body: [UInt8]) {
        guard headers.contains(where: { HookSignature.isSigning($0.name) }),
            let verifier = try? GitHubVerifier(secrets: [nobodys])
        else {
            return
        }
        _ = verifier.verify(signature: ["sha256=" + String(repeating: "0", count: 64)], body: body[...])
    }

    /// Checks a webhook against secrets of which each may be the right one.
    func verdict(
        _ credential: HookCredential,
        _ secrets: [Secret],
        _ headers: HTTPFields,
        _ body: [UInt8],
        now: Int64
    ) -> SignatureVerdict {
        guard let verifier = try? HookVerifier(credential, secrets) else {
            return .wrong
        }
        return verifier.verify(headers, body[...], now: now)
    }
}
