import Contracts
import Domain
import FoundationEssentials
import RabbitMQ

/// The headers of a request, written by `RequestClient` and read by `RequestServer`.
enum RequestHeaders {
    static let deadline = "x-deadline"
    static let tenant = "x-tenant"
    static let actorType = "x-actor-type"
    static let actorID = "x-actor-id"
    static let actorVia = "x-actor-via"
    static let requestID = "x-request-id"
    static let idempotencyKey = "x-idempotency-key"
    static let traceparent = "traceparent"
    static let status = "x-status"

    /// The headers of a request with so much time left.
    static func write(_ context: RequestContext, remaining: Duration) -> [String: HeaderValue] {
        var headers: [String: HeaderValue] = [
            deadline: .int64(unixMilliseconds() + remaining.wholeMilliseconds),
            tenant: .string(context.tenant),
            actorType: .string(context.actor.type.rawValue),
            actorID: .string(context.actor.id),
            requestID: .string(context.requestID),
        ]
        for (name, text) in [
            (actorVia, context.actor.via), (idempotencyKey, context.idempotencyKey), (traceparent, context.traceparent),
        ] {
            if let text { headers[name] = .string(text) }
        }
        return headers
    }

    /// The context of a request; its deadline is that much time from now by this machine's clock.
    ///
    /// - Throws: `ContractError` with code `badHeader`, naming the header.
    static func read(_ headers: [String: HeaderValue]) throws(ContractError) -> RequestContext {
        func text(_ name: String) throws(ContractError) -> String {
            guard let text = headers[name]?.stringValue, !text.isEmpty else {
                throw ContractError(.badHeader, "\(name) is missing or no text")
            }
            return text
        }
        guard let until = headers[deadline]?.intValue, until > 0 else {
            throw ContractError(.badHeader, "\(deadline) is missing or no time")
        }
        guard let tenant = try Tenant(text(self.tenant)) else {
            throw ContractError(.badHeader, "\(self.tenant) is not the key of a tenant")
        }
        guard let kind = try AuditActor.Kind(rawValue: text(actorType)) else {
            throw ContractError(.badHeader, "\(actorType) is not a kind of actor")
        }
        let left = min(max(Int64(until) - unixMilliseconds(), -1), 86_400_000)
        return RequestContext(
            tenant: tenant.key,
            actor: AuditActor(type: kind, id: try text(actorID), via: headers[actorVia]?.stringValue),
            requestID: try text(requestID),
            idempotencyKey: headers[idempotencyKey]?.stringValue,
            traceparent: headers[traceparent]?.stringValue,
            deadline: .now + .milliseconds(left)
        )
    }

    static func unixMilliseconds() -> Int64 {
        Int64(Date().timeIntervalSince1970 * 1_000)
    }
}

extension Duration {
    /// Milliseconds, rounded down; a duration beyond ten thousand years is cut off there.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return min(max(seconds, 0), 315_360_000_000) * 1_000 + max(attoseconds, 0) / 1_000_000_000_000_000
    }
}
