import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// Where the gateway is and who asks: options that every command of a client has.
struct GatewayOptions: ParsableArguments {
    static let urlName = "BATUTA_URL"
    static let tokenName = "BATUTA_TOKEN"

    @Option(name: .long, help: "The gateway's address; otherwise \(urlName).")
    var url: String?

    @Option(name: .long, help: "The token; otherwise \(tokenName) or the file that \(tokenName)_FILE names.")
    var token: String?

    @OptionGroup var trust: TrustOptions

    /// A client with these settings.
    ///
    /// - Throws: `ValidationError` when one is missing or none.
    func client() throws -> GatewayClient {
        guard let url = try url ?? EnvironmentSetting.value(Self.urlName) else {
            throw ValidationError("Give the gateway's address with --url or \(Self.urlName).")
        }
        guard let token = try token ?? EnvironmentSetting.value(Self.tokenName) else {
            throw ValidationError("Give a token with --token or \(Self.tokenName).")
        }
        guard let client = GatewayClient(url: url, token: token, http: try trust.httpClient(for: url)) else {
            throw ValidationError("The address must be http(s)://host:port, and the token plain text.")
        }
        return client
    }
}

/// The gateway's API, as far as commands need it.
struct GatewayClient: Sendable {
    /// An answer, whatever its status.
    struct Answer: Sendable {
        var status: Int
        var body: [UInt8]
        /// The query that asks for the next page, where `Link` says that there is one.
        var next: [URLQueryItem]?
        var isSuccess: Bool { (200..<300).contains(status) }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// The address without a path.
    let base: URLComponents
    let token: String
    private let http: HTTPClient
    private static let longestAnswer = 4 << 20

    /// Takes `http(s)://host[:port]`; nil for anything else, and for a token that no header could carry.
    ///
    /// - Parameters:
    ///   - url: The address.
    ///   - token: The token.
    ///   - http: The connections, with whom they trust.
    init?(url: String, token: String, http: HTTPClient = .shared) {
        guard var parts = URLComponents(string: url), let scheme = parts.scheme, ["http", "https"].contains(scheme),
            let host = parts.host, !host.isEmpty, parts.user == nil, parts.query == nil, parts.fragment == nil,
            parts.path.isEmpty || parts.path == "/"
        else { return nil }
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        parts.path = ""
        base = parts
        self.token = token
        self.http = http
    }

    /// Asks for something.
    ///
    /// - Throws: ``CommandLineError`` when no answer comes.
    func ask(
        _ method: HTTPMethod,
        _ path: String,
        query: [URLQueryItem] = [],
        body: [UInt8]? = nil,
        contentType: String = "application/json",
        idempotencyKey: String? = nil
    ) async throws(CommandLineError) -> Answer {
        var target = base
        target.path = path
        target.queryItems = query.isEmpty ? nil : query
        // A plus stands for itself in a URL, and for a space in a form, as which the gateway reads a query.
        target.percentEncodedQuery = target.percentEncodedQuery?.replacing("+", with: "%2B")
        var request = HTTPClientRequest(url: target.string ?? "")
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        request.headers.add(name: "Accept", value: "application/json, application/problem+json")
        if let idempotencyKey {
            request.headers.add(name: "Idempotency-Key", value: idempotencyKey)
        }
        if let body {
            request.headers.add(name: "Content-Type", value: contentType)
            request.body = .bytes(body)
        }
        do {
            let response = try await http.execute(request, timeout: .seconds(30))
            let content = try await response.body.collect(upTo: Self.longestAnswer)
            return Answer(
                status: Int(response.status.code),
                body: Array(content.readableBytesView),
                next: Self.next(response.headers.first(name: "Link"))
            )
        } catch  where TrustedAuthorities.isRefusal(error) {
            throw CommandLineError(.untrusted, "the gateway at \(base.string ?? "") cannot be trusted: \(error)")
        } catch {
            throw CommandLineError(.unreachable, "the gateway at \(base.string ?? "") does not answer: \(error)")
        }
    }

    /// Reads `<address>; rel="next"`.
    private static func next(_ link: String?) -> [URLQueryItem]? {
        guard let link, link.hasPrefix("<"), let end = link.firstIndex(of: ">"),
            link[end...].dropFirst().drop(while: { $0 == " " || $0 == ";" }) == "rel=\"next\""
        else { return nil }
        return URLComponents(string: String(link[link.index(after: link.startIndex)..<end]))?.queryItems
    }
}
