import JSON

/// What keywords may have as their values.
extension SchemaCompiler {
    mutating func text(_ view: JSONView, _ keyword: SchemaKeyword) -> String? {
        if let text = view.stringValue { return text }
        add(.invalidType, "\(keyword.rawValue) is a string, not \(view.kind.withArticle).")
        return nil
    }

    mutating func boolean(_ view: JSONView, _ keyword: SchemaKeyword) -> Bool? {
        if let value = view.boolValue { return value }
        add(.invalidType, "\(keyword.rawValue) is a boolean, not \(view.kind.withArticle).")
        return nil
    }

    mutating func number(_ view: JSONView, _ keyword: SchemaKeyword) -> SchemaDecimal? {
        if view.kind == .number { return SchemaDecimal(view) }
        add(.invalidType, "\(keyword.rawValue) is a number, not \(view.kind.withArticle).")
        return nil
    }

    /// A whole number that is not negative.
    mutating func count(_ view: JSONView, _ keyword: SchemaKeyword) -> Int? {
        guard let number = number(view, keyword) else { return nil }
        if let count = number.count { return count }
        add(.invalidValue, "\(keyword.rawValue) is a whole number that is not negative.")
        return nil
    }

    mutating func isObject(_ view: JSONView, _ keyword: SchemaKeyword) -> Bool {
        if view.kind == .object { return true }
        add(.invalidType, "\(keyword.rawValue) is an object, not \(view.kind.withArticle).")
        return false
    }

    mutating func isArray(_ view: JSONView, _ keyword: SchemaKeyword) -> Bool {
        if view.kind == .array { return true }
        add(.invalidType, "\(keyword.rawValue) is an array, not \(view.kind.withArticle).")
        return false
    }

    /// Several names, each once.
    mutating func names(_ view: JSONView, _ keyword: SchemaKeyword) -> [[UInt8]]? {
        guard isArray(view, keyword) else { return nil }
        guard view.count <= JSONSchemaLimits.maximumValues else {
            add(.tooLarge, "\(keyword.rawValue) has at most \(JSONSchemaLimits.maximumValues) names.")
            return nil
        }
        var names: [[UInt8]] = []
        var seen = Set<[UInt8]>()
        for (index, element) in view.elements.enumerated() {
            let name = element.utf8
            if element.kind != .string {
                let message = "The names of \(keyword.rawValue) are strings, not \(element.kind.withArticle)."
                add(.invalidType, under: [.index(index)], message)
            } else if !seen.insert(name).inserted {
                add(.invalidValue, under: [.index(index)], "The names of \(keyword.rawValue) stand there once each.")
            }
            names.append(name)
        }
        return names
    }

    /// One schema or more.
    mutating func schemas(_ view: JSONView, _ keyword: SchemaKeyword) -> [Int] {
        guard isArray(view, keyword) else { return [] }
        guard view.count > 0 else {
            add(.invalidValue, "\(keyword.rawValue) has at least one schema.")
            return []
        }
        var schemas: [Int] = []
        for (index, element) in view.elements.enumerated() where !isFull {
            schemas.append(subschema(element, by: keyword, under: .index(index)))
        }
        return schemas
    }

    /// A regular expression; its states count for the whole schema.
    mutating func pattern(_ source: String, under tokens: [Token] = []) -> SchemaPattern? {
        do throws(RegexError) {
            let regex = try LinearRegex(source, maximumStates: statesLeft)
            statesLeft -= regex.states.count
            return SchemaPattern(source: source, regex: regex)
        } catch {
            switch error.reason {
            case .invalid: add(.invalidPattern, under: tokens, error.message)
            case .tooLarge: add(.tooLarge, under: tokens, error.message)
            }
            return nil
        }
    }
}

extension JSONKind {
    /// The type as a sentence names it.
    var withArticle: String {
        switch self {
        case .null: "null"
        case .array, .object: "an \(description)"
        case .bool, .number, .string: "a \(description)"
        }
    }
}
