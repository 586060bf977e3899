/// A set of Unicode scalars.
struct ScalarSet: Sendable, Hashable {
    /// Ordered, and neither overlapping nor touching.
    let ranges: [ClosedRange<UInt32>]

    /// One bit for each ASCII character.
    private let ascii: (low: UInt64, high: UInt64)

    static let largestScalar: UInt32 = 0x10_FFFF

    /// Makes a set from ranges in any order.
    init(_ ranges: [ClosedRange<UInt32>]) {
        var merged: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound &+ 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
        var bits: (low: UInt64, high: UInt64) = (0, 0)
        for scalar in UInt32(0)..<128 where merged.contains(where: { $0.contains(scalar) }) {
            if scalar < 64 { bits.low |= 1 << UInt64(scalar) } else { bits.high |= 1 << UInt64(scalar - 64) }
        }
        ascii = bits
    }

    init(_ scalar: UInt32) { self.init([scalar...scalar]) }

    static func == (left: ScalarSet, right: ScalarSet) -> Bool { left.ranges == right.ranges }

    func hash(into hasher: inout Hasher) { hasher.combine(ranges) }

    func contains(_ scalar: UInt32) -> Bool {
        if scalar < 64 { return ascii.low >> UInt64(scalar) & 1 == 1 }
        if scalar < 128 { return ascii.high >> UInt64(scalar - 64) & 1 == 1 }
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(scalar)
    }

    /// All scalars that are not in the set.
    var inverted: ScalarSet {
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { gaps.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= Self.largestScalar { gaps.append(next...Self.largestScalar) }
        return ScalarSet(gaps)
    }

    /// Up to ten scalars to stand for the set in samples: letters or digits where there are any.
    var examples: [Unicode.Scalar] {
        let preferred: [ClosedRange<UInt32>] = [0x61...0x7A, 0x30...0x39, 0x41...0x5A, 0x21...0x7E, 0x20...0x20]
        for wanted in preferred {
            for range in ranges where range.overlaps(wanted) {
                return range.clamped(to: wanted).prefix(10).compactMap { Unicode.Scalar($0) }
            }
        }
        // One of a range's bounds, as the other may be half of a surrogate pair.
        let bounds = ranges.lazy.compactMap { Unicode.Scalar($0.upperBound) ?? Unicode.Scalar($0.lowerBound) }
        return Array(bounds.prefix(1))
    }
}

extension ScalarSet {
    /// The digits of ASCII: `\d`.
    static let digits = ScalarSet([0x30...0x39])

    /// Letters and digits of ASCII, and `_`: `\w`.
    static let words = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])

    /// White space and ends of lines as ECMA-262 lists them: `\s`.
    static let spaces = ScalarSet([
        0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
        0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
    ])

    /// Everything but ends of lines: `.`.
    static let characters = ScalarSet([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029]).inverted
}
