import FoundationEssentials

extension [UInt8] {
    /// Appends a JSON string as RFC 8785 writes it: the fewest escapes, in lower case.
    mutating func append(jsonString text: String) {
        append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var start = utf8.startIndex
            for index in utf8.indices where utf8[index] < 0x20 || utf8[index] == 0x22 || utf8[index] == 0x5C {
                append(contentsOf: utf8[start..<index])
                append(escaped: utf8[index])
                start = index + 1
            }
            append(contentsOf: utf8[start...])
        }
        append(UInt8(ascii: "\""))
    }

    private mutating func append(escaped byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: append(UInt8(ascii: "b"))
        case 0x09: append(UInt8(ascii: "t"))
        case 0x0A: append(UInt8(ascii: "n"))
        case 0x0C: append(UInt8(ascii: "f"))
        case 0x0D: append(UInt8(ascii: "r"))
        case 0x22, 0x5C: append(byte)
        default:
            append(contentsOf: "u00".utf8)
            append(hex: byte)
        }
    }

    private mutating func append(hex bytes: UInt8...) {
        for byte in bytes {
            append(hexDigit: byte >> 4)
            append(hexDigit: byte & 0x0F)
        }
    }

    private mutating func append(hexDigit nibble: UInt8) {
        append(nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10)
    }

    /// Appends a UUID in the form of RFC 9562, in lower case.
    mutating func append(uuid: UUID) {
        let (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) = uuid.uuid
        append(hex: a, b, c, d)
        append(UInt8(ascii: "-"))
        append(hex: e, f)
        append(UInt8(ascii: "-"))
        append(hex: g, h)
        append(UInt8(ascii: "-"))
        append(hex: i, j)
        append(UInt8(ascii: "-"))
        append(hex: k, l, m, n, o, p)
    }

    /// Appends an integer in decimal, without a `String` between.
    mutating func append(decimal value: Int64) {
        guard value != 0 else {
            append(UInt8(ascii: "0"))
            return
        }
        if value < 0 {
            append(UInt8(ascii: "-"))
        }
        var rest = value.magnitude
        var digits: UInt64 = 1
        while rest / digits >= 10 {
            digits *= 10
        }
        while digits > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / digits))
            rest %= digits
            digits /= 10
        }
    }
}
