import JSON

/// What the body of an event in binary form becomes in structured form (JSON event format 1.0.2, section 3.1).
enum BinaryData {
    /// There is no data.
    case none
    /// The JSON of `data`.
    case json([UInt8])
    /// The text of `data_base64`.
    case base64(String)

    /// One level less than a document may have: the event is around it.
    private static let limits = JSONLimits(maximumDepth: JSONLimits.standard.maximumDepth - 1)

    /// - Throws: `JSONParsingError` where the media type is JSON, or none, and the body is not JSON.
    init(_ body: [UInt8], contentType: String?) throws(JSONParsingError) {
        guard !body.isEmpty else {
            self = .none
            return
        }
        switch Kind(contentType) {
        case .json:
            let root = try JSONDocument(parsing: body, limits: Self.limits).root
            // In structured form a null is no data either.
            self = root.isNull ? .none : .json(Array(root.rawBytes))
        case .text:
            guard let text = String(validating: body, as: UTF8.self) else { fallthrough }
            var writer = JSONWriter(capacity: body.count + 16)
            writer.string(text)
            self = .json(writer.bytes)
        case .bytes:
            self = .base64(Self.base64(body))
        }
    }

    /// What a media type says of the data.
    private enum Kind {
        case json
        case text
        case bytes

        init(_ contentType: String?) {
            guard let contentType else {
                self = .json
                return
            }
            let parts = contentType.lowercased().split(separator: ";")
            let essence = parts.first.map { $0.filter { $0 != " " && $0 != "\t" } } ?? ""
            let subtype = essence.split(separator: "/").dropFirst().first ?? ""
            if subtype == "json" || subtype.hasSuffix("+json") {
                self = .json
            } else if let charset = Self.charset(parts.dropFirst()) {
                self = ["utf-8", "utf8", "us-ascii"].contains(charset) ? .text : .bytes
            } else {
                let isText = essence.hasPrefix("text/") || subtype == "xml" || subtype.hasSuffix("+xml")
                self = isText ? .text : .bytes
            }
        }

        private static func charset(_ parameters: some Sequence<Substring>) -> String? {
            for parameter in parameters {
                let text = parameter.filter { !" \t\"".contains($0) }
                if text.hasPrefix("charset=") { return String(text.dropFirst("charset=".count)) }
            }
            return nil
        }
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Base64 with its padding (RFC 4648, section 4).
    static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var rest = bytes[...]
        while !rest.isEmpty {
            let group = rest.prefix(3)
            let word = group.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for index in 0..<4 {
                let digit = Int(word >> UInt32(18 - 6 * index) & 63)
                text.append(index <= group.count ? alphabet[digit] : UInt8(ascii: "="))
            }
            rest = rest.dropFirst(3)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
