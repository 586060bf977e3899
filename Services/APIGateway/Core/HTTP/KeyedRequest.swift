import Contracts
import Crypto
import Domain
import HTTPTypes
import Messaging
import Persistence

/// A change that carries an `Idempotency-Key`: its answer is kept, so that a repeat gets it again and changes nothing.
struct KeyedRequest: Sendable {
    private let key: [PostgresValue]
    private let fingerprint: [UInt8]

    /// - Parameters:
    ///   - request: The request.
    ///   - key: Its key.
    ///   - target: What it changes, where the same body means another change elsewhere.
    init(_ request: GatewayRequest, _ key: String, target: String = "") {
        let principal = request.caller.principal
        self.key = [
            .text(principal.tenant.key), .text(principal.via), .text(request.route.name), .text(key),
        ]
        var sha = SHA256()
        if !target.isEmpty {
            // No body of JSON has a NUL.
            sha.update(data: Array(target.utf8) + [0])
        }
        sha.update(data: request.body)
        fingerprint = Array(sha.finalize())
    }

    /// What the first request of the key was answered; nil where there was none.
    ///
    /// Whoever asks holds a lock under which keys are looked up and taken.
    func earlierAnswer(in lane: LaneTransaction) async throws -> GatewayAnswer? {
        let rows = try await lane.database.execute(
            PostgresStatement(
                """
                SELECT fingerprint, status, answer FROM gateway.requests
                WHERE tenant = $1 AND principal = $2 AND route = $3 AND idempotency_key = $4
                """,
                key
            )
        )
        guard let row = rows.first else {
            return nil
        }
        guard try row.decode(0, as: [UInt8].self) == fingerprint else {
            throw GatewayProblem(.idempotencyKeyReused)
        }
        return GatewayAnswer(.init(code: Int(try row.decode(1, as: Int32.self))), try row.decode(2, as: [UInt8].self))
    }

    /// Keeps an answer, without whatever is shown only once.
    func remembering(_ answer: GatewayAnswer) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO gateway.requests (tenant, principal, route, idempotency_key, fingerprint, status, answer)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            key + [.bytes(fingerprint), .int4(Int32(answer.status.code)), .textBytes(answer.body)]
        )
    }
}
