extension JSONParser {
    /// Reads a string, from its opening quote to behind its closing one.
    @inline(__always)
    mutating func parseString() throws(JSONParsingError) {
        let start = at
        var hasEscapes = false
        at &+= 1
        while true {
            skipPlainText()
            guard at < end else {
                throw fault(.truncated, "The document ends inside the string that begins at byte \(start)")
            }
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at &+= 1
                let next = nodes.count &+ 1
                return try append(JSONNode(.string, from: start, to: at, next: next, flag: hasEscapes))
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try parseEscape()
            case 0x00..<0x20:
                throw fault(.controlCharacter, "\(name(of: bytes[at])) stands unescaped in a string")
            default:
                try parseMultibyte()
            }
        }
    }

    /// Moves to the next byte that is a quote, a backslash, a control character or not ASCII, eight at a time.
    @inline(__always)
    private mutating func skipPlainText() {
        guard let base = bytes.baseAddress else { return }
        while at &+ 8 <= end {
            let word = UInt64(
                littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)
            )
            let hit = JSONText.specialBytes(in: word)
            if hit != 0 {
                at &+= hit.trailingZeroBitCount >> 3
                return
            }
            at &+= 8
        }
        while at < end, JSONText.isPlain(bytes[at]) { at &+= 1 }
    }

    private mutating func parseEscape() throws(JSONParsingError) {
        let start = at
        guard at &+ 1 < end else { throw fault(.truncated, "The document ends inside an escape", at: end) }
        switch bytes[at &+ 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            at &+= 2
        case UInt8(ascii: "u"):
            let unit = try parseUnit()
            guard unit & 0xF800 == 0xD800 else { return }
            guard unit < 0xDC00 else { throw loneSurrogate(unit, at: start) }
            for (offset, byte) in [UInt8(ascii: "\\"), UInt8(ascii: "u")].enumerated() {
                guard at &+ offset < end else {
                    throw fault(.truncated, "The document ends inside a surrogate pair", at: end)
                }
                guard bytes[at &+ offset] == byte else { throw loneSurrogate(unit, at: start) }
            }
            guard try parseUnit() & 0xFC00 == 0xDC00 else { throw loneSurrogate(unit, at: start) }
        default:
            throw fault(.invalidEscape, "\(name(of: bytes[at &+ 1])) stands after a backslash", at: at &+ 1)
        }
    }

    /// Reads `\uXXXX`.
    private mutating func parseUnit() throws(JSONParsingError) -> UInt16 {
        var unit: UInt16 = 0
        at &+= 2
        for _ in 0..<4 {
            guard at < end else { throw fault(.truncated, "The document ends inside an escape") }
            guard let digit = JSONText.hexValue(bytes[at]) else {
                throw fault(.invalidEscape, "\(name(of: bytes[at])) stands where an escape's hexadecimal digit must")
            }
            unit = unit << 4 | UInt16(digit)
            at &+= 1
        }
        return unit
    }

    private func loneSurrogate(_ unit: UInt16, at offset: Int) -> JSONParsingError {
        let digits = String(unit, radix: 16, uppercase: true)
        return fault(.loneSurrogate, "The escape \\u\(digits) is half of a surrogate pair", at: offset)
    }

    /// Reads the characters up to the next ASCII byte, by the table of well-formed UTF-8 (Unicode 15, table 3-7).
    private mutating func parseMultibyte() throws(JSONParsingError) {
        while at < end, bytes[at] >= 0x80 {
            let lead = bytes[at]
            let (length, lowest, highest): (Int, UInt8, UInt8)
            switch lead {
            case 0xC2...0xDF: (length, lowest, highest) = (2, 0x80, 0xBF)
            case 0xE0: (length, lowest, highest) = (3, 0xA0, 0xBF)
            case 0xED: (length, lowest, highest) = (3, 0x80, 0x9F)
            case 0xE1...0xEF: (length, lowest, highest) = (3, 0x80, 0xBF)
            case 0xF0: (length, lowest, highest) = (4, 0x90, 0xBF)
            case 0xF1...0xF3: (length, lowest, highest) = (4, 0x80, 0xBF)
            case 0xF4: (length, lowest, highest) = (4, 0x80, 0x8F)
            default: throw fault(.invalidUTF8, "\(name(of: lead)) begins no UTF-8 character")
            }
            for offset in 1..<length {
                guard at &+ offset < end else {
                    throw fault(.truncated, "The document ends inside a UTF-8 character", at: end)
                }
                let byte = bytes[at &+ offset]
                let allowed = offset == 1 ? lowest...highest : 0x80...0xBF
                guard allowed.contains(byte) else {
                    throw fault(.invalidUTF8, "\(name(of: byte)) breaks a UTF-8 character", at: at &+ offset)
                }
            }
            at &+= length
        }
    }

    /// Reads a number; what follows it is left to whoever reads on.
    @inline(__always)
    mutating func parseNumber() throws(JSONParsingError) {
        let start = at
        var hasFractionOrExponent = false
        if bytes[at] == UInt8(ascii: "-") { at &+= 1 }
        if at < end, bytes[at] == UInt8(ascii: "0") {
            at &+= 1
            if at < end, JSONText.isDigit(bytes[at]) {
                throw fault(.invalidNumber, "A number begins with a superfluous zero", at: start)
            }
        } else {
            try parseDigits()
        }
        if at < end, bytes[at] == UInt8(ascii: ".") {
            hasFractionOrExponent = true
            at &+= 1
            try parseDigits()
        }
        if at < end, bytes[at] | 0x20 == UInt8(ascii: "e") {
            hasFractionOrExponent = true
            at &+= 1
            if at < end, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at &+= 1 }
            try parseDigits()
        }
        try append(JSONNode(.number, from: start, to: at, next: nodes.count &+ 1, flag: hasFractionOrExponent))
    }

    @inline(__always)
    private mutating func parseDigits() throws(JSONParsingError) {
        guard at < end else { throw fault(.truncated, "The document ends where a number's digit must stand") }
        guard JSONText.isDigit(bytes[at]) else {
            throw fault(.invalidNumber, "\(name(of: bytes[at])) stands where a number's digit must")
        }
        while at < end, JSONText.isDigit(bytes[at]) { at &+= 1 }
    }
}
