import JSON

extension PatternCompiler {
    /// Reads `["=", n]`, `["<", n]`, `["<=", n]`, `[">", n]`, `[">=", n]`, or a range that begins with its bottom.
    mutating func numeric(_ view: JSONView, at pointer: JSONPointer) -> NumericRange? {
        let form =
            "\"numeric\" takes [\"=\", n], another comparison as in [\"<\", n], or a range as in [\">\", n, \"<=\", m]"
        guard view.kind == .array else {
            return fault(.wrongType, pointer, "\(form), and this is \(Wording.article(view.kind)).")
        }
        guard view.count == 2 || view.count == 4 else {
            return fault(.invalidNumeric, pointer, "\(form); this list has \(view.count) elements.")
        }
        var range = NumericRange()
        for index in stride(from: 0, to: view.count, by: 2) {
            guard let sign = view.element(at: index), let operand = view.element(at: index + 1) else { return nil }
            let isAlone = view.count == 2
            guard let text = sign.stringValue, Self.signs(isAlone: isAlone, isFirst: index == 0).contains(text) else {
                return fault(.invalidNumeric, pointer.appending(index), Self.signFault(sign, isAlone, index == 0))
            }
            guard let number = number(operand, after: text, at: pointer.appending(index + 1)) else { return nil }
            range.narrow(text, number)
        }
        guard view.count == 2 || range.low < range.high else {
            return fault(.emptyRange, pointer, "The bottom of a numeric range must be less than its top.")
        }
        return range
    }

    private mutating func number(_ view: JSONView, after sign: String, at pointer: JSONPointer) -> Double? {
        guard view.kind == .number else {
            let detail = "Behind \"\(sign)\" stands a number, and this is \(Wording.article(view.kind))."
            return fault(.invalidNumeric, pointer, detail)
        }
        guard let number = view.doubleValue else {
            return fault(.numberOutOfRange, pointer, "The number is too large to be compared.")
        }
        return number
    }

    private static func signs(isAlone: Bool, isFirst: Bool) -> [String] {
        guard isFirst else { return ["<", "<="] }
        return isAlone ? ["=", "<", "<=", ">", ">="] : [">", ">="]
    }

    private static func signFault(_ view: JSONView, _ isAlone: Bool, _ isFirst: Bool) -> String {
        let signs = signs(isAlone: isAlone, isFirst: isFirst).joined(separator: " ")
        let place = isAlone ? "A comparison begins with" : isFirst ? "A range begins with" : "A range goes on with"
        return "\(place) one of \(signs), and this is \(Wording.bounded(view))."
    }
}

extension NumericRange {
    fileprivate mutating func narrow(_ sign: String, _ number: Double) {
        if sign == "=" || sign.hasPrefix(">") { (low, excludesLow) = (number, sign == ">") }
        if sign == "=" || sign.hasPrefix("<") { (high, excludesHigh) = (number, sign == "<") }
    }
}
