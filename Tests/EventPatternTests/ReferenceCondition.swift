import JSON

/// What the values and operators of a list mean, told plainly.
enum ReferenceCondition {
    static func holds(_ condition: JSONValue, for value: JSONValue) -> Bool {
        guard let member = condition.objectValue?.first else {
            if case .string(let text) = condition, let digits = ReferenceAddress.digits(text) {
                return ReferenceAddress.isWithin(value, bottom: digits, top: digits)
            }
            return areEqual(condition, value)
        }
        let text = value.stringValue
        switch member.key {
        case "exists": return member.value.boolValue == true
        case "exactly": return areEqual(member.value, value)
        case "numeric": return numeric(member.value.arrayValue ?? [], value)
        case "cidr": return ReferenceAddress.cidr(member.value.stringValue ?? "", value)
        case "anything-but": return anythingBut(member.value, value)
        case "prefix": return text.map { affix(member.value, $0, reversed: false) } ?? false
        case "suffix": return text.map { affix(member.value, $0, reversed: true) } ?? false
        case "equals-ignore-case": return text.map { folded($0) == folded(member.value.stringValue ?? "") } ?? false
        case "wildcard":
            let wildcard = Array((member.value.stringValue ?? "").utf8)
            return text.map { glob(wildcard[...], Array($0.utf8)[...]) } ?? false
        default: return false
        }
    }

    private static func areEqual(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): Double(left.text) == Double(right.text)
        case (.string(let left), .string(let right)): Array(left.utf8) == Array(right.utf8)
        default: false
        }
    }

    private static func anythingBut(_ operand: JSONValue, _ value: JSONValue) -> Bool {
        guard let member = operand.objectValue?.first else {
            return !(operand.arrayValue ?? [operand]).contains { areEqual($0, value) }
        }
        return !(member.value.arrayValue ?? [member.value]).contains { element in
            holds(.object([JSONMember(member.key, element)]), for: value)
        }
    }

    private static func numeric(_ list: [JSONValue], _ value: JSONValue) -> Bool {
        guard case .number(let number) = value, let number = Double(number.text) else { return false }
        return stride(from: 0, to: list.count, by: 2).allSatisfy { index in
            guard case .number(let bound) = list[index + 1], let bound = Double(bound.text) else { return false }
            switch list[index].stringValue {
            case "=": return number == bound
            case "<": return number < bound
            case "<=": return number <= bound
            case ">": return number > bound
            default: return number >= bound
            }
        }
    }

    private static func affix(_ operand: JSONValue, _ text: String, reversed: Bool) -> Bool {
        let caseless = operand["equals-ignore-case"]?.stringValue
        let part = folded(caseless ?? operand.stringValue ?? "", if: caseless != nil)
        let whole = folded(text, if: caseless != nil)
        return reversed ? whole.reversed().starts(with: part.reversed()) : whole.starts(with: part)
    }

    /// The text's bytes, ASCII in lower case; the random tests have no other letters with two cases.
    private static func folded(_ text: String, if isFolded: Bool = true) -> [UInt8] {
        text.utf8.map { isFolded && (65...90).contains($0) ? $0 + 32 : $0 }
    }

    private static func glob(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == UInt8(ascii: "*") {
            return glob(pattern.dropFirst(), text) || (!text.isEmpty && glob(pattern, text.dropFirst()))
        }
        let isEscape = first == UInt8(ascii: "\\")
        let byte = isEscape ? pattern.dropFirst().first : first
        return text.first == byte && glob(pattern.dropFirst(isEscape ? 2 : 1), text.dropFirst())
    }
}

/// Addresses as hexadecimal digits, compared digit by digit until one decides.
enum ReferenceAddress {
    /// Eight digits of an IPv4 address or 32 of an IPv6 address; nil for any other text.
    static func digits(_ text: String) -> [Int]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 4, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }) {
            let bytes = parts.compactMap { UInt8($0) }
            return bytes.count == 4 ? bytes.flatMap { [Int($0 >> 4), Int($0 & 15)] } : nil
        }
        guard text.contains(":"), text.utf8.allSatisfy({ $0 == UInt8(ascii: ":") || isHexadecimal($0) }) else {
            return nil
        }
        guard let gap = text.firstRange(of: "::") else {
            return groups(text).flatMap { $0.count == 32 ? $0 : nil }
        }
        guard let head = groups(text[..<gap.lowerBound]), let tail = groups(text[gap.upperBound...]) else { return nil }
        guard head.count + tail.count < 32 else { return nil }
        let digits = head + Array(repeating: 0, count: 32 - head.count - tail.count) + tail
        let isMapped = digits[..<20].allSatisfy { $0 == 0 } && digits[20..<24].allSatisfy { $0 == 15 }
        return isMapped ? Array(digits[24...]) : digits
    }

    static func cidr(_ text: String, _ value: JSONValue) -> Bool {
        let parts = text.split(separator: "/")
        guard parts.count == 2, let base = digits(String(parts[0])), let length = Int(parts[1]) else { return false }
        let masks = base.indices.map { index in
            let fixed = min(4, max(0, length - index * 4))
            return 15 >> fixed
        }
        return isWithin(
            value,
            bottom: zip(base, masks).map { $0 & ~$1 },
            top: zip(base, masks).map { $0 | $1 }
        )
    }

    static func isWithin(_ value: JSONValue, bottom: [Int], top: [Int]) -> Bool {
        guard case .string(let text) = value, let digits = digits(text) else { return false }
        var (isAtBottom, isAtTop) = (true, true)
        for (index, digit) in digits.enumerated() {
            if isAtBottom, digit < bottom[index] { return false }
            if isAtTop, digit > top[index] { return false }
            isAtBottom = isAtBottom && digit == bottom[index]
            isAtTop = isAtTop && digit == top[index]
            if !isAtBottom, !isAtTop { return true }
            if index == bottom.count - 1 { return true }
        }
        return false
    }

    private static func groups(_ text: some StringProtocol) -> [Int]? {
        guard !text.isEmpty else { return [] }
        let groups = text.split(separator: ":", omittingEmptySubsequences: false)
        guard groups.allSatisfy({ (1...4).contains($0.count) }) else { return nil }
        return groups.flatMap { group in
            let value = Int(group, radix: 16) ?? 0
            return [value >> 12, value >> 8 & 15, value >> 4 & 15, value & 15]
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }
}
