import FoundationEssentials
import Persistence
import Secrets

/// The secrets that automations name, opened for an attempt and kept nowhere.
struct SecretStore: Sendable {
    /// The code of a failure that passes.
    static let unavailable = "secrets_unavailable"

    let database: PostgresClient
    /// Nil where no key file is configured.
    let keys: SecretKeyRing?

    /// The texts of secrets, by name.
    ///
    /// - Throws: What is missing or cannot be opened; it names the secret and nothing of it.
    func texts(
        _ names: Set<String>,
        tenant: String,
        deadline: ContinuousClock.Instant
    ) async throws(StepError) -> [String: String] {
        guard !names.isEmpty else {
            return [:]
        }
        guard let keys else {
            throw StepError(code: "secrets_not_configured", detail: Self.notConfigured)
        }
        let rows: PostgresRows
        do {
            rows = try await database.execute(
                PostgresStatement(
                    "SELECT name, version, sealed FROM engine.secrets WHERE tenant = $1 AND name = ANY ($2)",
                    [.text(tenant), .textArray(names.sorted())],
                    isReadOnly: true
                ),
                deadline: deadline
            )
        } catch {
            throw StepError(code: Self.unavailable, detail: "The secrets cannot be read now; nothing was sent.")
        }
        var texts: [String: String] = [:]
        for row in rows {
            guard let (name, text) = try? Self.open(row, tenant: tenant, keys: keys) else {
                continue
            }
            texts[name] = text
        }
        if let missing = names.subtracting(texts.keys).min() {
            throw StepError(
                code: "missing_secret",
                detail:
                    "There is no secret \"\(missing)\" that can be opened; PUT /admin/api/secrets/\(missing) sets it."
            )
        }
        return texts
    }

    /// Which of some secrets exist.
    static func known(
        _ names: Set<String>,
        tenant: String,
        in transaction: PostgresTransaction
    ) async throws -> Set<String> {
        guard !names.isEmpty else {
            return []
        }
        let rows = try await transaction.execute(
            PostgresStatement(
                "SELECT name FROM engine.secrets WHERE tenant = $1 AND name = ANY ($2)",
                [.text(tenant), .textArray(names.sorted())]
            )
        )
        return Set(try rows.map { try $0.decode(0, as: String.self) })
    }

    /// The sentence for an engine without keys.
    static let notConfigured =
        "The engine has no keys for secrets; `batuta secrets keygen` makes them, and BATUTA_SECRET_KEYS_FILE names them."

    private static func open(_ row: PostgresRow, tenant: String, keys: SecretKeyRing) throws -> (String, String)? {
        let name = try row.decode(0, as: String.self)
        let sealed = try SealedSecret(bytes: try row.decode(2))
        let secret = try keys.open(sealed, for: .engine(tenant: tenant, name: name, version: try row.decode(1)))
        return secret.withText { (name, $0) }
    }
}

extension SecretContext {
    /// A secret that automations name.
    static func engine(tenant: String, name: String, version: Int64) -> SecretContext {
        SecretContext(kind: .engineSecret, tenant: tenant, name: name, version: version)
    }
}
