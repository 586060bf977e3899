package import FoundationEssentials

/// An instant in whole microseconds, written as RFC 3339 in UTC: `2026-11-21T01:29:15.123456Z`.
///
/// The form is fixed, so that the same instant always has the same bytes. Years go from 1 to 9999.
package struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    package let microseconds: Int64

    /// 0001-01-01T00:00:00.000000Z.
    package static let earliest = Timestamp(unchecked: -62_135_596_800_000_000)
    /// 9999-12-31T23:59:59.999999Z.
    package static let latest = Timestamp(unchecked: 253_402_300_799_999_999)

    private init(unchecked microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// An instant; one beyond the years 1 to 9999 becomes the nearest within.
    package init(microseconds: Int64) {
        self.microseconds = min(max(microseconds, Self.earliest.microseconds), Self.latest.microseconds)
    }

    /// An instant, rounded to the nearest microsecond; not-a-number becomes 1970.
    package init(_ date: Date) {
        let value = (date.timeIntervalSince1970 * 1_000_000).rounded()
        let bounded = min(max(value, Double(Self.earliest.microseconds)), Double(Self.latest.microseconds))
        self.init(microseconds: value.isNaN ? 0 : Int64(bounded))
    }

    /// The system's clock.
    package static func now() -> Timestamp {
        Timestamp(Date())
    }

    package static func < (lhs: Timestamp, rhs: Timestamp) -> Bool {
        lhs.microseconds < rhs.microseconds
    }

    package var date: Date {
        Date(timeIntervalSince1970: Double(microseconds) / 1_000_000)
    }

    package var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.length)
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Timestamp {
    /// The bytes of the written form.
    static let length = 27

    private static let perDay: Int64 = 86_400_000_000

    /// Writes the instant as 27 bytes of ASCII.
    package func append(to bytes: inout [UInt8]) {
        var days = microseconds / Self.perDay
        var rest = microseconds % Self.perDay
        if rest < 0 {
            days -= 1
            rest += Self.perDay
        }
        let (year, month, day) = Self.civil(fromDays: days)
        bytes.append(decimal: year, digits: 4)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(decimal: month, digits: 2)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(decimal: day, digits: 2)
        bytes.append(UInt8(ascii: "T"))
        bytes.append(decimal: rest / 3_600_000_000, digits: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(decimal: rest / 60_000_000 % 60, digits: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(decimal: rest / 1_000_000 % 60, digits: 2)
        bytes.append(UInt8(ascii: "."))
        bytes.append(decimal: rest % 1_000_000, digits: 6)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// Reads exactly the form that is written: 27 bytes, six decimals, `Z`.
    ///
    /// - Returns: nil for anything else, and for a date or a time of day that does not exist.
    package init?(rfc3339 text: String) {
        var text = text
        guard let value = text.withUTF8(Self.parse) else {
            return nil
        }
        self.init(unchecked: value)
    }

    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard bytes.count == length else {
            return nil
        }
        let marks: [(Int, UInt8)] = [
            (4, UInt8(ascii: "-")), (7, UInt8(ascii: "-")), (10, UInt8(ascii: "T")), (13, UInt8(ascii: ":")),
            (16, UInt8(ascii: ":")), (19, UInt8(ascii: ".")), (26, UInt8(ascii: "Z")),
        ]
        guard marks.allSatisfy({ bytes[$0.0] == $0.1 }),
            let year = number(bytes[0..<4]), year >= 1,
            let month = number(bytes[5..<7]), (1...12).contains(month),
            let day = number(bytes[8..<10]), (1...daysIn(month: month, year: year)).contains(day),
            let hour = number(bytes[11..<13]), hour < 24,
            let minute = number(bytes[14..<16]), minute < 60,
            let second = number(bytes[17..<19]), second < 60,
            let fraction = number(bytes[20..<26])
        else {
            return nil
        }
        let seconds = (hour * 60 + minute) * 60 + second
        return days(year: year, month: month, day: day) * perDay + seconds * 1_000_000 + fraction
    }

    private static func number(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else {
                return nil
            }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }

    private static func daysIn(month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The proleptic Gregorian date of a day since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
            month,
            dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }

    /// The day since 1970 of a proleptic Gregorian date, from the same source.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

extension [UInt8] {
    /// Appends a number of a fixed count of decimal digits.
    fileprivate mutating func append(decimal value: Int64, digits: Int) {
        var divisor: Int64 = 1
        for _ in 1..<digits {
            divisor *= 10
        }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }
}
