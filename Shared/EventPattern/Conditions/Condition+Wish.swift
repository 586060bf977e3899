import JSON

extension Leaf {
    /// What the field's list wants, for people.
    var wish: String {
        let phrases = conditions.map(\.wish) + (allowsAbsence ? ["no value"] : [])
        return Wording.list(phrases, "or")
    }
}

extension Condition {
    /// What the condition wants, for people.
    var wish: String {
        switch self {
        case .literal(let literal): literal.wish
        case .prefix(let text): "a text that begins with \(Wording.quote(text))"
        case .suffix(let text): "a text that ends with \(Wording.quote(text))"
        case .equalsIgnoringCase(let text): "\(Wording.quote(text.text)) in any case"
        case .prefixIgnoringCase(let text): "a text that begins with \(Wording.quote(text.text)) in any case"
        case .suffixIgnoringCase(let text): "a text that ends with \(Wording.quote(text.text)) in any case"
        case .wildcard(let wildcard): "a text like \(Wording.quote(wildcard.text))"
        case .numeric(let range): range.wish
        case .address(let range): range.wish
        case .exists: "any value"
        case .anythingBut(let conditions): "anything but \(Wording.list(conditions.map(\.wish), "or"))"
        }
    }
}

extension Literal {
    fileprivate var wish: String {
        switch kind {
        case .string: Wording.quote(bytes)
        case .number: number.isFinite ? Self.text(of: number) : String(decoding: bytes.prefix(40), as: UTF8.self)
        case .bool: number == 1 ? "true" : "false"
        case .null: "null"
        case .array, .object: ""
        }
    }

    /// A number as people write it, whole ones without a point.
    static func text(of number: Double) -> String {
        abs(number) < 1e15 && number == number.rounded() ? String(Int64(number)) : number.description
    }
}

extension NumericRange {
    fileprivate var wish: String {
        if low == high { return "the number \(Literal.text(of: low))" }
        var bounds: [String] = []
        if low.isFinite { bounds.append("\(excludesLow ? "above" : "of at least") \(Literal.text(of: low))") }
        if high.isFinite { bounds.append("\(excludesHigh ? "below" : "of at most") \(Literal.text(of: high))") }
        return "a number \(bounds.joined(separator: " and "))"
    }
}

extension AddressRange {
    fileprivate var wish: String {
        var text = ""
        if isVersion4 {
            text = stride(from: 120, through: 96, by: -8)
                .map { String(UInt8(truncatingIfNeeded: bits >> UInt128($0))) }
                .joined(separator: ".")
        } else {
            text = stride(from: 112, through: 0, by: -16)
                .map { String(UInt16(truncatingIfNeeded: bits >> UInt128($0)), radix: 16) }
                .joined(separator: ":")
        }
        return length == (isVersion4 ? 32 : 128) ? "the address \(text)" : "an address in \(text)/\(length)"
    }
}
