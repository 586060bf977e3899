import FoundationEssentials

/// A text as a part of a message has it: lines of at most 76 characters of ASCII, whatever the text holds.
///
/// No line begins with a dot, so that nothing depends on how a relay undoes dot-stuffing.
struct BodyEncoding {
    /// The value of `Content-Transfer-Encoding`.
    let name: String

    /// The lines, each with its end.
    let bytes: [UInt8]

    /// Encodes a text: quoted-printable, which people and filters can read, unless that is much the longer.
    ///
    /// - Parameter text: Its lines may end with LF, CRLF or CR.
    init(_ text: String) {
        let lines = Self.lines(of: text)
        let quoted = Self.quotedPrintable(lines)
        let encoded = Self.base64(lines)
        let isReadable = quoted.count <= encoded.count / 2 * 3
        (name, bytes) = isReadable ? ("quoted-printable", quoted) : ("base64", encoded)
    }

    private static func lines(of text: String) -> [[UInt8]] {
        var lines: [[UInt8]] = [[]]
        var previous: UInt8 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\n") where previous == UInt8(ascii: "\r"): break
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): lines.append([])
            default: lines[lines.count - 1].append(byte)
            }
            previous = byte
        }
        // A text that ends with a line break has no further, empty line.
        if lines.count > 1, lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    /// RFC 2045, section 6.7.
    private static func quotedPrintable(_ lines: [[UInt8]]) -> [UInt8] {
        var encoded: [UInt8] = []
        for line in lines {
            var column = 0
            for (index, byte) in line.enumerated() {
                let isLast = index == line.count - 1
                let isBlank = byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
                let isLiteral =
                    isBlank ? !isLast : (33...126).contains(byte) && byte != UInt8(ascii: "=")
                // Room is left for the sign of a soft line end.
                if column + (isLiteral ? 1 : 3) > (isLast ? 76 : 75) {
                    encoded += [UInt8(ascii: "="), 13, 10]
                    column = 0
                }
                if isLiteral, !(byte == UInt8(ascii: ".") && column == 0) {
                    encoded.append(byte)
                    column += 1
                } else {
                    encoded += [UInt8(ascii: "="), hexDigit(byte >> 4), hexDigit(byte & 15)]
                    column += 3
                }
            }
            encoded += [13, 10]
        }
        return encoded
    }

    private static func base64(_ lines: [[UInt8]]) -> [UInt8] {
        var rest = Array(lines.map { $0 + [13, 10] }.joined())[...]
        var encoded: [UInt8] = []
        while !rest.isEmpty {
            encoded += Data(rest.prefix(57)).base64EncodedString().utf8
            encoded += [13, 10]
            rest = rest.dropFirst(57)
        }
        return encoded
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") - 10 + value
    }
}
