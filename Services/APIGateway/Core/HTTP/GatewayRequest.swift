import HTTPTypes
import ServiceRuntime

/// A request that was found to be allowed, as the operations see it.
struct GatewayRequest: Sendable {
    let route: Route
    /// The parameters of the path, in their order.
    let parameters: [String]
    /// What follows the question mark, undecoded.
    let queryText: Substring
    let headers: HTTPFields
    let body: [UInt8]
    let requestID: String
    let trace: TraceContext
    let caller: Caller

    /// The parameters of the query; a problem where they cannot be read.
    func query() throws -> Query {
        guard let query = Query(queryText) else {
            throw GatewayProblem.invalidParameter("query")
        }
        return query
    }

    /// The `Idempotency-Key`, where one was sent; a problem where it is none.
    func idempotencyKey() throws -> String? {
        guard let header = headers[.idempotencyKey] else {
            return nil
        }
        guard let key = IdempotencyKey.value(header) else {
            throw GatewayProblem.invalidParameter("Idempotency-Key")
        }
        return key
    }
}

/// Whose request it is, and when that was found out.
struct Caller: Sendable {
    let principal: Principal
    let token: TokenHash
    /// The generation of the tokens at which the token was found.
    let generation: Int64
}

/// What an operation answers.
struct GatewayAnswer: Sendable {
    let status: HTTPResponse.Status
    let body: [UInt8]
    /// Header fields beyond those that every response has; their values are checked by whoever sets them.
    var headers: [(name: HTTPField.Name, value: String)] = []

    init(_ status: HTTPResponse.Status, _ body: [UInt8], headers: [(name: HTTPField.Name, value: String)] = []) {
        self.status = status
        self.body = body
        self.headers = headers
    }
}
