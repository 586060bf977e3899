import Contracts
import Domain
import JSON
package import Messaging
import ServiceRuntime

/// Asks the engine, or another service, on behalf of a caller.
package struct EngineClient: Sendable {
    private let requests: RequestClient
    private let patience: Duration

    /// - Parameters:
    ///   - requests: The way to other services.
    ///   - patience: How long an answer may take.
    package init(requests: RequestClient, patience: Duration = .seconds(10)) {
        self.requests = requests
        self.patience = patience
    }

    /// A service's answer.
    ///
    /// - Throws: `GatewayProblem`: the service's own refusal, 503 where nobody answers, 504 where the answer is late.
    func ask(
        _ type: String,
        _ body: [UInt8],
        of service: ServiceName = .engine,
        for request: GatewayRequest,
        idempotencyKey: String? = nil,
        within patience: Duration? = nil
    ) async throws -> [UInt8] {
        let principal = request.caller.principal
        let context = RequestContext(
            tenant: principal.tenant.key,
            actor: principal.actor,
            requestID: request.requestID,
            idempotencyKey: idempotencyKey,
            traceparent: request.trace.traceparent,
            deadline: .now + (patience ?? self.patience)
        )
        let reply: Reply
        do {
            reply = try await requests.call(
                service: service.rawValue,
                type: type,
                body: body,
                context: context
            )
        } catch {
            throw GatewayProblem(error.problem)
        }
        if let problem = reply.problem {
            throw GatewayProblem(problem)
        }
        return reply.body
    }

    /// An answer, read.
    func document(of answer: [UInt8]) throws -> JSONDocument {
        do {
            return try JSONDocument(parsing: answer, limits: .wrapped)
        } catch {
            throw GatewayProblem(.internalError)
        }
    }
}
