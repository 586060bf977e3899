/// Functions of text to text, each linear in what it reads and writes.
enum TextFunctions {
    /// The text without the white space (Unicode `White_Space`) at its ends.
    static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else {
            return ""
        }
        return String(scalars[first...last])
    }

    /// The parts of a text between separators; one more than there are separators.
    static func split(_ text: String, by separator: String) throws(TemplateFailure) -> [String] {
        let source = Array(text.utf8)
        let pattern = try TextSearch(separator, of: .split)
        var parts: [String] = []
        var start = 0
        for place in pattern.places(in: source) {
            parts.append(String(decoding: source[start..<place], as: UTF8.self))
            start = place + pattern.count
        }
        parts.append(String(decoding: source[start...], as: UTF8.self))
        return parts
    }

    /// The text with every occurrence of a part of it replaced, from the left, none overlapping another.
    static func replacing(
        _ part: String,
        with replacement: String,
        in text: String,
        _ allowance: TemplateAllowance
    ) throws(TemplateFailure) -> String {
        let source = Array(text.utf8)
        let pattern = try TextSearch(part, of: .replace)
        var result: [UInt8] = []
        var start = 0
        for place in pattern.places(in: source) {
            result += source[start..<place]
            result += replacement.utf8
            start = place + pattern.count
            try allowance.check(size: result.count)
        }
        result += source[start...]
        return String(decoding: result, as: UTF8.self)
    }

    /// The base64 (RFC 4648, section 4) of a text's UTF-8, padded.
    static func base64(_ text: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let source = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity((source.count + 2) / 3 * 4)
        for start in stride(from: 0, to: source.count, by: 3) {
            let group = source[start..<min(start + 3, source.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for position in 0..<4 {
                let index = Int(bits >> UInt32(18 - 6 * position) & 0x3F)
                result.append(position <= group.count ? alphabet[index] : UInt8(ascii: "="))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The text with every byte of its UTF-8 but RFC 3986's unreserved characters percent-encoded.
    static func percentEncoded(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(byte)
            default:
                result.append(UInt8(ascii: "%"))
                append(byte, digits: "0123456789ABCDEF", to: &result)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Bytes in lower-case hexadecimal digits.
    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        var result: [UInt8] = []
        for byte in bytes { append(byte, digits: "0123456789abcdef", to: &result) }
        return String(decoding: result, as: UTF8.self)
    }

    private static func append(_ byte: UInt8, digits: StaticString, to result: inout [UInt8]) {
        digits.withUTF8Buffer { digits in
            result.append(digits[Int(byte >> 4)])
            result.append(digits[Int(byte & 15)])
        }
    }
}
