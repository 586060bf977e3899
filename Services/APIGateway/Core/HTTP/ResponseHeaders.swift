import HTTPTypes

extension HTTPField.Name {
    static let requestID = known("X-Request-Id")
    static let traceParent = known("traceparent")
    static let traceState = known("tracestate")
    static let idempotencyKey = known("Idempotency-Key")
    static let link = known("Link")
    static let frameOptions = known("X-Frame-Options")
    static let referrerPolicy = known("Referrer-Policy")

    /// A name written in the sources; it is a valid one.
    static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else {
            preconditionFailure("\(name) is no name of a header")
        }
        return name
    }
}

/// The header fields that every response has, made once.
enum ResponseHeaders {
    private static let common: HTTPFields = [
        .cacheControl: "no-store",
        .xContentTypeOptions: "nosniff",
        .contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'",
        .frameOptions: "DENY",
        .referrerPolicy: "no-referrer",
    ]

    /// Of an answer.
    static let json = common.with(.contentType, "application/json")

    /// Of a problem.
    static let problem = common.with(.contentType, "application/problem+json")

    /// Of an answer without a body.
    static let empty = common
}

extension HTTPFields {
    fileprivate func with(_ name: HTTPField.Name, _ value: String) -> HTTPFields {
        var fields = self
        fields[name] = value
        return fields
    }
}
