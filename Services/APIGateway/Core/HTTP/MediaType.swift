/// The type of a body, without its parameters but for the charset.
struct MediaType: Equatable {
    /// `type/subtype` in lower case.
    let essence: String
    /// The charset in lower case, where one is named.
    let charset: String?

    /// Reads a `Content-Type`; nil where it is none.
    init?(_ header: String) {
        let parts = header.split(separator: ";", omittingEmptySubsequences: false)
        let essence = String(parts[0]).trimmedBlanks.lowercased()
        let names = essence.split(separator: "/", omittingEmptySubsequences: false)
        guard names.count == 2, names.allSatisfy({ !$0.isEmpty }) else {
            return nil
        }
        self.essence = essence
        var charset: String?
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, String(pair[0]).trimmedBlanks.lowercased() == "charset" else {
                continue
            }
            let value = String(pair[1]).trimmedBlanks.lowercased()
            charset =
                value.count >= 2 && value.hasPrefix("\"") && value.hasSuffix("\"")
                ? String(value.dropFirst().dropLast()) : value
        }
        self.charset = charset
    }

    /// Whether it is JSON, or a format that is written in JSON.
    var isJSON: Bool { essence.hasSuffix("/json") || essence.hasSuffix("+json") }

    /// Whether the text is UTF-8, as JSON must be.
    var isUTF8: Bool {
        switch charset {
        case nil, "utf-8", "utf8", "us-ascii": true
        default: false
        }
    }
}
