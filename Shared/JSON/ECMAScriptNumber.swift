/// Numbers as ECMAScript's `Number::toString` writes them (ECMA-262, 6.1.6.1.20), which RFC 8785 takes over.
enum ECMAScriptNumber {
    /// Writes a number.
    ///
    /// - Parameter value: Finite.
    /// - Returns: ASCII.
    static func bytes(of value: Double) -> [UInt8] {
        guard value != 0 else {
            return [UInt8(ascii: "0")]
        }
        // Swift writes the shortest digits that are read back as the same double, which is what ECMAScript asks for.
        let (digits, exponent) = shortest(value.magnitude)
        var text: [UInt8] = value < 0 ? [UInt8(ascii: "-")] : []
        // The value is 0.d1d2d3… times ten to the power of `exponent`.
        switch exponent {
        case digits.count...21 where digits.count <= 21:
            text += digits + [UInt8](repeating: UInt8(ascii: "0"), count: exponent - digits.count)
        case 1...21:
            text += digits[..<exponent] + [UInt8(ascii: ".")] + digits[exponent...]
        case -5...0:
            text += Array("0.".utf8) + [UInt8](repeating: UInt8(ascii: "0"), count: -exponent) + digits
        default:
            text.append(digits[0])
            if digits.count > 1 {
                text += [UInt8(ascii: ".")] + digits[1...]
            }
            let power = exponent - 1
            text += Array((power < 0 ? "e-" : "e+").utf8) + Array(String(power.magnitude).utf8)
        }
        return text
    }

    /// The shortest digits of a positive number, and the exponent of the point before the first one.
    private static func shortest(_ value: Double) -> (digits: [UInt8], exponent: Int) {
        var digits: [UInt8] = []
        var point: Int?
        var power = 0
        var rest = Array(value.description.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "."): point = digits.count
            case UInt8(ascii: "e"):
                power = Int(String(decoding: rest, as: UTF8.self)) ?? 0
                rest = []
            default: digits.append(byte)
            }
        }
        var exponent = (point ?? digits.count) + power
        let leadingZeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(leadingZeros)
        exponent -= leadingZeros
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
        }
        return (digits, exponent)
    }
}
