/// The character rules of URLs.
enum URLText {
    /// Refuses what no URL may have anywhere, and what is too long.
    static func checkCharacters(_ text: String) throws(OutboundError) {
        guard !text.isEmpty else { throw OutboundURL.refusal("The URL is empty.") }
        guard text.utf8.count <= OutboundURL.lengthLimit else {
            throw OutboundURL.refusal("The URL is longer than \(OutboundURL.lengthLimit) bytes.")
        }
        for scalar in text.unicodeScalars {
            guard !scalar.properties.isWhitespace else {
                throw OutboundURL.refusal("The URL has white space; write a space as %20.")
            }
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .unassigned, .privateUse:
                throw OutboundURL.refusal("The URL has an invisible character or a control character.")
            default:
                break
            }
            guard scalar != "\\" else { throw OutboundURL.refusal("The URL has a backslash; write it as %5C.") }
        }
    }

    /// Whether a text has the form of a scheme (RFC 3986, section 3.1).
    static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, isLetter(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E }
    }

    /// Where the first slash, question mark or number sign stands; by bytes, since a combining mark hides a character.
    static func endOfSegment(_ text: Substring) -> Substring.Index {
        text.utf8.firstIndex { [UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#")].contains($0) } ?? text.endIndex
    }

    /// The path and the query of what follows an authority; the fragment is dropped.
    static func split(_ text: Substring) -> (path: Substring, query: Substring?) {
        let end = text.utf8.firstIndex(of: UInt8(ascii: "#")) ?? text.endIndex
        guard let mark = text[..<end].utf8.firstIndex(of: UInt8(ascii: "?")) else { return (text[..<end], nil) }
        return (text[..<mark], text[text.index(after: mark)..<end])
    }

    /// Writes as `%XX` what may not stand bare in a path or query, such as `[`, `|` or `ñ`.
    ///
    /// - Throws: ``OutboundError`` when a percent sign is not followed by two hexadecimal digits, since some servers
    ///   would take it for itself and others would not.
    static func encode(_ text: Substring) throws(OutboundError) -> String {
        let bytes = Array(text.utf8)
        var encoded: [UInt8] = []
        encoded.reserveCapacity(bytes.count)
        for (index, byte) in bytes.enumerated() {
            if byte == 0x25 {
                let digits = bytes[(index + 1)...].prefix(2)
                guard digits.count == 2, digits.allSatisfy(\.isHexadecimalDigit) else {
                    throw OutboundURL.refusal("The URL has a percent sign without two hexadecimal digits; write %25.")
                }
            }
            if byte == 0x25 || isPathOrQuery(byte) {
                encoded.append(byte)
            } else {
                encoded += [0x25, hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Like ``encode(_:)``; nil stays nil.
    static func encode(optional text: Substring?) throws(OutboundError) -> String? {
        guard let text else { return nil }
        return try encode(text)
    }

    /// Takes `.` and `..` out of a path that begins with a slash (RFC 3986, section 5.2.4).
    static func removingDotSegments(_ path: String) -> String {
        var kept: [Substring] = []
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for segment in segments where segment != "." {
            if segment == ".." {
                _ = kept.popLast()
            } else {
                kept.append(segment)
            }
        }
        if segments.last == "." || segments.last == ".." { kept.append("") }
        return "/" + kept.joined(separator: "/")
    }

    private static let hexadecimal = Array("0123456789ABCDEF".utf8)
    private static let otherPathOrQuery = Set("-._~!$&'()*+,;=:@/?".utf8)

    private static func isPathOrQuery(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || otherPathOrQuery.contains(byte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
