/// The formats that are checked; all are of ASCII only.
enum StringFormat: String, Sendable, CaseIterable {
    case dateTime = "date-time"
    case date
    case time
    case duration
    case email
    case hostname
    case ipv4
    case ipv6
    case uri
    case uuid

    /// What a string in this format is, for a sentence.
    var wording: String {
        switch self {
        case .dateTime: "a date and time such as 2026-01-31T12:30:00Z (RFC 3339)"
        case .date: "a date such as 2026-01-31 (RFC 3339)"
        case .time: "a time with its offset such as 12:30:00Z (RFC 3339)"
        case .duration: "a duration such as P3DT12H (RFC 3339, appendix A)"
        case .email: "an e-mail address such as name@example.org"
        case .hostname: "a host's name such as www.example.org (RFC 1123)"
        case .ipv4: "an IPv4 address such as 192.0.2.1"
        case .ipv6: "an IPv6 address such as 2001:db8::1 (RFC 4291)"
        case .uri: "a URI with its scheme such as https://example.org/path (RFC 3986)"
        case .uuid: "a UUID such as 0193b2c4-0000-7000-8000-000000000001 (RFC 9562)"
        }
    }

    /// Whether a text is in this format.
    func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var reader = FormatReader(text)
        switch self {
        case .dateTime: return reader.readDateTime() && reader.isAtEnd
        case .date: return reader.readDate() && reader.isAtEnd
        case .time: return reader.readTime() && reader.isAtEnd
        case .duration: return reader.readDuration() && reader.isAtEnd
        case .email: return NetworkFormat.isEmail(text[...])
        case .hostname: return NetworkFormat.isHostname(text[...])
        case .ipv4: return NetworkFormat.isIPv4(text[...])
        case .ipv6: return NetworkFormat.isIPv6(text[...])
        case .uri: return NetworkFormat.isURI(text[...])
        case .uuid: return reader.readUUID() && reader.isAtEnd
        }
    }

    /// Texts in this format, another one for each number below 10,000; short, and at least so many characters long
    /// where the format allows it.
    func sample(_ number: Int, minimumLength: Int) -> String {
        let padded = String(repeating: "0", count: max(0, 4 - String(number).count)) + String(number)
        func filled(_ rest: Int) -> String { String(repeating: "a", count: max(0, minimumLength - rest)) }
        switch self {
        case .dateTime: return "\(year(number))-01-01T00:00:00\(fraction(minimumLength - 20))Z"
        case .date: return "\(year(number))-01-01"
        case .time: return "00:\(number / 10 % 6)\(number % 10):00\(fraction(minimumLength - 9))Z"
        case .duration: return "PT\(number)S"
        case .email: return "a\(number)\(filled(8 + String(number).count))@a.test"
        case .hostname: return "a\(number)\(filled(1 + String(number).count))"
        case .ipv4: return "192.0.\(number / 256 % 256).\(number % 256)"
        case .ipv6: return "2001:db8::\(String(number, radix: 16))"
        case .uri: return "urn:a:\(number)\(filled(6 + String(number).count))"
        case .uuid: return "00000000-0000-4000-8000-00000000\(padded)"
        }
    }

    private func year(_ number: Int) -> String {
        let year = (2000 + number) % 10_000
        return String(repeating: "0", count: 4 - String(year).count) + String(year)
    }

    /// A fraction of a second of so many characters, or none.
    private func fraction(_ count: Int) -> String {
        count > 0 ? "." + String(repeating: "0", count: max(count - 1, 1)) : ""
    }
}
