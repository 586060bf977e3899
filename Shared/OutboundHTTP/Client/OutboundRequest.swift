/// A request to the outside, checked when it is made.
///
/// Its description is the method and the origin, since any other part may hold a secret.
package struct OutboundRequest: Sendable, CustomStringConvertible {
    /// The methods that are sent.
    package enum Method: String, Sendable, Hashable, CaseIterable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
        case options = "OPTIONS"

        /// Whether a repeated request is defined to have no more effect than one (RFC 9110, section 9.2.2).
        package var isIdempotent: Bool { self != .post && self != .patch }
    }

    /// What becomes of an answer that redirects.
    package enum Redirects: Sendable, Hashable {
        /// It is the answer.
        case refuse
        /// It is followed at most so many times.
        case follow(max: Int)
    }

    /// A header field; its description leaves the value out, which may be a secret.
    package struct Header: Sendable, Hashable, CustomStringConvertible {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }

        package var description: String { "\(name): …" }
    }

    package let method: Method
    package let url: OutboundURL

    /// The header fields in order; `Host`, the framing and, unless one is given, `User-Agent` are added when sending.
    package let headers: [Header]

    /// The body; empty for none.
    package let body: [UInt8]

    /// The names, in lower case, of the fields that leave the first origin for no other.
    package let sensitiveHeaders: Set<String>

    package let redirects: Redirects

    /// The largest answer that is read.
    package let limits: ResponseLimits

    package var description: String { "\(method.rawValue) \(url.origin)" }

    /// Makes a request.
    ///
    /// - Parameters:
    ///   - method: the method.
    ///   - url: where it goes.
    ///   - headers: the header fields.
    ///   - body: the body; empty for none.
    ///   - sensitiveHeaders: the fields that hold secrets, besides `Authorization`, `Cookie` and `Proxy-Authorization`.
    ///   - redirects: what becomes of an answer that redirects.
    ///   - limits: the largest answer that is read.
    /// - Throws: ``OutboundError`` with code `invalid_request`, naming the field but never its value.
    package init(
        method: Method = .get,
        url: OutboundURL,
        headers: [Header] = [],
        body: [UInt8] = [],
        sensitiveHeaders: Set<String> = [],
        redirects: Redirects = .refuse,
        limits: ResponseLimits = ResponseLimits()
    ) throws(OutboundError) {
        try HeaderRules.check(headers)
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.sensitiveHeaders = HeaderRules.alwaysSensitive.union(sensitiveHeaders.map { $0.lowercased() })
        self.redirects = redirects
        self.limits = limits
    }
}

/// The largest answer that is read.
package struct ResponseLimits: Sendable, Hashable {
    /// The most bytes of all header fields together.
    package let headBytes: Int

    /// The most bytes of a body.
    package let bodyBytes: Int

    package init(headBytes: Int = 64 << 10, bodyBytes: Int = 256 << 10) {
        self.headBytes = headBytes
        self.bodyBytes = bodyBytes
    }
}
