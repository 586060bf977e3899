import Glibc

/// The parts of a relay's URL.
struct RelayURL {
    var isEncrypted: Bool
    var user: String?
    var host: String
    var port: Int?
    var startTLS: Substring?

    /// Whether what is sent there stays on this machine.
    var isLoopback: Bool {
        host.lowercased() == "localhost" || host == "::1" || (Self.isIPv4(host) && host.hasPrefix("127."))
    }

    /// - Throws: ``MailError`` with a phrase that says what is wrong; it repeats nothing of the URL.
    init(_ url: String) throws(MailError) {
        var rest: Substring
        if url.hasPrefix("smtps://") {
            (isEncrypted, rest) = (true, url.dropFirst(8))
        } else if url.hasPrefix("smtp://") {
            (isEncrypted, rest) = (false, url.dropFirst(7))
        } else {
            throw MailRelay.invalid("begins with smtp:// or smtps://")
        }
        if let mark = rest.firstIndex(of: "?") {
            let query = rest[rest.index(after: mark)...]
            guard query.hasPrefix("starttls=") else { throw MailRelay.invalid("takes no parameter but starttls") }
            startTLS = query.dropFirst(9)
            rest = rest[..<mark]
        }
        if rest.last == "/" { rest.removeLast() }
        if let at = rest.lastIndex(of: "@") {
            user = try Self.user(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        (host, port) = try Self.endpoint(rest)
    }

    private static func user(_ text: Substring) throws(MailError) -> String {
        guard !text.contains(":") else {
            throw MailRelay.invalid("holds a password, which has to be set by itself")
        }
        guard let user = percentDecoded(text), !user.isEmpty, MailText.isOneLine(user) else {
            throw MailRelay.invalid("has a user that is not percent-encoded correctly")
        }
        return user
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = Substring(rest.prefix(2))
            // A sign, which the number would take as well, is no digit.
            guard digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit), let decoded = UInt8(digits, radix: 16)
            else { return nil }
            bytes.append(decoded)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func endpoint(_ text: Substring) throws(MailError) -> (String, Int?) {
        var host = text
        var port: Substring?
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { throw MailRelay.invalid("lacks a bracket") }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { throw MailRelay.invalid("has a broken host") }
            port = rest.isEmpty ? nil : rest.dropFirst()
            guard isIPv6(String(host)) else { throw MailRelay.invalid("has a broken host") }
        } else {
            if let colon = text.firstIndex(of: ":") {
                host = text[..<colon]
                port = text[text.index(after: colon)...]
            }
            guard isName(host) else { throw MailRelay.invalid("has a broken host") }
        }
        guard let port else { return (String(host), nil) }
        guard port.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(port), (1...65_535).contains(number)
        else { throw MailRelay.invalid("has a broken port") }
        return (String(host), number)
    }

    private static func isName(_ host: Substring) -> Bool {
        !host.isEmpty && host.utf8.count <= 253
            && host.utf8.allSatisfy { byte in
                byte < 0x80 && (MailText.isAtomByte(byte) || byte == UInt8(ascii: "."))
                    && !"!#$%&'*+/=?^`{|}~".utf8.contains(byte)
            }
    }

    private static func isIPv4(_ host: String) -> Bool {
        var address = in_addr()
        return inet_pton(AF_INET, host, &address) == 1
    }

    private static func isIPv6(_ host: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, host, &address) == 1
    }
}
