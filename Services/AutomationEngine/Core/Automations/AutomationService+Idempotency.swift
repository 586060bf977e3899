import Contracts
import JSON
import Messaging
import Persistence

extension AutomationService {
    /// Runs a change at most once for an idempotency key: a repeat gets the first one's answer.
    ///
    /// - Throws: `Problem` with `idempotency_key_reused` or `in_flight`; what the change throws.
    func idempotently(
        _ route: String,
        body: JSONDocument,
        context: RequestContext,
        _ change: @Sendable (ChangeTransaction) async throws -> Change<Reply>
    ) async throws -> Reply {
        let request = IdempotentRequest(context, route: route, body: body.bytes)
        return try await retrying {
            try await lanes.change(deadline: context.deadline) { transaction in
                try await transaction.once(request) { try await change(transaction).map { FirstReply($0) } }
            }
        }
    }

    /// Repeats a transaction that was rolled back for a reason that passes.
    func retrying<R: Sendable>(_ body: @Sendable () async throws -> R) async throws -> R {
        try await LaneTransaction.retrying(body)
    }
}

extension LaneTransaction {
    /// Repeats a transaction that was rolled back for a reason that passes, three times at most.
    static func retrying<R: Sendable>(_ body: () async throws -> R) async throws -> R {
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
