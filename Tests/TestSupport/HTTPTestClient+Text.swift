private import NIOHTTP1

extension HTTPTestClient {
    /// Sends a request whose method is given by its name.
    ///
    /// - Parameters:
    ///   - method: the method's name, like `POST`.
    ///   - path: the path and query, from the slash on.
    ///   - headers: header fields of this request.
    ///   - body: the body; nil sends none.
    /// - Returns: the answer.
    /// - Throws: what the connection threw.
    package func send(
        _ method: String,
        _ path: String,
        headers: [String: String] = [:],
        body: [UInt8]? = nil
    ) async throws -> Response {
        try await send(HTTPMethod(rawValue: method), path, headers: headers, body: body)
    }
}

extension HTTPTestClient.Response {
    /// A header field's value; nil where the answer has none.
    package func header(_ name: String) -> String? { headers.first(name: name) }
}
