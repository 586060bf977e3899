/// An IPv4 or IPv6 address read from text.
struct InternetAddress: Sendable, Hashable {
    /// The address's bits, first bit highest; an IPv4 address has the highest 32.
    let bits: UInt128

    let isVersion4: Bool

    /// Reads dotted decimals or colon-separated hexadecimal groups.
    ///
    /// As in aws/event-ruler on Java: leading zeros are decimal, IPv6 has no dotted part and no zone, and an
    /// IPv4-mapped IPv6 address is the IPv4 address.
    init?(_ text: ByteText) {
        guard text.count >= 2, text.count <= 45 else { return nil }
        if let bits = Self.version4(text) {
            self.bits = UInt128(bits) << 96
            isVersion4 = true
        } else if let bits = Self.version6(text) {
            isVersion4 = bits >> 32 == 0xFFFF
            self.bits = isVersion4 ? bits << 96 : bits
        } else {
            return nil
        }
    }

    init?(_ text: String) {
        let address = Array(text.utf8).withUnsafeBufferPointer { InternetAddress($0) }
        guard let address else { return nil }
        self = address
    }

    private static func version4(_ text: ByteText) -> UInt32? {
        guard text.count <= 15 else { return nil }
        var bits: UInt32 = 0
        var part: UInt32 = 0
        var parts = 0
        var hasDigit = false
        for byte in text {
            if byte == UInt8(ascii: ".") {
                guard hasDigit, parts < 3 else { return nil }
                bits = bits << 8 | part
                (part, hasDigit) = (0, false)
                parts += 1
            } else {
                let digit = byte &- UInt8(ascii: "0")
                guard digit < 10 else { return nil }
                part = part * 10 + UInt32(digit)
                guard part <= 255 else { return nil }
                hasDigit = true
            }
        }
        return hasDigit && parts == 3 ? bits << 8 | part : nil
    }

    private static func version6(_ text: ByteText) -> UInt128? {
        guard text.count <= 39 else { return nil }
        var bits: UInt128 = 0
        var groups = 0
        var gap: Int?
        var at = 0
        if text[0] == UInt8(ascii: ":") {
            guard text[1] == UInt8(ascii: ":") else { return nil }
            (gap, at) = (0, 2)
        }
        while at < text.count {
            guard groups < 8, let group = group(in: text, at: &at) else { return nil }
            bits = bits << 16 | UInt128(group)
            groups += 1
            guard at < text.count else { break }
            guard text[at] == UInt8(ascii: ":"), at + 1 < text.count else { return nil }
            at += 1
            if text[at] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = groups
                at += 1
            }
        }
        guard let gap else { return groups == 8 ? bits : nil }
        guard groups < 8 else { return nil }
        let behind = UInt128(16 * (groups - gap))
        let low = bits & ((1 << behind) - 1)
        return (bits >> behind) << UInt128(16 * (8 - gap)) | low
    }

    /// One to four hexadecimal digits.
    private static func group(in text: ByteText, at position: inout Int) -> UInt16? {
        var group: UInt16 = 0
        let start = position
        while position < text.count, position - start < 4 {
            let byte = ASCII.lowercased(text[position])
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): group = group << 4 | UInt16(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): group = group << 4 | UInt16(byte - UInt8(ascii: "a") + 10)
            default: return position > start ? group : nil
            }
            position += 1
        }
        return position > start ? group : nil
    }
}
