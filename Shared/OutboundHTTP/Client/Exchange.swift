import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// One request to one address, and its answer.
struct Exchange: Sendable {
    /// What came back.
    enum Answer: Sendable {
        /// The answer, read to its end.
        case complete(Content)
        /// An answer that leads elsewhere, of a request that follows such.
        case redirect(status: Int, location: String)
    }

    /// Status, header fields and body.
    struct Content: Sendable {
        var status: Int
        var headers: [String: String] = [:]
        var setCookies: [String] = []
        var body: [UInt8] = []
    }

    let hop: Hop
    let request: OutboundRequest
    let gates: SendGates
    let userAgent: String

    /// How much of a redirect's body is read so that the connection can be kept.
    private static let redirectBodyLimit = 16 << 10

    /// Sends the request and reads the answer.
    func result(_ client: HTTPClient, deadline: ContinuousClock.Instant) async -> Result<Answer, OutboundError> {
        let gate = SendGate(target: hop.url.target)
        let path = gates.add(gate)
        defer { gates.remove(path) }
        var status: Int?
        do {
            let head = HTTPClientRequest(self, path: path)
            let response = try await client.execute(head, deadline: .now() + TimeAmount(deadline - .now))
            status = Int(response.status.code)
            return .success(try await read(response))
        } catch let error as OutboundError {
            return .failure(error)
        } catch {
            let isUnsent = gate.close()
            return .failure(
                OutboundError(transport: error, origin: hop.url.origin, isUnsent: isUnsent, status: status)
            )
        }
    }

    // MARK: - The answer

    private func read(_ response: HTTPClientResponse) async throws -> Answer {
        let status = Int(response.status.code)
        if case .follow = request.redirects, Hop.isRedirect(status) {
            let locations = response.headers["location"]
            guard locations.count <= 1 else {
                throw OutboundError(.redirectRefused, .unknown, "The redirect has several targets.", status: status)
            }
            if let location = locations.first {
                try await discard(response.body)
                return .redirect(status: status, location: location)
            }
        }
        var content = try head(response)
        content.body = try await body(response, status: status)
        return .complete(content)
    }

    private func head(_ response: HTTPClientResponse) throws(OutboundError) -> Content {
        var content = Content(status: Int(response.status.code))
        var size = 0
        for (name, value) in response.headers {
            size += name.utf8.count + value.utf8.count + 4
            guard size <= request.limits.headBytes else {
                throw tooLarge("head", limit: request.limits.headBytes, status: content.status)
            }
            let name = name.lowercased()
            if name == "set-cookie" {
                content.setCookies.append(value)
            } else {
                content.headers[name] = content.headers[name].map { "\($0), \(value)" } ?? value
            }
        }
        return content
    }

    private func body(_ response: HTTPClientResponse, status: Int) async throws -> [UInt8] {
        let limit = request.limits.bodyBytes
        // An announced length is believed when it is too much, which saves the transfer; never when it is not.
        let announced = response.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        guard hop.method == .head || announced <= limit else { throw tooLarge("body", limit: limit, status: status) }
        var bytes: [UInt8] = []
        for try await buffer in response.body {
            guard buffer.readableBytes <= limit - bytes.count else {
                throw tooLarge("body", limit: limit, status: status)
            }
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        // What a cancelled sequence left is never taken for a complete body.
        try Task.checkCancellation()
        return bytes
    }

    private func discard(_ body: HTTPClientResponse.Body) async throws {
        var count = 0
        do {
            for try await buffer in body {
                count += buffer.readableBytes
                // Leaving the sequence unread closes the connection.
                guard count <= Self.redirectBodyLimit else { break }
            }
        } catch {
            // The answer's head said all that matters.
        }
        try Task.checkCancellation()
    }

    private func tooLarge(_ part: String, limit: Int, status: Int) -> OutboundError {
        let message = "The \(part) of the answer from \(hop.url.origin) is larger than \(limit) bytes."
        return OutboundError(.responseTooLarge, .unknown, message, status: status)
    }
}

extension HTTPClientRequest {
    /// The request of a hop, on its way under a path that stands for its gate.
    fileprivate init(_ exchange: Exchange, path: String) {
        let origin = exchange.hop.url.origin
        self.init(url: "\(origin.scheme.rawValue)://\(origin.host.authority):\(origin.port)\(path)")
        method = HTTPMethod(rawValue: exchange.hop.method.rawValue)
        headers.add(name: "Host", value: origin.authority)
        for header in exchange.hop.headers { headers.add(name: header.name, value: header.value) }
        if !headers.contains(name: "User-Agent") { headers.add(name: "User-Agent", value: exchange.userAgent) }
        if !exchange.hop.body.isEmpty { body = .bytes(exchange.hop.body) }
    }
}

extension OutboundResponse {
    /// An answer and where it came from.
    init(_ content: Exchange.Content, url: OutboundURL, hops: Int) {
        self.init(
            status: content.status,
            headers: content.headers,
            setCookies: content.setCookies,
            body: content.body,
            url: url,
            hops: hops
        )
    }
}
