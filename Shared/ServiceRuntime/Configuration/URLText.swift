/// Checks and redacts the texts of URLs, without a URL type: each client reads its own.
enum URLText {
    /// What is accepted, as a phrase.
    static func accepted(_ schemes: [String]) -> String {
        "a URL that begins with " + schemes.map { "\($0)://" }.joined(separator: " or ")
    }

    /// Refuses a text that is no absolute URL of one of the schemes.
    static func check(
        _ text: String,
        schemes: [String],
        allowsEmptyHost: Bool = false
    ) throws(InvalidValue) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw InvalidValue("holds blanks or control characters")
        }
        guard let (scheme, rest) = split(text) else { throw InvalidValue("is no URL") }
        guard schemes.contains(scheme.lowercased()) else { throw InvalidValue("has another scheme") }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let host = authority[(authority.lastIndex(of: "@").map(authority.index(after:)) ?? authority.startIndex)...]
        guard allowsEmptyHost || !(host.isEmpty || host.hasPrefix(":")) else { throw InvalidValue("names no host") }
        // libpq takes several hosts with their ports; those are left to it.
        guard !host.contains(","), let colon = host.lastIndex(of: ":"), !host[colon...].contains("]") else { return }
        let port = host[host.index(after: colon)...]
        guard !host[..<colon].contains(":") || host.hasPrefix("[") else { throw InvalidValue("has a broken host") }
        guard port.isEmpty || UInt16(port) != nil else { throw InvalidValue("has a broken port") }
    }

    /// The URL without what stands before `@`.
    static func withoutUserInformation(_ text: String) -> String {
        guard let (scheme, rest) = split(text) else { return text }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return text }
        return "\(scheme)://\(RedactedText.redaction)@\(rest[rest.index(after: at)...])"
    }

    private static func split(_ text: String) -> (scheme: Substring, rest: Substring)? {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
        return (text[..<colon], text[text.index(colon, offsetBy: 3)...])
    }
}
