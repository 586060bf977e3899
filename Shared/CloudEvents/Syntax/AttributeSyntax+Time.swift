extension AttributeSyntax {
    /// Whether text is a `date-time` of RFC 3339, section 5.6.
    ///
    /// The letters may be lower-case, as its grammar allows; a second 60 stands only where leap seconds can: at 23:59
    /// of the last day of a month in UTC.
    static func isTime(_ text: String) -> Bool { milliseconds(ofTime: text) != nil }

    /// The Unix milliseconds of a `date-time`, rounded down, or nil for text that is none.
    static func milliseconds(ofTime text: String) -> Int64? {
        var cursor = TimeCursor(Array(text.utf8))
        guard let year = cursor.number(digits: 4), cursor.skip("-"), let month = cursor.number(digits: 2),
            cursor.skip("-"), let day = cursor.number(digits: 2), cursor.skip("t"),
            let hour = cursor.number(digits: 2), cursor.skip(":"), let minute = cursor.number(digits: 2),
            cursor.skip(":"), let second = cursor.number(digits: 2), let fraction = cursor.fraction(),
            let offset = cursor.offset(), cursor.isAtEnd
        else { return nil }
        guard (1...12).contains(month), hour < 24, minute < 60, second <= 60 else { return nil }
        let lastDay = days(inMonth: month, ofYear: year)
        guard (1...lastDay).contains(day) else { return nil }
        let minutes = hour * 60 + minute - offset
        // No offset is large enough for the last minute of the next day in UTC.
        guard second < 60 || (minutes == 1439 && day == lastDay) || (minutes == -1 && day == 1) else { return nil }
        let seconds = (daysSince1970(year, month, day) * 1440 + minutes) * 60 + second
        return Int64(seconds * 1000 + fraction)
    }

    /// Days of the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
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

    /// Reads a fraction of a second, if one stands here, in whole thousandths; nil where it has no digit.
    mutating func fraction() -> Int? {
        guard skip(".") else { return 0 }
        let start = at
        while at < bytes.count, AttributeSyntax.isDigit(bytes[at]) { at += 1 }
        let digits = bytes[start..<at].prefix(3).map { Int($0 - UInt8(ascii: "0")) }
        guard !digits.isEmpty else { return nil }
        return zip(digits, [100, 10, 1]).reduce(0) { $0 + $1.0 * $1.1 }
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
