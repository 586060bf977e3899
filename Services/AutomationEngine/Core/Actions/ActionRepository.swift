import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// The SQL of registered actions.
struct ActionRepository: Sendable {
    /// The code of a failure that passes.
    static let unavailable = "registry_unavailable"

    let database: PostgresClient

    /// An action of a tenant, as it is registered now.
    func find(_ key: String, tenant: String, deadline: ContinuousClock.Instant? = nil) async throws -> StoredAction? {
        try await database.execute(Self.select([key], tenant: tenant), deadline: deadline).first.map(StoredAction.init)
    }

    /// The registry of a tenant, with those registered actions that a definition names.
    ///
    /// - Parameters:
    ///   - own: The engine's own actions.
    ///   - definition: The definition; nil for the engine's own actions alone.
    ///   - tenant: Whose it is.
    ///   - deadline: When nobody waits any more.
    /// - Returns: The registry.
    /// - Throws: `PostgresError`.
    func registry(
        _ own: ActionRegistry,
        for definition: JSONView?,
        tenant: String,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> ActionRegistry {
        let keys = ActionKey.registrable(in: definition)
        guard !keys.isEmpty else {
            return own
        }
        let rows = try await database.execute(Self.select(keys, tenant: tenant), deadline: deadline)
        return own.adding(try rows.compactMap { try StoredAction($0).remote })
    }

    /// The same, as a transaction sees it.
    static func registry(
        _ own: ActionRegistry,
        for definition: JSONView?,
        tenant: String,
        in transaction: PostgresTransaction
    ) async throws -> ActionRegistry {
        let keys = ActionKey.registrable(in: definition)
        guard !keys.isEmpty else {
            return own
        }
        let rows = try await transaction.execute(select(keys, tenant: tenant))
        return own.adding(try rows.compactMap { try StoredAction($0).remote })
    }

    /// The registry of a tenant with all of its actions.
    func registry(
        _ own: ActionRegistry,
        tenant: String,
        deadline: ContinuousClock.Instant
    ) async throws -> ActionRegistry {
        let rows = try await database.execute(Self.page(tenant: tenant, after: nil, limit: nil), deadline: deadline)
        return own.adding(try rows.compactMap { try StoredAction($0).remote })
    }

    /// A page of a tenant's actions, in the order of their keys.
    func list(
        tenant: String,
        after key: String?,
        limit: Int,
        deadline: ContinuousClock.Instant
    ) async throws -> [StoredAction] {
        try await database.execute(Self.page(tenant: tenant, after: key, limit: limit), deadline: deadline)
            .map(StoredAction.init)
    }

    private static func page(tenant: String, after key: String?, limit: Int?) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT \(StoredAction.columns) FROM engine.actions
            WHERE tenant = $1 AND withdrawn_at IS NULL AND ($2::text IS NULL OR action_key COLLATE "C" > $2)
            ORDER BY action_key COLLATE "C" LIMIT $3
            """,
            [.text(tenant), .text(key), .int8(limit.map(Int64.init))],
            isReadOnly: true
        )
    }

    private static func select(_ keys: Set<String>, tenant: String) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT \(StoredAction.columns) FROM engine.actions
            WHERE tenant = $1 AND action_key = ANY ($2) AND withdrawn_at IS NULL
            """,
            [.text(tenant), .textArray(keys.sorted())],
            isReadOnly: true
        )
    }

    // MARK: Changes

    /// Holds off changes of a tenant's actions until the end of a transaction that relies on them.
    static func relying(on tenant: String) -> PostgresStatement {
        PostgresStatement("SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 3))", [.text(lockName(tenant))])
    }

    private static func lockName(_ tenant: String) -> String { "engine.actions/\(tenant)" }

    /// An action, withdrawn or not, with all changes of the tenant's automations held off until the end of the transaction.
    static func lock(
        _ key: String,
        tenant: String,
        in transaction: PostgresTransaction
    ) async throws -> StoredAction? {
        let results = try await transaction.pipeline([
            PostgresStatement("SELECT pg_advisory_xact_lock(hashtextextended($1, 3))", [.text(lockName(tenant))]),
            PostgresStatement(
                """
                SELECT \(StoredAction.columns) FROM engine.actions WHERE tenant = $1 AND action_key = $2 FOR UPDATE
                """,
                [.text(tenant), .text(key)]
            ),
        ])
        return try results[1].first.map(StoredAction.init)
    }

    /// Stores an action in a new generation: a new one, one more revision, or one that was withdrawn before.
    static func store(
        _ registration: [UInt8],
        as key: String,
        tenant: String,
        in transaction: ChangeTransaction
    ) async throws -> StoredAction {
        let results = try await transaction.pipeline([
            ChangeStatement(AutomationRepository.nextGeneration),
            ChangeStatement(
                """
                INSERT INTO engine.actions AS a (tenant, action_key, revision, registration, changed_generation)
                SELECT $1, $2, 1, $3, generation FROM engine.registry_generation
                ON CONFLICT (tenant, action_key) DO UPDATE SET
                    revision = a.revision + 1, registration = excluded.registration,
                    changed_generation = excluded.changed_generation, updated_at = now(), withdrawn_at = NULL,
                    created_at = CASE WHEN a.withdrawn_at IS NULL THEN a.created_at ELSE now() END
                RETURNING \(StoredAction.columns)
                """,
                [.text(tenant), .text(key), .textBytes(registration)]
            ),
        ])
        guard let row = results[1].first else {
            throw PostgresError(.decoding, "the registration of an action has no answer")
        }
        return try StoredAction(row)
    }

    /// Withdraws an action in a new generation.
    static func withdraw(_ key: String, tenant: String, in transaction: ChangeTransaction) async throws {
        try await transaction.pipeline([
            ChangeStatement(AutomationRepository.nextGeneration),
            ChangeStatement(
                """
                UPDATE engine.actions SET revision = revision + 1, updated_at = now(), withdrawn_at = now(),
                    changed_generation = (SELECT generation FROM engine.registry_generation)
                WHERE tenant = $1 AND action_key = $2
                """,
                [.text(tenant), .text(key)]
            ),
        ])
    }
}
