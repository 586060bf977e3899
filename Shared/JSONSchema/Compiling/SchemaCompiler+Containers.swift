import JSON

extension SchemaCompiler {
    // MARK: - Arrays

    mutating func compileArray(
        _ keyword: SchemaKeyword,
        _ view: JSONView,
        of schema: JSONView,
        into node: inout SchemaRules
    ) {
        var rules = node.arrays ?? ArrayRules()
        switch keyword {
        case .items: rules.items = subschema(view, by: keyword)
        case .prefixItems: rules.prefix = schemas(view, keyword)
        case .contains: rules.contains = subschema(view, by: keyword)
        case .minContains:
            rules.minimumContained = count(view, keyword)
            checkCompanion("contains", of: keyword, in: schema)
        case .maxContains:
            rules.maximumContained = count(view, keyword)
            checkCompanion("contains", of: keyword, in: schema)
        case .minItems: rules.minimum = count(view, keyword)
        case .maxItems: rules.maximum = count(view, keyword)
        default: rules.isUnique = boolean(view, keyword) ?? false
        }
        node.arrays = rules
    }

    /// Adds a fault where a keyword stands without the one that gives it a meaning.
    private mutating func checkCompanion(_ name: String, of keyword: SchemaKeyword, in schema: JSONView) {
        guard schema[name] == nil else { return }
        add(.withoutEffect, "\(keyword.rawValue) means nothing without \(name).")
    }

    // MARK: - Objects

    mutating func compileObject(_ keyword: SchemaKeyword, _ view: JSONView, into node: inout SchemaRules) {
        var rules = node.objects ?? ObjectRules()
        switch keyword {
        case .properties: compileProperties(view, into: &rules)
        case .patternProperties: compilePatternProperties(view, into: &rules)
        case .additionalProperties: rules.additional = subschema(view, by: keyword)
        case .propertyNames: rules.nameSchema = subschema(view, by: keyword)
        case .required:
            for name in names(view, keyword) ?? [] { rules.update(name) { $0.isRequired = true } }
        case .dependentRequired: compileDependentRequired(view, into: &rules)
        case .dependentSchemas:
            guard isObject(view, keyword) else { return }
            for member in view.members where !isFull {
                let schema = subschema(member.value, by: keyword, under: .name(member.key))
                rules.update(member.keyView.utf8) { $0.dependentSchema = schema }
            }
        case .minProperties: rules.minimum = count(view, keyword)
        default: rules.maximum = count(view, keyword)
        }
        node.objects = rules
    }

    private mutating func compileProperties(_ view: JSONView, into rules: inout ObjectRules) {
        guard isObject(view, .properties) else { return }
        for member in view.members where !isFull {
            let schema = subschema(member.value, by: .properties, under: .name(member.key))
            rules.update(member.keyView.utf8) { $0.schema = schema }
        }
    }

    private mutating func compilePatternProperties(_ view: JSONView, into rules: inout ObjectRules) {
        guard isObject(view, .patternProperties) else { return }
        for member in view.members where !isFull {
            let pattern = pattern(member.key, under: [.name(member.key)])
            let schema = subschema(member.value, by: .patternProperties, under: .name(member.key))
            if let pattern { rules.patterns.append((pattern, schema)) }
        }
    }

    private mutating func compileDependentRequired(_ view: JSONView, into rules: inout ObjectRules) {
        guard isObject(view, .dependentRequired) else { return }
        for member in view.members where !isFull {
            let dependents = under(.name(member.key)) { $0.names(member.value, .dependentRequired) } ?? []
            let indexes = dependents.map { rules.index(of: $0) }
            rules.update(member.keyView.utf8) { $0.dependents = indexes }
        }
    }

    // MARK: - Branches

    mutating func compileBranches(
        _ keyword: SchemaKeyword,
        _ view: JSONView,
        of schema: JSONView,
        into node: inout SchemaRules
    ) {
        var branches = node.branches ?? SchemaBranches()
        switch keyword {
        case .allOf: branches.allOf = schemas(view, keyword)
        case .anyOf: branches.anyOf = schemas(view, keyword)
        case .oneOf: branches.oneOf = schemas(view, keyword)
        case .not: branches.not = subschema(view, by: keyword)
        case .ifSchema: branches.condition = subschema(view, by: keyword)
        case .thenSchema:
            branches.then = subschema(view, by: keyword)
            checkCompanion("if", of: keyword, in: schema)
        default:
            branches.otherwise = subschema(view, by: keyword)
            checkCompanion("if", of: keyword, in: schema)
        }
        node.branches = branches
    }
}
