/// Which header fields a request may have.
enum HeaderRules {
    /// Fields that leave the first origin for no other, whoever set them.
    static let alwaysSensitive: Set<String> = ["authorization", "cookie", "proxy-authorization"]

    /// Fields that describe a body and go when it goes (WHATWG Fetch, “request-body-header name”).
    static let bodyHeaders: Set<String> = [
        "content-encoding", "content-language", "content-location", "content-type", "digest", "content-digest",
    ]

    /// The most bytes of all names and values together.
    static let sizeLimit = 64 << 10

    /// Refuses fields that would break the message's framing or that belong to the connection.
    ///
    /// - Throws: ``OutboundError`` with code `invalid_request`, naming the field where its name can be shown.
    static func check(_ headers: [OutboundRequest.Header]) throws(OutboundError) {
        var size = 0
        for header in headers {
            size += header.name.utf8.count + header.value.utf8.count + 4
            guard !header.name.isEmpty, header.name.utf8.allSatisfy(isTokenByte) else {
                throw refusal("A header has a name that is none: letters, digits and hyphens make one.")
            }
            guard !connectionHeaders.contains(header.name.lowercased()) else {
                throw refusal("The header \(header.name) is set by the connection and cannot be given.")
            }
            guard header.value.utf8.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }) else {
                throw refusal("The value of the header \(header.name) has a line break or another control character.")
            }
        }
        guard size <= sizeLimit else { throw refusal("The headers have more than \(sizeLimit) bytes.") }
    }

    /// Host, framing, and the hop-by-hop fields of RFC 9110, section 7.6.1; `Expect` needs an exchange of its own.
    private static let connectionHeaders: Set<String> = [
        "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade",
    ]

    private static let tokenMarks = Set("!#$%&'*+-.^_`|~".utf8)

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
            || tokenMarks.contains(byte)
    }

    private static func refusal(_ message: String) -> OutboundError {
        OutboundError(.invalidRequest, .notSent, message)
    }
}
