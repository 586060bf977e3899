import JSON

/// What one value of a list asks for.
enum ListValue {
    case present(Condition)
    case absent
}

extension PatternCompiler {
    /// Reads a value or an operator of a field's list; nil after a fault.
    mutating func value(_ view: JSONView, at pointer: JSONPointer) -> ListValue? {
        switch view.kind {
        case .object:
            return operation(view, at: pointer)
        case .array:
            report(.nestedList, pointer, "A list holds texts, numbers, true, false, null and operators, not lists.")
            return nil
        case .string:
            let text = view.stringValue ?? ""
            if let address = InternetAddress(text) { return .present(.address(AddressRange(address))) }
            return .present(.literal(Literal(text: Array(text.utf8))))
        case .number, .bool, .null:
            return Literal(view).map { .present(.literal($0)) }
        }
    }

    /// Reads `{"operator": operand}`.
    private mutating func operation(_ view: JSONView, at pointer: JSONPointer) -> ListValue? {
        guard let member = onlyMember(of: view, at: pointer) else { return nil }
        let inner = pointer.appending(member.key)
        switch member.key {
        case "exists":
            guard let exists = member.value.boolValue else {
                return fault(.wrongType, inner, "\"exists\" takes true or false.")
            }
            return exists ? .present(.exists) : .absent
        case "numeric":
            return numeric(member.value, at: inner).map { .present(.numeric($0)) }
        case "anything-but":
            return anythingBut(member.value, at: inner).map { .present(.anythingBut($0)) }
        case "prefix", "suffix":
            return affix(member.value, at: inner, isPrefix: member.key == "prefix").map { .present($0) }
        case "exactly":
            return text(member.value, of: "exactly", at: inner).map {
                .present(.literal(Literal(text: Array($0.utf8))))
            }
        case "equals-ignore-case":
            return text(member.value, of: "equals-ignore-case", at: inner).map {
                .present(.equalsIgnoringCase(CaselessText($0)))
            }
        case "wildcard":
            return wildcard(member.value, at: inner).map { .present(.wildcard($0)) }
        case "cidr":
            return cidr(member.value, at: inner).map { .present(.address($0)) }
        default:
            return fault(
                .unknownOperator,
                inner,
                "There is no operator \(Wording.quote(member.key)); there are anything-but, cidr, equals-ignore-case, "
                    + "exactly, exists, numeric, prefix, suffix and wildcard."
            )
        }
    }

    /// The one member that an operator's object has.
    mutating func onlyMember(of view: JSONView, at pointer: JSONPointer) -> JSONMemberView? {
        var members = view.members
        guard view.count == 1, let member = members.next() else {
            return fault(
                .notOneOperator,
                pointer,
                "An operator is an object with exactly one member, and this one has \(view.count)."
            )
        }
        return member
    }

    /// A text that an operator takes.
    mutating func text(_ view: JSONView, of name: String, at pointer: JSONPointer) -> String? {
        guard let text = view.stringValue else {
            return fault(.wrongType, pointer, "\"\(name)\" takes a text, and this is \(Wording.article(view.kind)).")
        }
        return text
    }

    private mutating func affix(_ view: JSONView, at pointer: JSONPointer, isPrefix: Bool) -> Condition? {
        let name = isPrefix ? "prefix" : "suffix"
        guard view.kind == .object else {
            return text(view, of: name, at: pointer).map { text in
                isPrefix ? .prefix(Array(text.utf8)) : .suffix(Array(text.utf8))
            }
        }
        guard let member = onlyMember(of: view, at: pointer) else { return nil }
        let inner = pointer.appending(member.key)
        guard member.key == "equals-ignore-case" else {
            return fault(
                .unknownOperator,
                inner,
                "Inside \"\(name)\" there is only equals-ignore-case, not \(Wording.quote(member.key))."
            )
        }
        return text(member.value, of: "equals-ignore-case", at: inner).map { text in
            isPrefix ? .prefixIgnoringCase(CaselessText(text)) : .suffixIgnoringCase(CaselessText(text))
        }
    }

    mutating func wildcard(_ view: JSONView, at pointer: JSONPointer) -> Wildcard? {
        guard let text = text(view, of: "wildcard", at: pointer) else { return nil }
        do throws(Wildcard.Fault) {
            return try Wildcard(text, limit: EventPattern.maximumWildcards)
        } catch {
            let (code, detail) = Self.wording(error)
            return fault(code, pointer, detail)
        }
    }

    private static func wording(_ fault: Wildcard.Fault) -> (EventPatternError.Code, String) {
        switch fault {
        case .consecutive:
            (.invalidWildcard, "A wildcard may not have two * in a row.")
        case .escape:
            (.invalidWildcard, "In a wildcard only * or another \\ may follow a \\.")
        case .tooMany(let count):
            (
                .tooManyWildcards,
                "A wildcard has at most \(EventPattern.maximumWildcards) *, and this one has \(count)."
            )
        }
    }

    private mutating func cidr(_ view: JSONView, at pointer: JSONPointer) -> AddressRange? {
        guard let text = text(view, of: "cidr", at: pointer) else { return nil }
        do throws(AddressRange.Fault) {
            return try AddressRange(text)
        } catch {
            return fault(.invalidCIDR, pointer, Self.wording(error))
        }
    }

    private static func wording(_ fault: AddressRange.Fault) -> String {
        switch fault {
        case .noPrefixLength: "\"cidr\" takes an address, a / and a prefix length."
        case .notALength: "Behind the / of \"cidr\" stands a whole number from 0."
        case .notAnAddress: "Before the / of \"cidr\" stands an IPv4 or IPv6 address."
        case .tooLong(let limit):
            "The prefix length of this address is at most \(limit); a single address is given as a plain text."
        }
    }

    /// Reports a fault where a value is expected.
    mutating func fault<Value>(_ code: EventPatternError.Code, _ pointer: JSONPointer, _ detail: String) -> Value? {
        report(code, pointer, detail)
        return nil
    }
}
