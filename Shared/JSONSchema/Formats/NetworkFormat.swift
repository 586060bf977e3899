/// Checks of names and addresses.
enum NetworkFormat {
    typealias Text = Slice<UnsafeBufferPointer<UInt8>>

    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

    static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 6 }

    /// Four numbers up to 255, without superfluous zeros.
    static func isIPv4(_ text: Text) -> Bool {
        guard text.count <= 15 else { return false }
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard (1...3).contains(part.count), part.allSatisfy(isDigit) else { return false }
                guard part.first != UInt8(ascii: "0") || part.count == 1 else { return false }
                return part.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } <= 255
            }
    }

    /// Eight groups of hexadecimal digits; `::` stands for one or more of zeros, an IPv4 address for the last two.
    static func isIPv6(_ text: Text) -> Bool {
        guard text.count <= 45 else { return false }
        let groups = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard groups.count >= 3, groups.count <= 9 else { return false }
        let inner = groups.dropFirst().dropLast().count { $0.isEmpty }
        let (startsEmpty, endsEmpty) = (groups.first?.isEmpty == true, groups.last?.isEmpty == true)
        // A colon at either end must be one of two.
        if startsEmpty, groups[1].isEmpty == false { return false }
        if endsEmpty, groups[groups.count - 2].isEmpty == false { return false }
        guard inner <= 1 else { return false }
        var count = 0
        for (index, group) in groups.enumerated() where !group.isEmpty {
            if index == groups.count - 1, group.contains(UInt8(ascii: ".")) {
                guard isIPv4(group) else { return false }
                count += 2
            } else {
                guard group.count <= 4, group.allSatisfy(isHex) else { return false }
                count += 1
            }
        }
        return inner == 1 ? count <= 7 : count == 8
    }

    /// Labels of letters, digits and inner hyphens, up to 63 each and 253 together.
    static func isHostname(_ text: Text) -> Bool {
        guard (1...253).contains(text.count) else { return false }
        return text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            guard (1...63).contains(label.count) else { return false }
            guard label.first != UInt8(ascii: "-"), label.last != UInt8(ascii: "-") else { return false }
            return label.allSatisfy { isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "-") }
        }
    }

    /// `Dot-string@Domain` of RFC 5321: neither quoted names nor addresses in brackets.
    static func isEmail(_ text: Text) -> Bool {
        guard text.count <= 254, let at = text.lastIndex(of: UInt8(ascii: "@")) else { return false }
        let name = text[..<at]
        guard (1...64).contains(name.count), isHostname(text[(at + 1)...]) else { return false }
        return name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty && atom.allSatisfy { isDigit($0) || isLetter($0) || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) }
        }
    }

    // MARK: - RFC 3986

    /// A scheme, a colon, and what the grammar allows behind it.
    static func isURI(_ text: Text) -> Bool {
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return false }
        let scheme = text[..<colon]
        guard let first = scheme.first, isLetter(first) else { return false }
        guard scheme.allSatisfy({ isDigit($0) || isLetter($0) || "+-.".utf8.contains($0) }) else { return false }
        var rest = text[(colon + 1)...]
        if let fragment = rest.firstIndex(of: UInt8(ascii: "#")) {
            guard isPart(rest[(fragment + 1)...], also: "/?:@") else { return false }
            rest = rest[..<fragment]
        }
        if let query = rest.firstIndex(of: UInt8(ascii: "?")) {
            guard isPart(rest[(query + 1)...], also: "/?:@") else { return false }
            rest = rest[..<query]
        }
        guard rest.starts(with: "//".utf8) else { return isPart(rest, also: "/:@") }
        let behind = rest.dropFirst(2)
        let end = behind.firstIndex(of: UInt8(ascii: "/")) ?? behind.endIndex
        return isAuthority(behind[..<end]) && isPart(behind[end...], also: "/:@")
    }

    /// A host, with a user before it and a port behind it where there are any.
    private static func isAuthority(_ text: Text) -> Bool {
        var host = text
        if let at = text.lastIndex(of: UInt8(ascii: "@")) {
            guard isPart(text[..<at], also: ":") else { return false }
            host = text[(at + 1)...]
        }
        if host.first == UInt8(ascii: "[") {
            guard let end = host.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let port = host[(end + 1)...]
            guard port.isEmpty || port.first == UInt8(ascii: ":") else { return false }
            return isIPv6(host[host.index(after: host.startIndex)..<end]) && port.dropFirst().allSatisfy(isDigit)
        }
        if let colon = host.lastIndex(of: UInt8(ascii: ":")) {
            guard host[(colon + 1)...].allSatisfy(isDigit) else { return false }
            host = host[..<colon]
        }
        return isPart(host, also: "")
    }

    /// Unreserved characters, sub-delimiters, percent-encoded bytes, and others.
    private static func isPart(_ text: Text, also others: String) -> Bool {
        var at = text.startIndex
        while at < text.endIndex {
            let byte = text[at]
            if byte == UInt8(ascii: "%") {
                guard text.endIndex - at > 2, isHex(text[at + 1]), isHex(text[at + 2]) else { return false }
                at += 3
                continue
            }
            guard
                isDigit(byte) || isLetter(byte) || "-._~!$&'()*+,;=".utf8.contains(byte)
                    || others.utf8.contains(byte)
            else { return false }
            at += 1
        }
        return true
    }
}
