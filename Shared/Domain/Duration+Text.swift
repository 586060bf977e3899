extension Duration {
    /// The longest duration that a text may state: ten years.
    package static let longestText = Duration.seconds(10 * 366 * 86_400)

    /// Reads a whole number and a unit: `250ms`, `30s`, `5m`, `2h`, `7d`; nothing else is taken.
    ///
    /// Nil for any other text, and for more than ``longestText``.
    package init?(text: String) {
        let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard (1...12).contains(digits.count), let count = Int64(String(decoding: digits, as: UTF8.self)),
            let milliseconds = Self.milliseconds(of: String(text.dropFirst(digits.count)))
        else {
            return nil
        }
        let (total, overflows) = count.multipliedReportingOverflow(by: milliseconds)
        guard !overflows, .milliseconds(total) <= Self.longestText else {
            return nil
        }
        self = .milliseconds(total)
    }

    /// The duration in the form that ``init(text:)`` reads, to the millisecond: in the largest unit that divides it.
    package var text: String {
        let milliseconds = Int64(self / .milliseconds(1))
        let units: [(name: String, length: Int64)] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
        let unit = units.first { milliseconds != 0 && milliseconds % $0.length == 0 } ?? ("ms", 1)
        return "\(milliseconds / unit.length)\(unit.name)"
    }

    private static func milliseconds(of unit: String) -> Int64? {
        switch unit {
        case "ms": 1
        case "s": 1_000
        case "m": 60_000
        case "h": 3_600_000
        case "d": 86_400_000
        default: nil
        }
    }
}
