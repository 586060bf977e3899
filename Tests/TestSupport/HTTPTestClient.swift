package import AsyncHTTPClient
private import NIOCore
package import NIOHTTP1

/// A small HTTP/1.1 client for tests: whole requests, whole answers, connections kept and used again.
package struct HTTPTestClient: Sendable {
    /// An answer, read to its end.
    package struct Response: Sendable {
        /// The status code.
        package let status: Int

        /// The header fields; names are compared without regard to case.
        package let headers: HTTPHeaders

        /// The body's bytes.
        package let body: [UInt8]

        /// The body as text.
        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// The largest body that is read, in bytes.
    package static let bodyLimit = 64 << 20

    /// What comes before each request's path, like `http://127.0.0.1:8080`.
    package let base: String

    /// Header fields of every request; a request's own fields replace them.
    package let headers: [String: String]

    private let client: HTTPClient

    /// Makes a client on the connections that the whole process shares.
    package init(base: String, headers: [String: String] = [:], client: HTTPClient = .shared) {
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
        self.headers = headers
        self.client = client
    }

    /// Sends a request and reads the answer, whatever its status.
    ///
    /// - Parameters:
    ///   - method: the request's method.
    ///   - path: the path and query, from the slash on.
    ///   - headers: header fields of this request.
    ///   - body: the body; nil sends none.
    ///   - limit: how long the whole exchange may take.
    /// - Returns: the answer.
    /// - Throws: what the connection threw.
    package func send(
        _ method: HTTPMethod,
        _ path: String,
        headers: [String: String] = [:],
        body: [UInt8]? = nil,
        within limit: Duration = .seconds(60)
    ) async throws -> Response {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        for (name, value) in self.headers.merging(headers, uniquingKeysWith: { $1 }) {
            request.headers.replaceOrAdd(name: name, value: value)
        }
        if let body { request.body = .bytes(body) }
        let response = try await client.execute(request, timeout: TimeAmount(limit))
        let buffer = try await response.body.collect(upTo: Self.bodyLimit)
        return Response(
            status: Int(response.status.code),
            headers: response.headers,
            body: Array(buffer.readableBytesView)
        )
    }

    /// Gets a path.
    package func get(_ path: String, headers: [String: String] = [:]) async throws -> Response {
        try await send(.GET, path, headers: headers)
    }

    /// Posts a body, as JSON unless the header fields say otherwise.
    package func post(_ path: String, json: String, headers: [String: String] = [:]) async throws -> Response {
        let fields = ["Content-Type": "application/json"].merging(headers, uniquingKeysWith: { $1 })
        return try await send(.POST, path, headers: fields, body: Array(json.utf8))
    }
}
