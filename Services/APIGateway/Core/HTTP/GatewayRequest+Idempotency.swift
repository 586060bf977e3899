import Contracts
import Domain
import HTTPTypes
import Messaging

extension GatewayRequest {
    /// The request as one that may come twice.
    ///
    /// - Parameter target: What is to be changed, where the same body means another change elsewhere.
    /// - Returns: The request; nil where it has no `Idempotency-Key`.
    /// - Throws: `GatewayProblem` with 400 where the header is no key.
    func idempotent(target: String = "") throws -> IdempotentRequest? {
        try idempotencyKey().map { key in
            IdempotentRequest(
                tenant: caller.principal.tenant.key,
                principal: caller.principal.via,
                route: route.name,
                key: key,
                target: target,
                body: body
            )
        }
    }
}

extension GatewayAnswer {
    init(_ reply: Reply) {
        self.init(HTTPResponse.Status(code: reply.status), reply.body)
    }
}
