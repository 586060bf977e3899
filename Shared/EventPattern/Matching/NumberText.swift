/// The values of JSON numbers.
enum NumberText {
    /// The nearest double of a number as JSON writes it; infinite where it is too large.
    ///
    /// A whole number below 2^53 with at most 22 places behind or before it takes one exact division or multiplication
    /// (Clinger, "How to read floating point numbers accurately", 1990); the others are left to the library.
    static func value(of text: ByteText) -> Double? {
        var digits: UInt64 = 0
        var count = 0
        var places = 0
        var isFraction = false
        let isNegative = text.first == UInt8(ascii: "-")
        for byte in text.dropFirst(isNegative ? 1 : 0) {
            if byte == UInt8(ascii: ".") {
                isFraction = true
                continue
            }
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return exactly(text) }
            digits = digits &* 10 &+ UInt64(digit)
            count += digits == 0 ? 0 : 1
            places += isFraction ? 1 : 0
        }
        guard count <= 15, places < powers.count else { return exactly(text) }
        let value = Double(digits) / powers[places]
        return isNegative ? -value : value
    }

    private static func exactly(_ text: ByteText) -> Double? {
        Double(String(decoding: text, as: UTF8.self))
    }

    private static let powers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]
}
