import Contracts
import Crypto
import FoundationEssentials
import JSON
import Messaging
import Persistence

extension AutomationService {
    /// Runs a change at most once for an idempotency key: a repeat gets the first one's answer.
    ///
    /// - Throws: `Problem` with `idempotency_key_reused` where the key came with another body before.
    func idempotently(
        _ route: String,
        body: JSONDocument,
        context: RequestContext,
        _ change: @Sendable (LaneTransaction) async throws -> Reply
    ) async throws -> Reply {
        guard let key = context.idempotencyKey else {
            return try await retrying { try await lanes.transaction(deadline: context.deadline, change) }
        }
        let fingerprint = Array(SHA256.hash(data: body.bytes))
        return try await retrying {
            try await lanes.transaction(deadline: context.deadline) { transaction in
                // Claims the key first, so that two requests at once wait for each other here.
                let claimed = try await transaction.database.execute(
                    PostgresStatement(
                        """
                        INSERT INTO engine.requests (tenant, principal, route, idempotency_key, fingerprint, status, answer)
                        VALUES ($1, $2, $3, $4, $5, 0, '')
                        ON CONFLICT DO NOTHING
                        """,
                        [
                            .text(context.tenant), .text(context.principal), .text(route), .text(key),
                            .bytes(fingerprint),
                        ]
                    )
                )
                guard claimed.affectedRows == 1 else {
                    return try await repeated(route, key, fingerprint, context, in: transaction.database)
                }
                let reply = try await change(transaction)
                transaction.enqueue([
                    PostgresStatement(
                        """
                        UPDATE engine.requests SET status = $5, answer = $6
                        WHERE tenant = $1 AND principal = $2 AND route = $3 AND idempotency_key = $4
                        """,
                        [
                            .text(context.tenant), .text(context.principal), .text(route), .text(key),
                            .int4(Int32(reply.status)), .textBytes(reply.body),
                        ]
                    )
                ])
                return reply
            }
        }
    }

    private func repeated(
        _ route: String,
        _ key: String,
        _ fingerprint: [UInt8],
        _ context: RequestContext,
        in transaction: PostgresTransaction
    ) async throws -> Reply {
        let rows = try await transaction.execute(
            PostgresStatement(
                """
                SELECT fingerprint, status, answer FROM engine.requests
                WHERE tenant = $1 AND principal = $2 AND route = $3 AND idempotency_key = $4
                """,
                [.text(context.tenant), .text(context.principal), .text(route), .text(key)]
            )
        )
        guard let row = rows.first else {
            throw Problem(.inFlight)
        }
        guard try row.decode(0, as: [UInt8].self) == fingerprint else {
            throw Problem(.idempotencyKeyReused)
        }
        return Reply(status: try row.decode(1, as: Int.self), body: try row.decode(2, as: [UInt8].self))
    }

    /// Repeats a transaction that was rolled back for a reason that passes.
    func retrying<R: Sendable>(_ body: @Sendable () async throws -> R) async throws -> R {
        var attempts = 0
        while true {
            do {
                return try await body()
            } catch let error as PostgresError where error.isRetryable && attempts < 3 {
                attempts += 1
            } catch let error as LaneError where error.isRetryable && attempts < 3 {
                attempts += 1
            }
        }
    }
}
