/// The fields of a `traceparent` header.
struct TraceParent {
    let traceIDHigh: UInt64
    let traceIDLow: UInt64
    let spanID: UInt64
    let flags: UInt8

    /// Reads `00-<32 hex>-<16 hex>-<2 hex>`, in lower case only.
    ///
    /// A later version may have more after the fourth field, behind another hyphen; version ff does not exist.
    init?(_ text: String) {
        let bytes = Array(text.utf8.prefix(57))
        guard bytes.count >= 55, bytes[2] == 0x2D, bytes[35] == 0x2D, bytes[52] == 0x2D else { return nil }
        guard let version = Hexadecimal.number(bytes[0..<2]), version != 0xFF else { return nil }
        guard bytes.count == 55 || (version != 0 && bytes[55] == 0x2D) else { return nil }
        guard let high = Hexadecimal.number(bytes[3..<19]), let low = Hexadecimal.number(bytes[19..<35]) else {
            return nil
        }
        guard let span = Hexadecimal.number(bytes[36..<52]), let flags = Hexadecimal.number(bytes[53..<55]) else {
            return nil
        }
        guard high != 0 || low != 0, span != 0 else { return nil }
        self.traceIDHigh = high
        self.traceIDLow = low
        self.spanID = span
        self.flags = UInt8(truncatingIfNeeded: flags)
    }
}

/// Hexadecimal digits in lower case.
enum Hexadecimal {
    /// The number of at most 16 digits.
    static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard (1...16).contains(digits.count) else { return nil }
        var number: UInt64 = 0
        for digit in digits {
            switch digit {
            case 0x30...0x39: number = number << 4 | UInt64(digit - 0x30)
            case 0x61...0x66: number = number << 4 | UInt64(digit - 0x57)
            default: return nil
            }
        }
        return number
    }

    /// The 16 digits of a number.
    static func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
