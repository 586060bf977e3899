import JSON

extension PatternCompiler {
    /// Reads what a value must not be: a text or number, a list of either, or an operator with a text or texts.
    mutating func anythingBut(_ view: JSONView, at pointer: JSONPointer) -> [Condition]? {
        switch view.kind {
        case .object:
            return anythingBut(operator: view, at: pointer)
        case .array:
            guard view.count > 0 else {
                return fault(.emptyList, pointer, "\"anything-but\" takes a list of at least one value.")
            }
            let conditions = excluded(view, at: pointer)
            let kinds = Set(view.elements.map(\.kind))
            guard !kinds.contains(.string) || !kinds.contains(.number) else {
                return fault(.mixedTypes, pointer, "A list of \"anything-but\" has only texts or only numbers.")
            }
            return conditions
        case .string, .number:
            return excluded(view, isElement: false, at: pointer).map { [$0] }
        case .null, .bool:
            return fault(
                .wrongType,
                pointer,
                "\"anything-but\" takes a text, a number, a list of either, or an operator, and this is "
                    + "\(Wording.article(view.kind))."
            )
        }
    }

    private mutating func excluded(_ list: JSONView, at pointer: JSONPointer) -> [Condition] {
        var conditions: [Condition] = []
        for (index, element) in list.elements.enumerated() {
            let inner = pointer.appending(index)
            count(valueAt: inner)
            if let condition = excluded(element, isElement: true, at: inner) { conditions.append(condition) }
        }
        return conditions
    }

    private mutating func excluded(_ view: JSONView, isElement: Bool, at pointer: JSONPointer) -> Condition? {
        guard view.kind == .string || view.kind == .number, let literal = Literal(view) else {
            return fault(
                .wrongType,
                pointer,
                "A list of \"anything-but\" has only texts or only numbers, and this is \(Wording.article(view.kind))."
            )
        }
        guard view.kind == .string || literal.number.isFinite else {
            return fault(.numberOutOfRange, pointer, "The number is too large to be compared.")
        }
        return .literal(literal)
    }

    private mutating func anythingBut(operator view: JSONView, at pointer: JSONPointer) -> [Condition]? {
        guard let member = onlyMember(of: view, at: pointer) else { return nil }
        let inner = pointer.appending(member.key)
        guard ["prefix", "suffix", "equals-ignore-case", "wildcard"].contains(member.key) else {
            return fault(
                .unknownOperator,
                inner,
                "Inside \"anything-but\" there are prefix, suffix, equals-ignore-case and wildcard, not "
                    + "\(Wording.quote(member.key))."
            )
        }
        guard member.value.kind == .array else {
            return excluded(member.value, by: member.key, at: inner).map { [$0] }
        }
        guard member.value.count > 0 else {
            return fault(.emptyList, inner, "\"\(member.key)\" takes a list of at least one text.")
        }
        var conditions: [Condition] = []
        for (index, element) in member.value.elements.enumerated() {
            let place = inner.appending(index)
            count(valueAt: place)
            if let condition = excluded(element, by: member.key, at: place) { conditions.append(condition) }
        }
        return conditions
    }

    private mutating func excluded(_ view: JSONView, by name: String, at pointer: JSONPointer) -> Condition? {
        guard name != "wildcard" else { return wildcard(view, at: pointer).map { .wildcard($0) } }
        guard let text = text(view, of: name, at: pointer) else { return nil }
        guard name != "equals-ignore-case" else { return .equalsIgnoringCase(CaselessText(text)) }
        guard !text.isEmpty else {
            return fault(.emptyText, pointer, "Inside \"anything-but\" a \(name) is not empty: it would exclude all.")
        }
        return name == "prefix" ? .prefix(Array(text.utf8)) : .suffix(Array(text.utf8))
    }
}
