import FoundationEssentials
import JSON
import OutboundHTTP

/// What a step of `http.request` asks for: its input, resolved and checked.
struct HTTPCall: Sendable {
    static let members: Set<String> = ["method", "url", "headers", "body", "expect", "follow_redirects"]
    /// How many redirects are followed where the input asks for it.
    static let maximumRedirects = 5

    let method: OutboundRequest.Method
    let url: OutboundURL
    let headers: [OutboundRequest.Header]
    let body: [UInt8]
    let followsRedirects: Bool
    private let expected: Set<Int>

    /// Reads a resolved input.
    ///
    /// - Parameters:
    ///   - input: RFC 8259 JSON.
    ///   - idempotencyKey: Sent with the request; the same for every attempt.
    /// - Throws: What is wrong with the input; it holds no value of it.
    init(_ input: [UInt8], idempotencyKey: String) throws(StepError) {
        guard let root = try? JSONDocument(parsing: input, limits: .wrapped).root else {
            throw StepError(code: "invalid_input", detail: "The input is not JSON.")
        }
        try Self.faults(of: root, isResolved: true).refuse()
        method = Self.method(root["method"]) ?? .get
        do throws(OutboundError) {
            url = try OutboundURL(root["url"]?.stringValue ?? "")
        } catch {
            throw StepError(error)
        }
        var headers: [OutboundRequest.Header] = []
        for member in root["headers"]?.members.map({ $0 }) ?? [] {
            headers.append(OutboundRequest.Header(member.key, member.value.stringValue ?? ""))
        }
        let names = Set(headers.map { $0.name.lowercased() })
        (body, headers) = Self.body(root["body"], headers: headers, names: names)
        self.headers = headers + [OutboundRequest.Header("Idempotency-Key", idempotencyKey)]
        followsRedirects = root["follow_redirects"]?.boolValue ?? false
        expected = Set(root["expect"]?.elements.compactMap { $0.int64Value.map(Int.init(clamping:)) } ?? [])
    }

    /// A request that another action makes; it follows no redirect.
    init(
        method: OutboundRequest.Method,
        url: OutboundURL,
        headers: [OutboundRequest.Header],
        body: [UInt8],
        idempotencyKey: String
    ) {
        self.method = method
        self.url = url
        self.body = body
        self.headers = headers + [OutboundRequest.Header("Idempotency-Key", idempotencyKey)]
        followsRedirects = false
        expected = []
    }

    /// Whether an answer with this status is a success.
    func isExpected(_ status: Int) -> Bool { status < 400 || expected.contains(status) }

    /// A text is sent as it is, anything else as JSON.
    private static func body(
        _ body: JSONView?,
        headers: [OutboundRequest.Header],
        names: Set<String>
    ) -> ([UInt8], [OutboundRequest.Header]) {
        guard let body, !body.isNull else {
            return ([], headers)
        }
        let type = body.kind == .string ? "text/plain; charset=utf-8" : "application/json"
        let bytes = body.stringValue.map { Array($0.utf8) } ?? Array(body.rawBytes)
        guard !names.contains("content-type") else {
            return (bytes, headers)
        }
        return (bytes, headers + [OutboundRequest.Header("Content-Type", type)])
    }

    private static func method(_ method: JSONView?) -> OutboundRequest.Method? {
        method?.stringValue.flatMap { OutboundRequest.Method(rawValue: $0.uppercased()) }
    }
}

// MARK: - What shows before the input is resolved

extension HTTPCall {
    /// Whether the method that an input states may be repeated without a further effect; false where a template decides.
    static func isIdempotent(_ input: JSONView?) -> Bool {
        guard let stated = input?["method"] else {
            return true
        }
        return method(stated)?.isIdempotent ?? false
    }

    /// What is wrong with an input; what templates decide is left out unless they are resolved.
    static func faults(of input: JSONView?, isResolved: Bool = false) -> [InputFault] {
        guard let input, input.kind == .object else {
            return [InputFault(member: "url", code: "required", detail: "http.request needs a url.")]
        }
        func isOpen(_ view: JSONView) -> Bool { !isResolved && (view.stringValue?.contains("{{") ?? false) }
        var faults: [InputFault] = []
        func add(_ member: String, _ code: String, _ detail: String) {
            faults.append(InputFault(member: member, code: code, detail: detail))
        }
        if let method = input["method"], !isOpen(method), Self.method(method) == nil {
            let known = OutboundRequest.Method.allCases.map(\.rawValue).joined(separator: ", ")
            add("method", "invalid_value", "The method is one of \(known).")
        }
        switch input["url"] {
        case .none: add("url", "required", "http.request needs a url.")
        case .some(let url) where isOpen(url): break
        case .some(let url):
            do throws(OutboundError) {
                _ = try OutboundURL(url.stringValue ?? "")
            } catch {
                add("url", error.code.rawValue, error.message)
            }
        }
        if let headers = input["headers"], !isOpen(headers) {
            if headers.kind != .object || headers.members.contains(where: { $0.value.kind != .string }) {
                add("headers", "invalid_type", "The headers are an object of texts.")
            } else {
                let stated = headers.members.filter { !isOpen($0.value) }
                    .map { OutboundRequest.Header($0.key, $0.value.stringValue ?? "") }
                if let fault = fault(of: stated) { add("headers", "invalid_value", fault) }
                if headers.members.contains(where: { $0.key.lowercased() == "idempotency-key" }) {
                    add("headers", "invalid_value", "The engine sets Idempotency-Key, the same for every attempt.")
                }
            }
        }
        if let expect = input["expect"], !isOpen(expect),
            expect.kind != .array
                || expect.elements.contains(where: { !(100...599).contains($0.int64Value ?? 0) && !isOpen($0) })
        {
            add("expect", "invalid_value", "expect is an array of statuses from 100 to 599.")
        }
        if let follows = input["follow_redirects"], !isOpen(follows), follows.boolValue == nil {
            add("follow_redirects", "invalid_type", "follow_redirects is true or false.")
        }
        return faults
    }

    private static func fault(of headers: [OutboundRequest.Header]) -> String? {
        guard let url = try? OutboundURL("http://example.com/") else {
            return nil
        }
        do throws(OutboundError) {
            _ = try OutboundRequest(url: url, headers: headers)
            return nil
        } catch {
            return error.message
        }
    }
}

extension StepError {
    /// A failure of a request to the outside.
    init(_ error: OutboundError) {
        self.init(code: error.code.rawValue, detail: error.message)
        if let status = error.status { members["status"] = .number(Int64(status)) }
    }
}
