/// Reads dates, times, durations and UUIDs from left to right.
struct FormatReader {
    private let text: UnsafeBufferPointer<UInt8>
    private var at = 0

    init(_ text: UnsafeBufferPointer<UInt8>) { self.text = text }

    var isAtEnd: Bool { at == text.count }

    private var next: UInt8? { at < text.count ? text[at] : nil }

    private mutating func skip(_ expected: UInt8) -> Bool {
        guard next == expected else { return false }
        at += 1
        return true
    }

    /// Skips a letter of ASCII in either case.
    private mutating func skip(letter: UInt8) -> Bool {
        guard let next, next | 0x20 == letter | 0x20 else { return false }
        at += 1
        return true
    }

    /// Exactly so many digits.
    private mutating func readNumber(_ count: Int) -> Int? {
        var number = 0
        for _ in 0..<count {
            guard let byte = next, byte &- UInt8(ascii: "0") < 10 else { return nil }
            at += 1
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }

    /// One digit or more.
    private mutating func readDigits() -> Bool {
        let start = at
        while let byte = next, byte &- UInt8(ascii: "0") < 10 { at += 1 }
        return at > start
    }

    // MARK: - RFC 3339

    mutating func readDateTime() -> Bool {
        readDate() && skip(letter: UInt8(ascii: "T")) && readTime()
    }

    mutating func readDate() -> Bool {
        guard let year = readNumber(4), skip(UInt8(ascii: "-")) else { return false }
        guard let month = readNumber(2), skip(UInt8(ascii: "-")), let day = readNumber(2) else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...12).contains(month) && day >= 1 && day <= days[month - 1]
    }

    /// Reads a time with its offset; a leap second is the last of a day in UTC.
    mutating func readTime() -> Bool {
        guard let hour = readNumber(2), skip(UInt8(ascii: ":")) else { return false }
        guard let minute = readNumber(2), skip(UInt8(ascii: ":")), let second = readNumber(2) else { return false }
        guard hour < 24, minute < 60, second <= 60 else { return false }
        if skip(UInt8(ascii: ".")), !readDigits() { return false }
        guard let offset = readOffset() else { return false }
        return second < 60 || (hour * 60 + minute - offset + 2880) % 1440 == 1439
    }

    /// The minutes by which local time is ahead of UTC.
    private mutating func readOffset() -> Int? {
        if skip(letter: UInt8(ascii: "Z")) { return 0 }
        let isBehind = next == UInt8(ascii: "-")
        guard isBehind || next == UInt8(ascii: "+") else { return nil }
        at += 1
        guard let hour = readNumber(2), skip(UInt8(ascii: ":")), let minute = readNumber(2) else { return nil }
        guard hour < 24, minute < 60 else { return nil }
        return (isBehind ? -1 : 1) * (hour * 60 + minute)
    }

    /// Reads weeks alone, or years, months and days, then hours, minutes and seconds, each group without a gap.
    mutating func readDuration() -> Bool {
        guard skip(UInt8(ascii: "P")) else { return false }
        let start = at
        if readDigits(), skip(UInt8(ascii: "W")) { return true }
        at = start
        guard readUnits("YMD"), at > start || next == UInt8(ascii: "T") else { return false }
        guard skip(UInt8(ascii: "T")) else { return true }
        let timeStart = at
        return readUnits("HMS") && at > timeStart
    }

    /// Reads numbers each with one of these units, the units in their order and without leaving one out in between.
    private mutating func readUnits(_ units: String) -> Bool {
        var last: Int?
        let units = Array(units.utf8)
        while let byte = next, byte &- UInt8(ascii: "0") < 10 {
            guard readDigits(), let unit = next.flatMap({ units.firstIndex(of: $0) }) else { return false }
            guard last.map({ unit == $0 + 1 }) ?? true else { return false }
            last = unit
            at += 1
        }
        return true
    }

    // MARK: - RFC 9562

    mutating func readUUID() -> Bool {
        for (index, count) in [8, 4, 4, 4, 12].enumerated() {
            if index > 0, !skip(UInt8(ascii: "-")) { return false }
            for _ in 0..<count {
                guard let byte = next, NetworkFormat.isHex(byte) else { return false }
                at += 1
            }
        }
        return true
    }
}
