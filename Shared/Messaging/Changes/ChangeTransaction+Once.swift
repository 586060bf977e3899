import Contracts
import PostgreSQL

extension ChangeTransaction {
    /// Carries out a request once for its idempotency key: the answer is kept with the change, and a repeat gets it again.
    ///
    /// A key is locked until the transaction ends, so that of two requests at once only one gets past here. A change that is
    /// rolled back leaves its key free.
    ///
    /// - Parameters:
    ///   - request: The request; nil where no key was sent, so that the change is simply made.
    ///   - body: Makes the change within this transaction.
    /// - Returns: The change with its answer; for a repeat none, with what was kept of the earlier answer.
    /// - Throws: `Problem` with `idempotency_key_reused` where the key came with something else before, and with `in_flight`
    ///   where another transaction is carrying it out; what the database and the change throw.
    package func once(
        _ request: IdempotentRequest?,
        _ body: () async throws -> Change<FirstReply>
    ) async throws -> Change<Reply> {
        guard let request else {
            return try await body().map(\.shown)
        }
        if let earlier = try await lane.earlierReply(to: request) {
            return .none(earlier)
        }
        let first = try await body()
        lane.enqueue([lane.keeping(first.result.kept, of: request)])
        return first.map(\.shown)
    }
}

extension LaneGroup {
    /// The answer to an earlier request of a key.
    ///
    /// It is for a change that others have to be asked about before it can be made: a repeat needs no answer of theirs. The
    /// change itself goes through ``ChangeTransaction/once(_:_:)`` all the same.
    ///
    /// - Parameters:
    ///   - request: The request; nil where no key was sent.
    ///   - deadline: When to give up.
    /// - Returns: What was kept; nil where the key came for the first time.
    /// - Throws: `Problem` with `idempotency_key_reused` or `in_flight`; `LaneError`, `PostgresError`.
    package func earlierReply(
        to request: IdempotentRequest?,
        deadline: ContinuousClock.Instant
    ) async throws -> Reply? {
        guard let request else {
            return nil
        }
        return try await transaction(deadline: deadline) { try await $0.earlierReply(to: request) }
    }
}

extension LaneTransaction {
    /// What was kept of an earlier request of the key, which is this transaction's own from here on.
    fileprivate func earlierReply(to request: IdempotentRequest) async throws -> Reply? {
        let results = try await database.pipeline([
            PostgresStatement(
                "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 2))",
                [.text(([schema, "requests"] + request.key).joined(separator: "\n"))]
            ),
            // Looked up under the lock: whoever had it before has committed or rolled back.
            PostgresStatement(
                """
                SELECT fingerprint, status, answer FROM \(schema).requests
                WHERE tenant = $1 AND principal = $2 AND route = $3 AND idempotency_key = $4
                """,
                request.values
            ),
        ])
        guard try results[0].first?.decode(0, as: Bool.self) == true else {
            throw Problem(.inFlight)
        }
        guard let row = results[1].first else {
            return nil
        }
        guard try row.decode(0, as: [UInt8].self) == request.fingerprint else {
            throw Problem(.idempotencyKeyReused)
        }
        return Reply(status: Int(try row.decode(1, as: Int32.self)), body: try row.decode(2))
    }

    fileprivate func keeping(_ reply: Reply, of request: IdempotentRequest) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO \(schema).requests (tenant, principal, route, idempotency_key, fingerprint, status, answer)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            request.values + [
                .bytes(request.fingerprint), .int4(Int32(truncatingIfNeeded: reply.status)), .textBytes(reply.body),
            ]
        )
    }
}
