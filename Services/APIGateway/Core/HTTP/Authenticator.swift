import Contracts
import FoundationEssentials
import HTTPTypes

/// Finds out whose a request is, and whether its role may use the route.
struct Authenticator: Sendable {
    let identities: IdentityStore
    let refusals: RefusalLedger
    let metrics: RequestMetrics

    /// The caller of a request.
    ///
    /// The signals' route is content with the tokens held in memory, because its transaction checks their generation; a
    /// token that is not among them may be new, so it is looked up again before it is refused.
    ///
    /// - Throws: `GatewayProblem` with 401 or 403, or an error of the database.
    func caller(of headers: HTTPFields, on route: Route) async throws -> Caller {
        guard let token = headers[.authorization].flatMap({ APIToken(authorization: $0) }) else {
            throw GatewayProblem(.unauthenticated)
        }
        let hash = token.hash
        let now = Date().timeIntervalSince1970
        if route == .postSignal, let held = identities.held, let principal = held.principal(hash, at: now) {
            return try admit(Caller(principal: principal, token: hash, generation: held.generation), to: route)
        }
        let snapshot = try await identities.current()
        guard let principal = snapshot.principal(hash, at: now) else {
            metrics.tokenWasUnknown()
            throw GatewayProblem(.unauthenticated)
        }
        return try admit(Caller(principal: principal, token: hash, generation: snapshot.generation), to: route)
    }

    private func admit(_ caller: Caller, to route: Route) throws -> Caller {
        guard AccessTable.allows(caller.principal.role, route) else {
            refusals.note(caller.principal, route)
            throw GatewayProblem(.forbidden)
        }
        return caller
    }
}
