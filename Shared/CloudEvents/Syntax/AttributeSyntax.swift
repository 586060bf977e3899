/// The types that CloudEvents' attributes have, as text.
enum AttributeSyntax {
    /// The names that an extension attribute cannot have.
    static let reservedNames = [
        "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data",
    ]

    /// Whether text names an attribute: lower-case ASCII letters and digits.
    static func isName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: false
                }
            }
    }

    /// Whether text names an attribute that the specification does not define.
    static func isExtensionName(_ name: String) -> Bool { isName(name) && !reservedNames.contains(name) }

    @inline(__always)
    static func lowercase(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    @inline(__always)
    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

    @inline(__always)
    static func isHexDigit(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 6 }

    /// Whether a string has U+0000–001F, U+007F–009F or a noncharacter, which CloudEvents' strings never have.
    ///
    /// - Parameter text: Well-formed UTF-8.
    /// - Returns: True where it has one.
    static func hasForbiddenCharacter(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var at = 0
        while at < text.count {
            let byte = text[at]
            at &+= 1
            guard byte < 0x20 || byte > 0x7E else { continue }
            guard byte >= 0xC2 else {
                // What is left below 0xC2 are continuations of characters that were looked at already.
                guard byte >= 0x80 else { return true }
                continue
            }
            func next(_ offset: Int) -> UInt8 { at &+ offset < text.count ? text[at &+ offset] : 0 }
            switch (byte, next(0), next(1), next(2)) {
            case (0xC2, 0x80...0x9F, _, _): return true
            case (0xEF, 0xB7, 0x90...0xAF, _): return true
            case (0xEF, 0xBF, 0xBE...0xBF, _): return true
            case (0xF0...0xF4, let second, 0xBF, 0xBE...0xBF) where second & 0x0F == 0x0F: return true
            default: continue
            }
        }
        return false
    }

    /// Whether text is base64 with its padding, without white space, and with zeros for the bits that carry nothing.
    static func isBase64(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.count & 3 == 0 else { return false }
        var length = text.count
        while length > 0, text.count - length < 2, text[length - 1] == UInt8(ascii: "=") { length -= 1 }
        var last: UInt8 = 0
        for byte in text[..<length] {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): last = byte &- UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): last = byte &- UInt8(ascii: "a") &+ 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): last = byte &- UInt8(ascii: "0") &+ 52
            case UInt8(ascii: "+"): last = 62
            case UInt8(ascii: "/"): last = 63
            default: return false
            }
        }
        let unused: UInt8 = text.count == length ? 0 : text.count - length == 1 ? 0b11 : 0b1111
        return last & unused == 0
    }
}
