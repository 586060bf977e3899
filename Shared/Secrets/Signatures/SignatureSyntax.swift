/// What the schemes' headers are made of.
enum SignatureSyntax {
    /// The most bytes of a header's value that are looked at.
    static let maximumHeaderBytes = 4096

    /// The most signatures of one header that are looked at.
    static let maximumSignatures = 16

    /// The one value of a header, without blanks at its ends.
    ///
    /// - Parameters:
    ///   - values: Every value that came under the header's name.
    ///   - maximum: The most bytes that it may have.
    /// - Returns: The bytes, of which there is at least one.
    /// - Throws: `missing` where there is none; `malformed` where several came, or one that is empty or too long.
    static func single(
        _ values: [String],
        maximum: Int = maximumHeaderBytes
    ) throws(SignatureRefusal) -> ArraySlice<UInt8> {
        guard let value = values.first else { throw SignatureRefusal(.missing) }
        guard values.count == 1, value.utf8.count <= maximum else { throw SignatureRefusal(.malformed) }
        let bytes = Array(value.utf8)[...].trimmed
        guard !bytes.isEmpty else { throw SignatureRefusal(.malformed) }
        return bytes
    }

    /// The 32 bytes that 64 hexadecimal digits of either case stand for.
    static func mac(hexadecimal text: ArraySlice<UInt8>) throws(SignatureRefusal) -> [UInt8] {
        guard text.count == 64 else { throw SignatureRefusal(.malformed) }
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text {
            guard let digit = hexadecimalDigit(character) else { throw SignatureRefusal(.malformed) }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }

    /// Bytes of a known number in base64.
    static func bytes(base64 text: ArraySlice<UInt8>, count: Int) throws(SignatureRefusal) -> [UInt8] {
        guard text.count == Base64.encodedCount(count), let bytes = Base64.decode(text), bytes.count == count else {
            throw SignatureRefusal(.malformed)
        }
        return bytes
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
