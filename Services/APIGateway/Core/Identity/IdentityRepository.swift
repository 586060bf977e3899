import Domain
import FoundationEssentials
package import Persistence

/// The SQL of tenants and tokens.
package struct IdentityRepository: Sendable {
    private let database: PostgresClient

    package init(database: PostgresClient) {
        self.database = database
    }

    /// The generation alone: what every request but a signal's is checked against.
    package func generation(deadline: ContinuousClock.Instant) async throws -> Int64 {
        let rows = try await database.execute(
            PostgresStatement("SELECT generation FROM gateway.identity_generation", isReadOnly: true),
            deadline: deadline
        )
        guard let row = rows.first else {
            throw PostgresError(.decoding, "gateway.identity_generation is empty")
        }
        return try row.decode(0)
    }

    /// The live tokens with their generation, read in one statement, so that they belong together.
    package func snapshot(deadline: ContinuousClock.Instant) async throws -> IdentitySnapshot {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT g.generation, t.token_id, t.tenant, t.name, t.role, t.token_hash, t.expires_at
                FROM gateway.identity_generation g
                LEFT JOIN gateway.api_tokens t
                  ON t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())
                """,
                isReadOnly: true
            ),
            deadline: deadline
        )
        guard let first = rows.first else {
            throw PostgresError(.decoding, "gateway.identity_generation is empty")
        }
        var principals: [TokenHash: Principal] = [:]
        principals.reserveCapacity(rows.count)
        for row in rows {
            guard let tokenID = try row.decode(1, as: UUID?.self) else {
                continue
            }
            guard let tenant = Tenant(try row.decode(2)), let role = Role(rawValue: try row.decode(4)) else {
                throw PostgresError(.decoding, "a token's tenant or role is unknown to this release")
            }
            principals[TokenHash(try row.decode(5))] = Principal(
                tokenID: tokenID,
                tenant: tenant,
                name: try row.decode(3),
                role: role,
                expiresAt: try row.decode(6, as: PostgresTimestamp?.self)
                    .map { Double($0.microsecondsSinceEpoch) / 1_000_000 }
            )
        }
        return IdentitySnapshot(generation: try first.decode(0), principals: principals)
    }

    /// Moves the generation on; it belongs into the transaction of every change of tenants and tokens.
    ///
    /// The row lock serialises such changes, so it comes first in their transactions.
    static let nextGeneration = PostgresStatement(
        "UPDATE gateway.identity_generation SET generation = generation + 1"
    )
}
