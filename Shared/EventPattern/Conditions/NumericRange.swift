/// Numbers between two bounds; a bound that is not given is infinite.
struct NumericRange: Sendable, Equatable {
    var low = -Double.infinity
    var excludesLow = false
    var high = Double.infinity
    var excludesHigh = false

    func contains(_ number: Double) -> Bool {
        (excludesLow ? number > low : number >= low) && (excludesHigh ? number < high : number <= high)
    }

    /// The least and the greatest member as keys that sort like the numbers; nil where there is no member.
    var keys: ClosedRange<UInt64>? {
        let first = Self.key(of: excludesLow ? low.nextUp : low)
        let last = Self.key(of: excludesHigh ? high.nextDown : high)
        return first <= last ? first...last : nil
    }

    /// A number's place among all doubles.
    @inline(__always)
    static func key(of number: Double) -> UInt64 {
        let bits = number == 0 ? 0 : number.bitPattern
        return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
    }
}
