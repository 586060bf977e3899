import Contracts
import Domain
import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
import ServiceRuntime

/// Answers requests: finds the route, the caller and the body, has the operation carried out, and writes the answer or
/// the problem.
package struct GatewayResponder: HTTPResponder {
    package typealias Context = GatewayContext

    let routes = RouteTable()
    let authenticator: Authenticator
    let operations: GatewayOperations
    /// Of requests other than signals, which the intake counts one by one.
    let rate: TenantRateLimiter
    let tenantRefusals: TenantRefusals
    let limits: BodyLimits
    let metrics: RequestMetrics
    let drain: ConnectionDrain
    let logger: Logger

    package func respond(to request: Request, context: Context) async throws -> Response {
        let start = ContinuousClock.now
        let requestID = RequestID.make(header: request.headers[.requestID])
        var generator = PooledRandomNumbers()
        let trace = TraceContext.continuing(
            traceparent: request.headers[.traceParent],
            tracestate: request.headers[.traceState],
            using: &generator
        )
        let (path, query) = Self.split(request.head.path ?? "/")
        let match = routes.match(method: request.method.rawValue, path: path)
        var response: Response
        do {
            let answer = try await answer(request, match, query, requestID: requestID, trace: trace)
            response = Self.response(answer)
        } catch {
            response = refusal(of: request, error, requestID: requestID)
        }
        if drain.isDraining {
            response.headers[.connection] = "close"
        }
        response.headers[.requestID] = requestID
        response.headers[.traceParent] = trace.traceparent
        metrics.answered(match.route, status: response.status.code, after: .now - start)
        return response
    }

    private func answer(
        _ request: Request,
        _ match: RouteTable.Match,
        _ query: Substring,
        requestID: String,
        trace: TraceContext
    ) async throws -> GatewayAnswer {
        switch match {
        case .notFound:
            throw GatewayProblem.notFound
        case .methodNotAllowed(let allowed):
            var problem = GatewayProblem(.methodNotAllowed)
            problem.allowed = allowed
            throw problem
        case .found(.receiveHook, let parameters):
            let delivery = HookDelivery(
                source: parameters.first ?? "",
                headers: request.headers,
                requestID: requestID,
                trace: trace
            )
            return try await operations.receiver.receive(delivery) {
                try await RequestBodyReader.read(request, limit: limits.hook)
            }
        case .found(let route, let parameters):
            let caller = try await authenticator.caller(of: request.headers, on: route)
            try admit(caller.principal.tenant, to: route)
            let body =
                [.post, .put].contains(route.method)
                ? try await RequestBodyReader.read(request, limit: limits.bytes(of: route, request.headers)) : []
            let asked = GatewayRequest(
                route: route,
                parameters: parameters,
                queryText: query,
                headers: request.headers,
                body: body,
                requestID: requestID,
                trace: trace,
                caller: caller
            )
            return try await handling(body) { try await operations.perform(asked) }
        }
    }

    /// Holds a tenant to its rate of requests.
    private func admit(_ tenant: Tenant, to route: Route) throws {
        guard route != .postSignal, let perSecond = rate.perSecond, let wait = rate.take(1, of: tenant, at: .now) else {
            return
        }
        tenantRefusals.note(tenant, .requestRate)
        throw GatewayProblem.tooManyRequests(perSecond: perSecond, wait: wait)
    }

    private static func response(_ answer: GatewayAnswer) -> Response {
        var headers = answer.body.isEmpty ? ResponseHeaders.empty : ResponseHeaders.json
        for (name, value) in answer.headers {
            headers[name] = value
        }
        return Response(
            status: answer.status,
            headers: headers,
            body: answer.body.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
        )
    }

    private func refusal(of request: Request, _ error: any Error, requestID: String) -> Response {
        let problem = GatewayProblem(error)
        if problem.status >= 500, !(error is GatewayProblem) {
            logger.error(
                "a request failed",
                metadata: ["error": "\(error)", "request_id": "\(requestID)", "path": "\(request.uri.path)"]
            )
        }
        let language = Language(acceptLanguage: request.headers[.acceptLanguage])
        return Self.response(problem, language: language, requestID: requestID)
    }

    static func response(_ problem: GatewayProblem, language: Language, requestID: String?) -> Response {
        var headers = ResponseHeaders.problem
        headers[.contentLanguage] = language.tag
        if problem.status == 401 {
            headers[.wwwAuthenticate] = "Bearer realm=\"batuta\""
        }
        if let seconds = problem.retryAfter {
            headers[.retryAfter] = String(seconds)
        }
        if !problem.allowed.isEmpty {
            headers[.allow] = problem.allowed.map(\.rawValue).joined(separator: ", ")
        }
        let document = problem.document(language: language, requestID: requestID)
        return Response(
            status: HTTPResponse.Status(code: (400...599).contains(problem.status) ? problem.status : 500),
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: document))
        )
    }

    private static func split(_ target: String) -> (path: Substring, query: Substring) {
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else {
            return (target[...], "")
        }
        return (target[..<mark], target[target.utf8.index(after: mark)...])
    }
}

extension RouteTable.Match {
    /// The route, where one was found.
    fileprivate var route: Route? {
        switch self {
        case .found(let route, _): route
        case .methodNotAllowed, .notFound: nil
        }
    }
}
