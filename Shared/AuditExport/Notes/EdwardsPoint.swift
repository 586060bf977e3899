/// Whether 32 bytes are a point of the curve of Ed25519, by RFC 8032, section 5.1.3.
///
/// Signatures are verified elsewhere; this is asked once for a key, and takes its time.
enum EdwardsPoint {
    /// Whether the bytes are a point in its one encoding.
    static func isEncoding(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == 32 else { return false }
        var y = Element(bytes)
        let isNegative = bytes[31] >= 0x80
        y.digits[7] &= 0x7fff_ffff
        guard y.isReduced else { return false }
        // The curve is -x² + y² = 1 + dx²y², so that x² = (y² - 1) / (dy² + 1), whose divisor is never 0.
        let square = y * y
        let dividend = square + Element.minusOne
        guard dividend != Element.zero else { return !isNegative }
        // A quotient is a square where the product is, which Euler's criterion tells.
        return (dividend * (square * Element.d + Element.one)).toHalfOrder == Element.one
    }
}

/// A number modulo 2^255 − 19, in eight digits of 32 bits, the lowest first.
private struct Element {
    /// Below 2^32 each; the number they make may exceed the modulus, but for ``isReduced``.
    var digits: [UInt64]

    static let zero = Element(low: 0)
    static let one = Element(low: 1)

    /// The modulus without 1.
    static let minusOne = Element(low: 0xffff_ffec, rest: 0xffff_ffff, top: 0x7fff_ffff)

    private static let modulus = Element(low: 0xffff_ffed, rest: 0xffff_ffff, top: 0x7fff_ffff)

    /// The constant of the curve: −121665 / 121666.
    static let d = Element(digits: [
        0x1359_78a3, 0x75eb_4dca, 0x4141_d8ab, 0x0070_0a4d, 0x7779_e898, 0x8cc7_4079, 0x2b6f_fe73, 0x5203_6cee,
    ])

    init(digits: [UInt64]) { self.digits = digits }

    private init(low: UInt64, rest: UInt64 = 0, top: UInt64 = 0) {
        digits = [low] + Array(repeating: rest, count: 6) + [top]
    }

    /// Takes 32 bytes, the lowest first.
    init(_ bytes: [UInt8]) {
        digits = stride(from: 0, to: 32, by: 4).map { start in
            bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    /// Whether the number is below the modulus.
    var isReduced: Bool { digits.reversed().lexicographicallyPrecedes(Self.modulus.digits.reversed()) }

    /// The number to the power of half the order of the group: 2^254 − 10.
    var toHalfOrder: Element {
        (0..<254).reversed().reduce(Element.one) { power, bit in
            let square = power * power
            return bit >= 4 || bit == 2 || bit == 1 ? square * self : square
        }
    }

    static func + (left: Element, right: Element) -> Element {
        Element(carrying: zip(left.digits, right.digits).map { $0 + $1 })
    }

    static func * (left: Element, right: Element) -> Element {
        var product = [UInt64](repeating: 0, count: 16)
        for (low, digit) in left.digits.enumerated() {
            var carry: UInt64 = 0
            for (high, other) in right.digits.enumerated() {
                let sum = product[low + high] + digit * other + carry
                product[low + high] = sum & 0xffff_ffff
                carry = sum >> 32
            }
            product[low + 8] = carry
        }
        // 2^256 is 38 here.
        return Element(carrying: (0..<8).map { product[$0] + 38 * product[$0 + 8] })
    }

    /// Takes digits that are too large, and brings what they carry to the next; 2^256 is 38.
    private init(carrying sums: [UInt64]) {
        var digits = sums
        var carry: UInt64 = 0
        repeat {
            for index in digits.indices {
                let sum = digits[index] + (index == 0 ? carry * 38 : carry)
                digits[index] = sum & 0xffff_ffff
                carry = sum >> 32
            }
        } while carry > 0
        self.digits = digits
    }

    static func == (left: Element, right: Element) -> Bool { left.reduced.digits == right.reduced.digits }

    static func != (left: Element, right: Element) -> Bool { !(left == right) }

    /// The same number below the modulus.
    private var reduced: Element {
        var element = self
        while !element.isReduced {
            var borrow: UInt64 = 0
            for index in 0..<8 {
                let difference = element.digits[index] &- Self.modulus.digits[index] &- borrow
                element.digits[index] = difference & 0xffff_ffff
                borrow = difference >> 63
            }
        }
        return element
    }
}
