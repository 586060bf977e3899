import JSON

/// A number by its value, whatever its spelling, exact for any number of digits.
///
/// The value is `digits` times ten to the power of `exponent`. Exponents are exact within ±2^40; a number beyond that is
/// taken for one with the same digits at that bound.
struct SchemaDecimal: Sendable, Hashable {
    /// The absolute value of an exponent as it is written, at most.
    static let largestExponent = 1 << 40

    let isNegative: Bool

    /// Each from 0 to 9, the first and the last not 0; none for zero.
    let digits: [UInt8]

    /// The power of ten of the last digit; 0 for zero.
    let exponent: Int

    static let zero = SchemaDecimal(text: "0".utf8)

    /// Reads a number's text.
    ///
    /// - Parameter text: As JSON writes numbers.
    init(text: some Sequence<UInt8>) {
        var digits: [UInt8] = []
        var exponent = 0
        var power = 0
        var isNegative = false
        var isPowerNegative = false
        var inFraction = false
        var inPower = false
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let digit = byte - UInt8(ascii: "0")
                if inPower {
                    power = min(power * 10 + Int(digit), Self.largestExponent)
                } else {
                    if digit != 0 || !digits.isEmpty { digits.append(digit) }
                    if inFraction { exponent -= 1 }
                }
            case UInt8(ascii: "-"):
                if inPower { isPowerNegative = true } else { isNegative = true }
            case UInt8(ascii: "."): inFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"): inPower = true
            default: break
            }
        }
        while digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
        self.digits = digits
        self.isNegative = isNegative && !digits.isEmpty
        self.exponent = digits.isEmpty ? 0 : exponent + (isPowerNegative ? -power : power)
    }

    /// The value of a JSON number; zero for another kind.
    init(_ view: JSONView) {
        self.init(text: view.kind == .number ? view.rawBytes : [])
    }

    init(_ value: Int) {
        self.init(text: String(value).utf8)
    }

    var isZero: Bool { digits.isEmpty }

    /// Whether it has no fraction; `1.0` and `1e2` have none.
    var isInteger: Bool { exponent >= 0 }

    /// A whole number that is not negative, cut to `Int.max`; nil for another.
    var count: Int? {
        guard !isNegative, isInteger else { return nil }
        guard digits.count + exponent <= 19 else { return .max }
        let zeros = repeatElement(UInt8(0), count: exponent)
        let value = (digits + zeros).reduce(UInt64(0)) { sum, digit in sum &* 10 &+ UInt64(digit) }
        return Int(clamping: value)
    }

    /// The value as JSON writes it, with an exponent.
    var text: String {
        let digits = digits.isEmpty ? "0" : String(decoding: digits.map { $0 + UInt8(ascii: "0") }, as: UTF8.self)
        return (isNegative ? "-" : "") + digits + (exponent == 0 ? "" : "e\(exponent)")
    }
}

extension SchemaDecimal: Comparable {
    static func < (left: SchemaDecimal, right: SchemaDecimal) -> Bool {
        guard left.isNegative == right.isNegative else { return left.isNegative }
        return left.isNegative ? right.isLessInMagnitude(than: left) : left.isLessInMagnitude(than: right)
    }

    private func isLessInMagnitude(than other: SchemaDecimal) -> Bool {
        guard !isZero, !other.isZero else { return isZero && !other.isZero }
        let (places, otherPlaces) = (digits.count + exponent, other.digits.count + other.exponent)
        return places == otherPlaces ? digits.lexicographicallyPrecedes(other.digits) : places < otherPlaces
    }
}

/// What a number may have to be a multiple of: a positive number of few digits, so that division is exact and quick.
struct SchemaDivisor: Sendable {
    /// Less than 10^18, and no multiple of 10.
    let coefficient: UInt64

    let exponent: Int

    /// Makes a divisor; nil where the number is not positive or has more than 18 digits.
    init?(_ decimal: SchemaDecimal) {
        guard !decimal.isNegative, !decimal.isZero else { return nil }
        guard decimal.digits.count <= JSONSchemaLimits.maximumDivisorDigits else { return nil }
        coefficient = decimal.digits.reduce(0) { sum, digit in sum * 10 + UInt64(digit) }
        exponent = decimal.exponent
    }

    /// Whether a number is a whole multiple, exactly.
    func divides(_ decimal: SchemaDecimal) -> Bool {
        guard !decimal.isZero else { return true }
        // The digits end with no zero, so they are no multiple of a divisor that does.
        guard decimal.exponent >= exponent else { return false }
        // Below 10^18, a remainder times ten plus a digit fits 64 bits.
        var remainder = decimal.digits.reduce(UInt64(0)) { rest, digit in (rest * 10 + UInt64(digit)) % coefficient }
        var power = 10 % coefficient
        var times = decimal.exponent - exponent
        while times > 0, remainder != 0 {
            if times & 1 == 1 { remainder = product(remainder, power) }
            power = product(power, power)
            times >>= 1
        }
        return remainder == 0
    }

    /// The product of two remainders, which are less than the coefficient, so the quotient fits 64 bits.
    private func product(_ left: UInt64, _ right: UInt64) -> UInt64 {
        coefficient.dividingFullWidth(left.multipliedFullWidth(by: right)).remainder
    }
}
