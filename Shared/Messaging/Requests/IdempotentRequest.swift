import Crypto
import PostgreSQL

/// A change that its caller may ask for twice: the idempotency key, whose it is, and what was asked for.
///
/// `ChangeTransaction.once` carries it out.
package struct IdempotentRequest: Sendable {
    /// Tenant, principal, route and key, as the table `requests` has them.
    let key: [String]
    /// SHA-256 of what was asked for.
    let fingerprint: [UInt8]

    /// - Parameters:
    ///   - tenant: The tenant's key.
    ///   - principal: Whom the idempotency key belongs to.
    ///   - route: What was asked for; keys of different routes have nothing to do with each other.
    ///   - key: The idempotency key, 1 to 255 bytes.
    ///   - target: What is to be changed, where the same body means another change elsewhere.
    ///   - body: The request's body.
    package init(tenant: String, principal: String, route: String, key: String, target: String = "", body: [UInt8]) {
        self.key = [tenant, principal, route, key]
        var sha = SHA256()
        if !target.isEmpty {
            // No body of JSON has a NUL.
            sha.update(data: Array(target.utf8) + [0])
        }
        sha.update(data: body)
        fingerprint = Array(sha.finalize())
    }

    /// A request over the broker; nil where its caller has sent no key.
    package init?(_ context: RequestContext, route: String, body: [UInt8]) {
        guard let key = context.idempotencyKey else {
            return nil
        }
        self.init(tenant: context.tenant, principal: context.principal, route: route, key: key, body: body)
    }

    /// The key's columns.
    var values: [PostgresValue] { key.map { .text($0) } }
}

/// The answer to a request that was carried out for the first time.
package struct FirstReply: Sendable {
    /// What the caller is answered.
    package let shown: Reply
    /// What a repeated request is answered: the same without whatever is shown only once.
    package let kept: Reply

    /// An answer that a repeated request gets again.
    package init(_ reply: Reply) {
        self.init(shown: reply, kept: reply)
    }

    /// An answer of which a part is shown only once.
    package init(shown: Reply, kept: Reply) {
        self.shown = shown
        self.kept = kept
    }
}
