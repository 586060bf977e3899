extension Sequence<UInt8> {
    /// The bytes in lower-case hex, two digits each.
    package var hex: String {
        var text: [UInt8] = []
        text.reserveCapacity(underestimatedCount * 2)
        for byte in self {
            text.append(UInt8.hexDigit(byte >> 4))
            text.append(UInt8.hexDigit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension UInt8 {
    /// The lower-case hex digit of a number below 16.
    package static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
    }
}
