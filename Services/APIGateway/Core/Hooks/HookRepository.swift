import Contracts
import Domain
import FoundationEssentials
import Messaging
package import Persistence

/// The SQL of hook sources.
package struct HookRepository: Sendable {
    private let database: PostgresClient

    package init(database: PostgresClient) {
        self.database = database
    }

    /// Lets changes of one tenant's hooks follow each other: names are checked, and repeated requests found, in turn.
    static func lock(_ tenant: Tenant) -> PostgresStatement {
        PostgresStatement(
            "SELECT pg_advisory_xact_lock(hashtextextended('gateway.hooks.' || $1, 0))",
            [.text(tenant.key)]
        )
    }

    static func insertion(_ sealed: SealedHook) -> ChangeStatement {
        let hook = sealed.hook
        return ChangeStatement(
            """
            INSERT INTO gateway.hooks
              (hook_id, tenant, name, kind, type_prefix, mapping, secret_version, secret, created_at, created_by, signature)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            [
                .uuid(hook.hookID), .text(hook.tenant.key), .text(hook.name), .text(hook.kind.rawValue),
                .text(hook.typePrefix), .text(hook.mapping), .int8(hook.secretVersion), .bytes(sealed.secret),
                .timestamp(microseconds: hook.createdAt.microseconds), .text(hook.createdBy),
                .text(hook.signature?.text),
            ]
        )
    }

    /// Stores new secrets of a hook.
    static func rotation(_ sealed: SealedHook) -> ChangeStatement {
        let hook = sealed.hook
        return ChangeStatement(
            """
            UPDATE gateway.hooks
            SET secret_version = $2, secret = $3, previous_secret = $4, previous_until = $5, rotated_at = $6
            WHERE hook_id = $1
            """,
            [
                .uuid(hook.hookID), .int8(hook.secretVersion), .bytes(sealed.secret), .bytes(sealed.previousSecret),
                .timestamp(microseconds: hook.previousUntil?.microseconds),
                .timestamp(microseconds: hook.rotatedAt?.microseconds),
            ]
        )
    }

    static func deletion(_ hookID: UUID) -> ChangeStatement {
        ChangeStatement("DELETE FROM gateway.hooks WHERE hook_id = $1", [.uuid(hookID)])
    }

    /// One hook; with `isToChange` nobody else may change it before the transaction ends.
    static func named(_ name: String, of tenant: Tenant, isToChange: Bool = false) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT \(SealedHook.columns) FROM gateway.hooks WHERE tenant = $1 AND name = $2
            \(isToChange ? "FOR UPDATE" : "")
            """,
            [.text(tenant.key), .text(name)]
        )
    }

    /// One hook as it stands now.
    func hook(_ name: String, of tenant: Tenant, deadline: ContinuousClock.Instant) async throws -> SealedHook? {
        try await database.execute(Self.named(name, of: tenant), deadline: deadline).first.map {
            try SealedHook(row: $0)
        }
    }

    /// A page of a tenant's hooks, newest first, those before a given one.
    func page(
        of tenant: Tenant,
        before hookID: UUID?,
        count: Int,
        deadline: ContinuousClock.Instant
    ) async throws -> [Hook] {
        let statement = PostgresStatement(
            """
            SELECT \(Hook.columns) FROM gateway.hooks
            WHERE tenant = $1 AND ($2::uuid IS NULL OR hook_id < $2) ORDER BY hook_id DESC LIMIT $3
            """,
            [.text(tenant.key), .uuid(hookID), .int(count)],
            isReadOnly: true
        )
        return try await database.execute(statement, deadline: deadline).map { try Hook(row: $0) }
    }
}
