import JSON

extension SchemaCompiler {
    /// Checks what says something about a schema and nothing about a value.
    mutating func compileAnnotation(_ keyword: SchemaKeyword, _ view: JSONView, into node: inout SchemaRules) {
        switch keyword {
        case .defaultValue: node.examples.insert(view, at: 0)
        case .examples:
            guard isArray(view, keyword) else { return }
            node.examples += view.elements.prefix(JSONSchemaLimits.maximumValues)
        case .deprecated, .readOnly, .writeOnly: _ = boolean(view, keyword)
        case .personal: node.isPersonal = boolean(view, keyword) ?? false
        default: _ = text(view, keyword)
        }
    }

    // MARK: - Values of any type

    mutating func compileAny(_ keyword: SchemaKeyword, _ view: JSONView, into node: inout SchemaRules) {
        switch keyword {
        case .type: node.kinds = kinds(view)
        case .const: node.constant = SchemaValues([view])
        default:
            guard isArray(view, keyword) else { return }
            guard view.count > 0 else { return add(.invalidValue, "enum has at least one value.") }
            guard view.count <= JSONSchemaLimits.maximumValues else {
                return add(.tooLarge, "enum has at most \(JSONSchemaLimits.maximumValues) values.")
            }
            node.allowed = SchemaValues(Array(view.elements))
        }
    }

    private mutating func kinds(_ view: JSONView) -> SchemaKinds? {
        if let name = view.stringValue { return kind(named: name, under: []) }
        guard view.kind == .array else {
            add(.invalidType, "type is a string or an array of strings, not \(view.kind.withArticle).")
            return nil
        }
        guard view.count > 0 else {
            add(.invalidValue, "type has at least one name.")
            return nil
        }
        var kinds: SchemaKinds = []
        for (index, element) in view.elements.enumerated() where !isFull {
            guard let name = element.stringValue else {
                let message = "The names of type are strings, not \(element.kind.withArticle)."
                add(.invalidType, under: [.index(index)], message)
                continue
            }
            guard let kind = kind(named: name, under: [.index(index)]) else { continue }
            if !kinds.isDisjoint(with: kind) {
                add(.invalidValue, under: [.index(index)], "The names of type stand there once each.")
            }
            kinds.formUnion(kind)
        }
        return kinds
    }

    private mutating func kind(named name: String, under tokens: [Token]) -> SchemaKinds? {
        if let kind = SchemaKinds(named: name) { return kind }
        let names = SchemaKinds.named.map(\.name).joined(separator: ", ")
        add(.invalidValue, under: tokens, "There is no such type; there are \(names).")
        return nil
    }

    // MARK: - Numbers

    mutating func compileNumber(_ keyword: SchemaKeyword, _ view: JSONView, into node: inout SchemaRules) {
        guard let number = number(view, keyword) else { return }
        var rules = node.numbers ?? NumberRules()
        switch keyword {
        case .minimum: rules.minimum = number
        case .maximum: rules.maximum = number
        case .exclusiveMinimum: rules.exclusiveMinimum = number
        case .exclusiveMaximum: rules.exclusiveMaximum = number
        default:
            guard !number.isNegative, !number.isZero else {
                return add(.invalidValue, "multipleOf is a number above 0.")
            }
            guard let divisor = SchemaDivisor(number) else {
                let message = "multipleOf has at most \(JSONSchemaLimits.maximumDivisorDigits) digits."
                return add(.unsupportedValue, message)
            }
            rules.divisor = (number, divisor)
        }
        node.numbers = rules
    }

    // MARK: - Strings

    mutating func compileString(_ keyword: SchemaKeyword, _ view: JSONView, into node: inout SchemaRules) {
        var rules = node.strings ?? StringRules()
        switch keyword {
        case .minLength: rules.minimum = count(view, keyword)
        case .maxLength: rules.maximum = count(view, keyword)
        case .pattern: rules.pattern = text(view, keyword).flatMap { pattern($0) }
        default:
            guard let name = text(view, keyword) else { return }
            rules.format = StringFormat(rawValue: name)
            if rules.format == nil {
                let names = StringFormat.allCases.map(\.rawValue).joined(separator: ", ")
                add(.unsupportedValue, "The supported formats are \(names).")
            }
        }
        node.strings = rules
    }
}
