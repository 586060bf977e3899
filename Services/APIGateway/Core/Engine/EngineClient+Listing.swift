import JSON

extension EngineClient {
    /// A page of a list of the engine's, with a `Link` to the next one.
    ///
    /// - Parameters:
    ///   - type: The request's type; its answer has `items` and `next`.
    ///   - request: Its query has `limit`, `cursor` and what restricts the list.
    ///   - defaultLimit: How many items a page has where the query says nothing of it.
    ///   - restrict: Writes what restricts the list; a problem names the parameter that is not what it should be.
    /// - Returns: The answer.
    /// - Throws: `GatewayProblem`.
    func list(
        _ type: String,
        for request: GatewayRequest,
        defaultLimit: Int = 50,
        restrict: (Query, inout JSONWriter) throws -> Void = { _, _ in }
    ) async throws -> GatewayAnswer {
        let page = try PageRequest(try request.query(), defaultLimit: defaultLimit)
        var writer = JSONWriter()
        writer.beginObject()
        page.write(to: &writer)
        try restrict(page.query, &writer)
        writer.endObject()
        let body = try await ask(type, writer.bytes, for: request)
        let next = try document(of: body).root["next"]?.stringValue
        return page.answer(body, path: request.route.pattern, next: next)
    }
}
