extension AttributeSyntax {
    /// Whether text is a `date-time` of RFC 3339, section 5.6.
    ///
    /// The letters may be lower-case, as its grammar allows; a second 60 stands only where leap seconds can: at 23:59
    /// of the last day of a month in UTC.
    static func isTime(_ text: String) -> Bool {
        var cursor = TimeCursor(Array(text.utf8))
        guard let year = cursor.number(digits: 4), cursor.skip("-"), let month = cursor.number(digits: 2),
            cursor.skip("-"), let day = cursor.number(digits: 2), cursor.skip("t"),
            let hour = cursor.number(digits: 2), cursor.skip(":"), let minute = cursor.number(digits: 2),
            cursor.skip(":"), let second = cursor.number(digits: 2), cursor.skipFraction(),
            let offset = cursor.offset(), cursor.isAtEnd
        else { return false }
        guard (1...12).contains(month), hour < 24, minute < 60, second <= 60 else { return false }
        let lastDay = days(inMonth: month, ofYear: year)
        guard (1...lastDay).contains(day) else { return false }
        guard second == 60 else { return true }
        // No offset is large enough for the last minute of the next day in UTC.
        switch hour * 60 + minute - offset {
        case 1439: return day == lastDay
        case -1: return day == 1
        default: return false
        }
    }

    private static func days(inMonth month: Int, ofYear year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Reads a time from left to right.
private struct TimeCursor {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }

    /// Reads a number of so many digits.
    mutating func number(digits: Int) -> Int? {
        guard bytes.count - at >= digits else { return nil }
        var value = 0
        for byte in bytes[at..<at + digits] {
            guard AttributeSyntax.isDigit(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        at += digits
        return value
    }

    /// Steps over a character, a letter in either case; false where another one stands.
    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard at < bytes.count, AttributeSyntax.lowercase(bytes[at]) == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    /// Steps over a fraction if one stands here; false where it has no digit.
    mutating func skipFraction() -> Bool {
        guard skip(".") else { return true }
        let start = at
        while at < bytes.count, AttributeSyntax.isDigit(bytes[at]) { at += 1 }
        return at > start
    }

    /// Reads how many minutes local time is ahead of UTC.
    mutating func offset() -> Int? {
        guard !skip("z") else { return 0 }
        let isAhead = skip("+")
        guard isAhead || skip("-") else { return nil }
        guard let hours = number(digits: 2), skip(":"), let minutes = number(digits: 2), hours < 24, minutes < 60
        else { return nil }
        return (isAhead ? 1 : -1) * (hours * 60 + minutes)
    }
}
