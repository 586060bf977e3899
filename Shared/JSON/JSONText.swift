/// Escaping and unescaping, and the classes of bytes that both need.
enum JSONText {
    /// Marks the high bit of the lowest byte of a little-endian word that is a quote, a backslash, below 0x20 or above
    /// 0x7F; higher marks may be false.
    @inline(__always)
    static func specialBytes(in word: UInt64) -> UInt64 {
        let quotes = word ^ 0x2222_2222_2222_2222
        let backslashes = word ^ 0x5C5C_5C5C_5C5C_5C5C
        let controls = word &- 0x2020_2020_2020_2020
        let ones: UInt64 = 0x0101_0101_0101_0101
        return (word | controls | (quotes &- ones) | (backslashes &- ones)) & 0x8080_8080_8080_8080
    }

    /// Whether a byte of a string stands for itself and is ASCII.
    @inline(__always)
    static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Appends what the inside of a validated string means.
    static func unescape(_ source: UnsafeBufferPointer<UInt8>, into target: inout [UInt8]) {
        var at = 0
        var plainFrom = 0
        while at + 1 < source.count {
            guard source[at] == UInt8(ascii: "\\") else {
                at += 1
                continue
            }
            target.append(contentsOf: UnsafeBufferPointer(rebasing: source[plainFrom..<at]))
            at += 2
            switch source[at - 1] {
            case UInt8(ascii: "b"): target.append(0x08)
            case UInt8(ascii: "t"): target.append(0x09)
            case UInt8(ascii: "n"): target.append(0x0A)
            case UInt8(ascii: "f"): target.append(0x0C)
            case UInt8(ascii: "r"): target.append(0x0D)
            case UInt8(ascii: "u"): unescapeUnit(source, at: &at, into: &target)
            case let byte: target.append(byte)
            }
            plainFrom = at
        }
        target.append(contentsOf: UnsafeBufferPointer(rebasing: source[plainFrom...]))
    }

    /// Appends the character of one `\u` escape or of a pair; `at` stands behind the `u`.
    private static func unescapeUnit(
        _ source: UnsafeBufferPointer<UInt8>,
        at: inout Int,
        into target: inout [UInt8]
    ) {
        var scalar = unit(source, at: at)
        at += 4
        if scalar & 0xFC00 == 0xD800 {
            scalar = 0x10000 + (scalar & 0x3FF) << 10 + unit(source, at: at + 2) & 0x3FF
            at += 6
        }
        switch scalar {
        case 0..<0x80:
            target.append(UInt8(truncatingIfNeeded: scalar))
        case 0x80..<0x800:
            target.append(0xC0 | UInt8(truncatingIfNeeded: scalar >> 6))
            target.append(continuation(scalar))
        case 0x800..<0x10000:
            target.append(0xE0 | UInt8(truncatingIfNeeded: scalar >> 12))
            target.append(continuation(scalar >> 6))
            target.append(continuation(scalar))
        default:
            target.append(0xF0 | UInt8(truncatingIfNeeded: scalar >> 18))
            target.append(continuation(scalar >> 12))
            target.append(continuation(scalar >> 6))
            target.append(continuation(scalar))
        }
    }

    private static func continuation(_ bits: UInt32) -> UInt8 { 0x80 | UInt8(truncatingIfNeeded: bits & 0x3F) }

    private static func unit(_ source: UnsafeBufferPointer<UInt8>, at start: Int) -> UInt32 {
        var unit: UInt32 = 0
        for byte in source[start..<min(start + 4, source.count)] {
            unit = unit << 4 | UInt32(hexValue(byte) ?? 0)
        }
        return unit
    }

    /// Appends text in quotes, escaped as RFC 8785 demands, which is the least that JSON allows.
    static func quote(_ text: UnsafeBufferPointer<UInt8>, into target: inout [UInt8]) {
        target.append(UInt8(ascii: "\""))
        var at = 0
        while at < text.count {
            let stop = nextToEscape(in: text, from: at)
            target.append(contentsOf: UnsafeBufferPointer(rebasing: text[at..<stop]))
            at = stop
            guard at < text.count else { break }
            escape(text[at], into: &target)
            at += 1
        }
        target.append(UInt8(ascii: "\""))
    }

    /// Appends a string in quotes.
    static func quote(_ text: String, into target: inout [UInt8]) {
        let isContiguous: Void? = text.utf8.withContiguousStorageIfAvailable { quote($0, into: &target) }
        if isContiguous == nil {
            Array(text.utf8).withUnsafeBufferPointer { quote($0, into: &target) }
        }
    }

    @inline(__always)
    private static func nextToEscape(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var at = start
        while let base = text.baseAddress, at &+ 8 <= text.count {
            let word = UInt64(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self))
            let hit = specialBytes(in: word)
            if hit != 0 {
                at &+= hit.trailingZeroBitCount >> 3
                guard text[at] >= 0x80 else { return at }
                at &+= 1
            } else {
                at &+= 8
            }
        }
        while at < text.count, isPlain(text[at]) || text[at] >= 0x80 { at &+= 1 }
        return at
    }

    private static func escape(_ byte: UInt8, into target: inout [UInt8]) {
        target.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): target.append(byte)
        case 0x08: target.append(UInt8(ascii: "b"))
        case 0x09: target.append(UInt8(ascii: "t"))
        case 0x0A: target.append(UInt8(ascii: "n"))
        case 0x0C: target.append(UInt8(ascii: "f"))
        case 0x0D: target.append(UInt8(ascii: "r"))
        default:
            target.append(contentsOf: [UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0")])
            target.append(byte < 16 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
            target.append((byte & 15) &+ (byte & 15 < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
        }
    }
}
