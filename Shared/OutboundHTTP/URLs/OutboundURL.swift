/// A URL of `http` or `https`, parsed strictly and in one normal form.
///
/// The parser is RFC 3986 without its loose ends: no user information, no spelling of a host that another parser might
/// read differently, and every character that has no place is refused. A fragment is dropped. What is sent is made from
/// the parts, so that no second parser can disagree.
package struct OutboundURL: Hashable, Sendable, CustomStringConvertible {
    /// What is spoken to the host.
    package enum Scheme: String, Hashable, Sendable {
        case http
        case https

        var defaultPort: Int { self == .http ? 80 : 443 }
    }

    /// Scheme, host and port: what two URLs share when they lead to the same server.
    package struct Origin: Hashable, Sendable, CustomStringConvertible {
        package let scheme: Scheme
        package let host: OutboundHost
        package let port: Int

        /// Host and port as in the `Host` header: the default port is left out.
        package var authority: String {
            port == scheme.defaultPort ? host.authority : "\(host.authority):\(port)"
        }

        package var description: String { "\(scheme.rawValue)://\(authority)" }
    }

    /// The longest URL that is taken, in bytes.
    package static let lengthLimit = 8_192

    package let origin: Origin

    /// The path, from its slash on, percent-encoded and without dot segments.
    package let path: String

    /// The query without its question mark; nil when there is none.
    package let query: String?

    /// Path and query, as in the first line of a request.
    package var target: String { query.map { "\(path)?\($0)" } ?? path }

    package var description: String { "\(origin)\(target)" }

    init(origin: Origin, path: String, query: String?) {
        self.origin = origin
        self.path = path
        self.query = query
    }

    /// Parses an absolute URL.
    ///
    /// - Throws: ``OutboundError`` with code `invalid_url` and a sentence on what is wrong; it repeats none of the URL.
    package init(_ text: String) throws(OutboundError) {
        try URLText.checkCharacters(text)
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), URLText.isScheme(text[..<colon]) else {
            throw Self.refusal("The URL is not absolute; it begins with http:// or https://.")
        }
        guard let scheme = Scheme(rawValue: text[..<colon].lowercased()) else {
            throw Self.refusal("Only URLs of http and https are called.")
        }
        let rest = text[text.index(after: colon)...]
        guard rest.hasPrefix("//") else { throw Self.refusal("Two slashes follow the scheme of a URL.") }
        try self.init(scheme: scheme, afterSlashes: rest.dropFirst(2))
    }

    /// Parses what follows the two slashes.
    init(scheme: Scheme, afterSlashes text: Substring) throws(OutboundError) {
        let end = URLText.endOfSegment(text)
        let origin = try Self.origin(scheme: scheme, authority: text[..<end])
        let parts = URLText.split(text[end...])
        let path = try URLText.encode(parts.path)
        self.init(
            origin: origin,
            path: URLText.removingDotSegments(path.isEmpty ? "/" : path),
            query: try URLText.encode(optional: parts.query)
        )
    }

    private static func origin(scheme: Scheme, authority: Substring) throws(OutboundError) -> Origin {
        guard !authority.utf8.contains(UInt8(ascii: "@")) else {
            throw refusal("The URL has a user name or an “@” before its path; credentials belong into a header.")
        }
        let host: OutboundHost
        let rest: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.utf8.firstIndex(of: UInt8(ascii: "]")) else {
                throw refusal("The bracket is not closed.")
            }
            host = try OutboundHost(bracketed: authority[authority.index(after: authority.startIndex)..<end])
            rest = authority[authority.index(after: end)...]
        } else {
            let end = authority.utf8.firstIndex(of: UInt8(ascii: ":")) ?? authority.endIndex
            host = try OutboundHost(authority[..<end])
            rest = authority[end...]
        }
        guard !rest.isEmpty else { return Origin(scheme: scheme, host: host, port: scheme.defaultPort) }
        guard rest.hasPrefix(":"), let port = DecimalText.value(rest.dropFirst()), (1...65_535).contains(port) else {
            throw refusal("The port is a number from 1 to 65535 after a colon.")
        }
        return Origin(scheme: scheme, host: host, port: port)
    }

    static func refusal(_ message: String) -> OutboundError {
        OutboundError(.invalidURL, .notSent, message)
    }
}
