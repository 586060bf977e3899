extension AttributeSyntax {
    /// Whether text is a media type with its parameters (RFC 2045, section 5.1, which RFC 2046 builds on).
    static func isMediaType(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        guard skipToken(&rest), rest.popFirst() == UInt8(ascii: "/"), skipToken(&rest) else { return false }
        while true {
            skipBlanks(&rest)
            guard let separator = rest.popFirst() else { return true }
            guard separator == UInt8(ascii: ";") else { return false }
            skipBlanks(&rest)
            guard skipToken(&rest), rest.popFirst() == UInt8(ascii: "=") else { return false }
            guard rest.first == UInt8(ascii: "\"") ? skipQuoted(&rest) : skipToken(&rest) else { return false }
        }
    }

    private static func skipBlanks(_ rest: inout ArraySlice<UInt8>) {
        rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    private static func skipToken(_ rest: inout ArraySlice<UInt8>) -> Bool {
        let after = rest.drop(while: isTokenCharacter)
        defer { rest = after }
        return after.startIndex > rest.startIndex
    }

    private static func skipQuoted(_ rest: inout ArraySlice<UInt8>) -> Bool {
        rest.removeFirst()
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return true
            case UInt8(ascii: "\\"): guard rest.popFirst() != nil else { return false }
            default: continue
            }
        }
        return false
    }

    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "@"),
            UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"), UInt8(ascii: "\\"), UInt8(ascii: "\""),
            UInt8(ascii: "/"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "?"), UInt8(ascii: "="):
            false
        default:
            byte > 0x20 && byte < 0x7F
        }
    }
}
