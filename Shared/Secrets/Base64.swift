/// Base64 of RFC 4648, section 4, with its padding, of which only the one canonical form of bytes is read.
enum Base64 {
    /// How many characters a number of bytes becomes.
    static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Reads base64 without white space and with zeros for the bits that carry nothing.
    ///
    /// - Parameters:
    ///   - text: The characters.
    ///   - buffer: Takes the bytes.
    /// - Returns: How many bytes there are; nil where the text is not base64 or the buffer is too small.
    static func decode(_ text: some Collection<UInt8>, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        let length = text.count
        guard length % 4 == 0 else { return nil }
        var bits: UInt32 = 0
        var pending = 0
        var count = 0
        var characters = 0
        for byte in text {
            guard let value = value(of: byte) else { break }
            characters += 1
            bits = bits << 6 | UInt32(value)
            pending += 6
            guard pending >= 8 else { continue }
            pending -= 8
            guard count < buffer.count else { return nil }
            buffer[count] = UInt8(truncatingIfNeeded: bits >> UInt32(pending))
            count += 1
        }
        let padding = text.dropFirst(characters)
        guard padding.count <= 2, padding.allSatisfy({ $0 == UInt8(ascii: "=") }) else { return nil }
        return bits & ((1 << UInt32(pending)) - 1) == 0 ? count : nil
    }

    /// The bytes of a text that is no secret.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var isValid = false
        let bytes = [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3) { buffer, count in
            guard let decoded = decode(text, into: UnsafeMutableRawBufferPointer(buffer)) else { return }
            count = decoded
            isValid = true
        }
        return isValid ? bytes : nil
    }

    /// Writes bytes as base64.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - buffer: Takes the characters, so many as ``encodedCount(_:)`` says.
    static func encode(_ bytes: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) {
        var at = 0
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for byte in group { bits = bits << 8 | UInt32(byte) }
            bits <<= UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                let value = UInt8(truncatingIfNeeded: bits >> UInt32(18 - 6 * place)) & 0x3F
                buffer[at] = place <= group.count ? character(of: value) : UInt8(ascii: "=")
                at += 1
            }
        }
    }

    private static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    private static func character(of value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: value + UInt8(ascii: "A")
        case 26..<52: value - 26 + UInt8(ascii: "a")
        case 52..<62: value - 52 + UInt8(ascii: "0")
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}
