import JSON

extension SchemaValidator {
    /// Holds a value against `enum` or `const`.
    mutating func check(_ values: SchemaValues, _ keyword: SchemaKeyword, _ value: JSONView) throws(SchemaStop) {
        if values.kinds.contains(SchemaKinds(value.kind)) {
            if try holdsUnknown(value) {
                guard areUnknownsValid else { throw .invalid }
                return
            }
            try spend(value.byteRange.count / 2 + 1)
            if values.keys.contains(SchemaValueKey.bytes(of: value)) { return }
        }
        try report(.wrongValue, keyword, values.wording)
    }

    // MARK: - Numbers

    mutating func check(_ rules: NumberRules, _ value: JSONView) throws(SchemaStop) {
        try spend(value.byteRange.count + 2)
        let number = SchemaDecimal(value)
        if let bound = rules.minimum, number < bound {
            try report(.tooSmall, .minimum, "The number must be at least \(bound.wording).")
        }
        if let bound = rules.exclusiveMinimum, number <= bound {
            try report(.tooSmall, .exclusiveMinimum, "The number must be greater than \(bound.wording).")
        }
        if let bound = rules.maximum, number > bound {
            try report(.tooLarge, .maximum, "The number must be at most \(bound.wording).")
        }
        if let bound = rules.exclusiveMaximum, number >= bound {
            try report(.tooLarge, .exclusiveMaximum, "The number must be less than \(bound.wording).")
        }
        if let (factor, divisor) = rules.divisor, !divisor.divides(number) {
            try report(.notAMultiple, .multipleOf, "The number must be a multiple of \(factor.wording).")
        }
    }

    // MARK: - Strings

    mutating func check(_ rules: StringRules, _ value: JSONView) throws(SchemaStop) {
        try spend(value.byteRange.count / 4 + 1)
        if rules.minimum != nil || rules.maximum != nil {
            let length = value.withStringUTF8 { text in text.count { $0 & 0xC0 != 0x80 } } ?? 0
            if let minimum = rules.minimum, length < minimum {
                try report(.tooShort, .minLength, "The string must have at least \(minimum.of("character")).")
            }
            if let maximum = rules.maximum, length > maximum {
                try report(.tooLong, .maxLength, "The string must have at most \(maximum.of("character")).")
            }
        }
        if let format = rules.format, value.withStringUTF8({ format.matches($0) }) != true {
            try report(.invalidFormat, .format, "The string must be \(format.wording).")
        }
        if let pattern = rules.pattern, try !matches(pattern, value) {
            try report(.patternMismatch, .pattern, "The string must match \(pattern.source.shortened).")
        }
    }
}

extension SchemaValues {
    /// The values for a sentence, no more than ten of them.
    fileprivate var wording: String {
        let shown = views.prefix(10).map { String(decoding: $0.rawBytes, as: UTF8.self).shortened }
        guard views.count > 1 else { return "The value must be \(shown.first ?? "nothing")." }
        let others = views.count > shown.count ? " or one of \(views.count - shown.count) others" : ""
        return "The value must be one of \(shown.joined(separator: ", "))\(others)."
    }
}

extension SchemaDecimal {
    /// The number for a sentence: as people write it where it is short.
    fileprivate var wording: String {
        guard digits.count <= 20, (-20...20).contains(exponent) else { return text.shortened }
        let sign = isNegative ? "-" : ""
        let digits = digits.map { String($0) }.joined()
        guard exponent < 0 else { return sign + (isZero ? "0" : digits + String(repeating: "0", count: exponent)) }
        let padded = String(repeating: "0", count: max(0, 1 - exponent - digits.count)) + digits
        return "\(sign)\(padded.dropLast(-exponent)).\(padded.suffix(-exponent))"
    }
}

extension String {
    /// The text, cut to 80 characters.
    fileprivate var shortened: String {
        guard unicodeScalars.count > 80 else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.prefix(79))) + "…"
    }
}

extension Int {
    /// The number with what it counts: `1 element`, `2 elements`.
    func of(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
