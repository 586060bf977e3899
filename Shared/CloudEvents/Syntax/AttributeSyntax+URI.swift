extension AttributeSyntax {
    /// Whether text is a URI-reference (RFC 3986, section 4.1).
    static func isURIReference(_ text: String) -> Bool {
        parts(of: text) != nil
    }

    /// Whether text is an absolute URI (RFC 3986, section 4.3): with a scheme, without a fragment.
    static func isAbsoluteURI(_ text: String) -> Bool {
        guard let parts = parts(of: text) else { return false }
        return parts.hasScheme && !parts.hasFragment
    }

    /// Which parts a URI-reference has, or nil for text that is none.
    private static func parts(of text: String) -> (hasScheme: Bool, hasFragment: Bool)? {
        var rest = Array(text.utf8)[...]
        let fragment = cut(&rest, at: UInt8(ascii: "#"))
        let query = cut(&rest, at: UInt8(ascii: "?"))
        for part in [fragment, query] {
            if let part, !consists(part, of: { isPathCharacter($0) || $0 == UInt8(ascii: "?") }) { return nil }
        }
        var hasScheme = false
        // A colon before any slash ends a scheme: the first segment of a relative path has none.
        let head = rest.prefix { $0 != UInt8(ascii: "/") }
        if let colon = head.firstIndex(of: UInt8(ascii: ":")) {
            guard isScheme(rest[..<colon]) else { return nil }
            rest = rest[(colon + 1)...]
            hasScheme = true
        }
        if rest.starts(with: "//".utf8) {
            rest = rest.dropFirst(2)
            let authority = rest.prefix { $0 != UInt8(ascii: "/") }
            guard isAuthority(authority) else { return nil }
            rest = rest[authority.endIndex...]
        }
        guard consists(rest, of: isPathCharacter) else { return nil }
        return (hasScheme, fragment != nil)
    }

    /// Takes away a character and what follows it, and returns the latter.
    private static func cut(_ rest: inout ArraySlice<UInt8>, at character: UInt8) -> ArraySlice<UInt8>? {
        guard let index = rest.firstIndex(of: character) else { return nil }
        defer { rest = rest[..<index] }
        return rest[(index + 1)...]
    }

    private static func isScheme(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first, isLetter(first) else { return false }
        return text.allSatisfy { byte in
            isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: ".")
        }
    }

    private static func isAuthority(_ text: ArraySlice<UInt8>) -> Bool {
        var host = text
        if let at = text.lastIndex(of: UInt8(ascii: "@")) {
            guard consists(text[..<at], of: { isHostCharacter($0) || $0 == UInt8(ascii: ":") }) else { return false }
            host = text[(at + 1)...]
        }
        if host.first == UInt8(ascii: "[") {
            guard let end = host.firstIndex(of: UInt8(ascii: "]")) else { return false }
            guard isAddress(host[(host.startIndex + 1)..<end]) else { return false }
            host = host[(end + 1)...]
            guard host.isEmpty || host.first == UInt8(ascii: ":") else { return false }
        }
        let port = cut(&host, at: UInt8(ascii: ":"))
        return consists(host, of: isHostCharacter) && port?.allSatisfy(isDigit) != false
    }

    /// Whether text between brackets is an address of IPv6 or of a later version.
    private static func isAddress(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first, lowercase(first) == UInt8(ascii: "v") else {
            return isIPv6(String(decoding: text, as: UTF8.self))
        }
        let version = text.dropFirst().prefix(while: isHexDigit)
        let address = text[version.endIndex...].dropFirst()
        guard !version.isEmpty, text[version.endIndex...].first == UInt8(ascii: "."), !address.isEmpty else {
            return false
        }
        return address.allSatisfy { isHostCharacter($0) && $0 != UInt8(ascii: "%") || $0 == UInt8(ascii: ":") }
    }

    private static func isIPv6(_ text: String) -> Bool {
        // "::" stands at most once, for at least one group of zeros; splitting at it leaves one or two halves.
        var halves: [[Substring]] = [[]]
        var groups = text.split(separator: ":", omittingEmptySubsequences: false)
        guard groups.count >= 3 else { return false }
        if groups.starts(with: ["", ""]) { groups.removeFirst() }
        if groups.suffix(2) == ["", ""] { groups.removeLast() }
        for group in groups {
            if group.isEmpty { halves.append([]) } else { halves[halves.count - 1].append(group) }
        }
        guard halves.count <= 2 else { return false }
        var count = 0
        for (index, group) in groups.enumerated() where !group.isEmpty {
            if group.utf8.count <= 4, group.utf8.allSatisfy(isHexDigit) {
                count += 1
            } else if index == groups.count - 1, isIPv4(group) {
                count += 2
            } else {
                return false
            }
        }
        return halves.count == 1 ? count == 8 : count <= 7
    }

    private static func isIPv4(_ text: Substring) -> Bool {
        let numbers = text.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4
            && numbers.allSatisfy { number in
                guard (1...3).contains(number.utf8.count), number.utf8.allSatisfy(isDigit) else { return false }
                return (number.utf8.count == 1 || number.utf8.first != UInt8(ascii: "0")) && UInt8(number) != nil
            }
    }

    /// Whether text has only such characters, and each `%` is followed by two hexadecimal digits.
    private static func consists(_ text: ArraySlice<UInt8>, of isAllowed: (UInt8) -> Bool) -> Bool {
        var pending = 0
        for byte in text {
            if pending > 0 {
                guard isHexDigit(byte) else { return false }
                pending -= 1
            } else if byte == UInt8(ascii: "%") {
                pending = 2
            } else if !isAllowed(byte) {
                return false
            }
        }
        return pending == 0
    }

    /// Unreserved characters and sub-delimiters, which stand for themselves everywhere.
    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        if isLetter(byte) || isDigit(byte) { return true }
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "!"),
            UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="):
            return true
        default:
            return false
        }
    }

    private static func isPathCharacter(_ byte: UInt8) -> Bool {
        isHostCharacter(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "/")
    }
}
