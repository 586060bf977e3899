/// One request of a chain of redirects.
struct Hop: Sendable {
    private(set) var method: OutboundRequest.Method
    private(set) var url: OutboundURL
    private(set) var headers: [OutboundRequest.Header]
    private(set) var body: [UInt8]

    private let sensitiveHeaders: Set<String>

    init(_ request: OutboundRequest) {
        method = request.method
        url = request.url
        headers = request.headers
        body = request.body
        sensitiveHeaders = request.sensitiveHeaders
    }

    /// Whether a status asks for another request at the `Location`.
    static func isRedirect(_ status: Int) -> Bool { redirectStatuses.contains(status) }

    private static let redirectStatuses: Set<Int> = [301, 302, 303, 307, 308]

    /// Moves on to where an answer points.
    ///
    /// After 303 the method becomes GET, and after 301 or 302 POST becomes GET, both without the body, as browsers do
    /// (WHATWG Fetch, “HTTP-redirect fetch”); HEAD stays. Sensitive fields do not go to another origin.
    ///
    /// - Throws: ``OutboundError`` with code `redirect_refused`.
    mutating func redirected(status: Int, location: String) throws(OutboundError) {
        let next: OutboundURL
        do throws(OutboundError) {
            next = try url.resolving(location)
        } catch {
            throw Self.refusal("The redirect leads to no URL that may be called: \(error.message)", status)
        }
        guard url.origin.scheme == .http || next.origin.scheme == .https else {
            throw Self.refusal("The redirect leads from https to http, where others can read along.", status)
        }
        if next.origin != url.origin { headers.removeAll { sensitiveHeaders.contains($0.name.lowercased()) } }
        if dropsBody(status) {
            method = .get
            body = []
            headers.removeAll { HeaderRules.bodyHeaders.contains($0.name.lowercased()) }
        }
        url = next
    }

    private func dropsBody(_ status: Int) -> Bool {
        switch status {
        case 301, 302: method == .post
        case 303: method != .get && method != .head
        default: false
        }
    }

    private static func refusal(_ message: String, _ status: Int) -> OutboundError {
        OutboundError(.redirectRefused, .unknown, message, status: status)
    }
}
