import JSON

extension SampleFinder {
    // MARK: - Strings

    /// How many variants of a text for a pattern are tried.
    private static let maximumVariants = 64

    /// The first string that will do, beginning with the smallest.
    mutating func string(_ goal: SampleGoal, _ needs: SampleNeeds) -> JSONValue? {
        let minimum = needs.strings.compactMap(\.minimum).max() ?? 0
        guard minimum <= Self.maximumSize else { return nil }
        let count = goal.excluded.count + 4
        for format in Set(needs.strings.compactMap(\.format)).sorted(by: { $0.rawValue < $1.rawValue }) {
            for number in 0..<min(count, 1000) {
                let text = format.sample(number, minimumLength: minimum)
                if let value = accept(.string(text), goal) { return value }
            }
        }
        for pattern in needs.strings.compactMap(\.pattern) {
            if let value = string(for: pattern.regex, minimum, min(count, Self.maximumVariants), goal) { return value }
        }
        for number in 0..<count {
            if let value = accept(.string(Self.text(number, minimumLength: minimum)), goal) { return value }
        }
        return nil
    }

    private mutating func string(
        for regex: LinearRegex,
        _ minimum: Int,
        _ count: Int,
        _ goal: SampleGoal
    ) -> JSONValue? {
        for variant in 0..<count {
            guard let text = regex.sample(minimumLength: minimum, variant: variant, steps: &stepsLeft) else { break }
            if let value = accept(.string(text), goal) { return value }
        }
        // Longer texts are other texts.
        for length in minimum + 1..<minimum + count {
            guard let text = regex.sample(minimumLength: length, steps: &stepsLeft) else { break }
            if let value = accept(.string(text), goal) { return value }
        }
        return nil
    }

    /// A text for each number: `a` and so on, filled up with `a`.
    private static func text(_ number: Int, minimumLength: Int) -> String {
        var letters: [UInt8] = []
        var rest = number
        while rest > 0 {
            letters.append(UInt8(ascii: "a") + UInt8(rest % 26))
            rest /= 26
        }
        let filler = [UInt8](repeating: UInt8(ascii: "a"), count: max(0, minimumLength - letters.count))
        return String(decoding: filler + letters.reversed(), as: UTF8.self)
    }

    // MARK: - Numbers

    /// The first number that will do: 0 where it is allowed, else the one that is nearest to the bounds, and so on.
    mutating func number(_ goal: SampleGoal, _ needs: SampleNeeds) -> JSONValue? {
        let numbers = SampleNumbers(needs.numbers, isInteger: needs.wantsInteger)
        for text in numbers.proposals(count: goal.excluded.count + 4) {
            guard let number = JSONNumber(text) else { continue }
            if let value = accept(.number(number), goal) { return value }
        }
        return nil
    }
}

/// Finds numbers between bounds by counting in units small enough for all of them.
private struct SampleNumbers {
    private let rules: [NumberRules]

    /// The power of ten of a unit.
    private let exponent: Int

    /// Numbers are multiples of so many units.
    private var step: Int128 = 1
    private var lowest: Int128?
    private var highest: Int128?

    /// Whether all bounds could be written in units.
    private var isExact = true

    init(_ rules: [NumberRules], isInteger: Bool) {
        self.rules = rules
        let divisors = rules.compactMap { $0.divisor?.value } + (isInteger ? [SchemaDecimal(1)] : [])
        let numbers = rules.flatMap { [$0.minimum, $0.maximum, $0.exclusiveMinimum, $0.exclusiveMaximum] }
        let least = (numbers.compactMap { $0 } + divisors).map(\.exponent).min() ?? 0
        // One digit more leaves room between exclusive bounds, where nothing says which digits there may be.
        exponent = min(least, 0) - (divisors.isEmpty ? 1 : 0)
        if divisors.isEmpty { step = units(SchemaDecimal(1)).flatMap { numbers.isEmpty ? $0 : nil } ?? 1 }
        for divisor in divisors {
            guard let units = units(divisor), let multiple = Self.leastCommonMultiple(step, units) else {
                isExact = false
                continue
            }
            step = multiple
        }
        for rule in rules { narrow(rule) }
    }

    private mutating func narrow(_ rule: NumberRules) {
        if let bound = rule.minimum { raise(units(bound)) }
        if let bound = rule.exclusiveMinimum { raise(units(bound).map { $0 + 1 }) }
        if let bound = rule.maximum { lower(units(bound)) }
        if let bound = rule.exclusiveMaximum { lower(units(bound).map { $0 - 1 }) }
    }

    private mutating func raise(_ bound: Int128?) {
        guard let bound else {
            isExact = false
            return
        }
        lowest = max(lowest ?? bound, bound)
    }

    private mutating func lower(_ bound: Int128?) {
        guard let bound else {
            isExact = false
            return
        }
        highest = min(highest ?? bound, bound)
    }

    /// A number in units; nil where it has more than 30 digits.
    private func units(_ decimal: SchemaDecimal) -> Int128? {
        guard !decimal.isZero else { return 0 }
        let zeros = decimal.exponent - exponent
        guard zeros >= 0, zeros <= 30, decimal.digits.count + zeros <= 30 else { return nil }
        let digits = decimal.digits + [UInt8](repeating: 0, count: zeros)
        let value = digits.reduce(Int128(0)) { sum, digit in sum * 10 + Int128(digit) }
        return decimal.isNegative ? -value : value
    }

    private static func leastCommonMultiple(_ left: Int128, _ right: Int128) -> Int128? {
        var (larger, smaller) = (left, right)
        while smaller != 0 { (larger, smaller) = (smaller, larger % smaller) }
        guard larger != 0 else { return nil }
        let (product, overflow) = (left / larger).multipliedReportingOverflow(by: right)
        return overflow || product > limit ? nil : product
    }

    /// Sums and products below this fit 128 bits with room to spare.
    private static let limit: Int128 = 1_000_000_000_000_000_000_000_000_000_000_000

    /// The texts of numbers to try.
    func proposals(count: Int) -> [String] {
        let bounds = rules.flatMap { [$0.minimum, $0.maximum, $0.exclusiveMinimum, $0.exclusiveMaximum] }
        let spoken = ["0"] + (bounds.compactMap { $0 } + rules.compactMap { $0.divisor?.value }).map(\.text)
        let first = start
        let direction: Int128 = lowest == nil && highest != nil ? -step : step
        let counted = (0..<Int128(min(count, SampleFinder.maximumSize))).map { first + $0 * direction }
        let inside = counted.filter { number in
            (lowest.map { number >= $0 } ?? true) && (highest.map { number <= $0 } ?? true)
        }
        let texts = inside.map { $0 == 0 ? "0" : "\($0)e\(exponent)" }
        return isExact ? texts + spoken : spoken + texts
    }

    /// The multiple that is tried first: 0, or the one inside that is nearest to it.
    private var start: Int128 {
        if let lowest, lowest > 0 { return (lowest + step - 1) / step * step }
        if let highest, highest < 0 { return (highest - step + 1) / step * step }
        // From the lower bound on there is more room than from 0.
        if let lowest, let highest, highest - lowest < step * 8 { return lowest / step * step }
        return 0
    }
}
