import JSON

extension SchemaValidator {
    // MARK: - Arrays

    mutating func check(_ rules: ArrayRules, _ array: JSONView) throws(SchemaStop) {
        let count = array.count
        if let minimum = rules.minimum, count < minimum {
            try report(.tooFew, .minItems, "The array must have at least \(minimum.of("element")).")
        }
        if let maximum = rules.maximum, count > maximum {
            try report(.tooMany, .maxItems, "The array must have at most \(maximum.of("element")).")
        }
        if !rules.prefix.isEmpty || rules.items != nil {
            for (position, element) in array.elements.enumerated() {
                guard let schema = rules.schema(at: position) else { break }
                try apply(schema, to: element, at: position)
            }
        }
        if let schema = rules.contains { try check(contains: schema, rules, array) }
        if rules.isUnique, count > 1 { try checkUniqueness(of: array) }
    }

    private mutating func check(contains schema: Int, _ rules: ArrayRules, _ array: JSONView) throws(SchemaStop) {
        let minimum = rules.minimumContained ?? 1
        var count = 0
        for element in array.elements {
            if count >= minimum, rules.maximumContained.map({ count > $0 }) ?? true { break }
            if try holds(schema, element) { count += 1 }
        }
        var certain = count
        if placeholder != nil, rules.maximumContained != nil {
            certain = 0
            for element in array.elements where try holdsOtherwise(schema, element) { certain += 1 }
        }
        if count < minimum {
            let keyword: SchemaKeyword = rules.minimumContained == nil ? .contains : .minContains
            let elements = "\(minimum.of("element")) that \(minimum == 1 ? "meets" : "meet")"
            try report(.tooFew, keyword, "The array must have at least \(elements) the schema of contains.")
        }
        if let maximum = rules.maximumContained, certain > maximum {
            let elements = "\(maximum.of("element")) that \(maximum == 1 ? "meets" : "meet")"
            try report(.tooMany, .maxContains, "The array must have at most \(elements) the schema of contains.")
        }
    }

    private mutating func checkUniqueness(of array: JSONView) throws(SchemaStop) {
        try spend(array.byteRange.count / 2)
        var seen = Set<[UInt8]>(minimumCapacity: array.count)
        for (position, element) in array.elements.enumerated() {
            if try holdsUnknown(element) {
                guard areUnknownsValid else { throw .invalid }
                continue
            }
            guard !seen.insert(SchemaValueKey.bytes(of: element)).inserted else { continue }
            try report(.notUnique, .uniqueItems, "The element must differ from all before it.", at: position)
        }
    }

    // MARK: - Objects

    mutating func check(_ rules: ObjectRules, _ object: JSONView) throws(SchemaStop) {
        let count = object.count
        if let minimum = rules.minimum, count < minimum {
            try report(.tooFew, .minProperties, "The object must have at least \(minimum.of("member")).")
        }
        if let maximum = rules.maximum, count > maximum {
            try report(.tooMany, .maxProperties, "The object must have at most \(maximum.of("member")).")
        }
        try spend(rules.names.count / 4)
        var present = [Bool](repeating: false, count: rules.names.count)
        for member in object.members {
            try spend(member.keyView.byteRange.count / 8 + 2)
            let index = rules.names.isEmpty ? nil : rules.indexes[member.keyView.utf8]
            if let index { present[index] = true }
            try check(member, rules, index.flatMap { rules.names[$0].schema })
        }
        try checkNames(rules, present, object)
    }

    private mutating func check(
        _ member: JSONMemberView,
        _ rules: ObjectRules,
        _ schema: Int?
    ) throws(SchemaStop) {
        let name = member.keyView
        if let names = rules.nameSchema { try apply(names, to: name, under: name) }
        var isEvaluated = false
        if let schema {
            isEvaluated = true
            try apply(schema, to: member.value, under: name)
        }
        for (pattern, schema) in rules.patterns where try matches(pattern, name) {
            isEvaluated = true
            try apply(schema, to: member.value, under: name)
        }
        if !isEvaluated, let schema = rules.additional { try apply(schema, to: member.value, under: name) }
    }

    /// Looks at the names that must be there, and at what those demand that are.
    private mutating func checkNames(
        _ rules: ObjectRules,
        _ present: [Bool],
        _ object: JSONView
    ) throws(SchemaStop) {
        for (index, name) in rules.names.enumerated() {
            if name.isRequired, !present[index] {
                try report(.missingMember, .required, "The object must have a member \(name.wording).")
            }
            guard present[index] else { continue }
            for dependent in name.dependents where !present[dependent] {
                let other = rules.names[dependent].wording
                let message = "An object with a member \(name.wording) must have a member \(other)."
                try report(.missingMember, .dependentRequired, message)
            }
            try spend(name.dependents.count / 4)
            if let schema = name.dependentSchema { try apply(schema, to: object) }
        }
    }

    // MARK: - Branches

    mutating func check(_ branches: SchemaBranches, _ value: JSONView) throws(SchemaStop) {
        for schema in branches.allOf { try apply(schema, to: value) }
        if !branches.anyOf.isEmpty { try check(anyOf: branches.anyOf, value) }
        if !branches.oneOf.isEmpty { try check(oneOf: branches.oneOf, value) }
        if let schema = branches.not, try holdsOtherwise(schema, value) {
            try report(.excluded, .not, "The value must not meet the schema of not.")
        }
        if let condition = branches.condition { try check(condition, branches, value) }
    }

    private mutating func check(
        _ condition: Int,
        _ branches: SchemaBranches,
        _ value: JSONView
    ) throws(SchemaStop) {
        let holds = try holds(condition, value)
        if placeholder != nil, try holdsOtherwise(condition, value) != holds {
            // Which branch applies is not known.
            guard areUnknownsValid else { throw .invalid }
            return
        }
        if let schema = holds ? branches.then : branches.otherwise { try apply(schema, to: value) }
    }

    private mutating func check(anyOf schemas: [Int], _ value: JSONView) throws(SchemaStop) {
        for schema in schemas where try holds(schema, value) { return }
        try report(.anyOf, noneOf: schemas, value)
    }

    private mutating func check(oneOf schemas: [Int], _ value: JSONView) throws(SchemaStop) {
        var (isMet, count) = (false, 0)
        for schema in schemas {
            let holds = try holds(schema, value)
            isMet = isMet || holds
            if placeholder == nil ? holds : try holdsOtherwise(schema, value) { count += 1 }
            guard count < 2 else {
                let message = "The value must meet exactly one of \(schemas.count.of("schema")), and meets several."
                return try report(.noAlternative, .oneOf, message)
            }
        }
        if !isMet { try report(.oneOf, noneOf: schemas, value) }
    }

    /// Reports that a value meets no alternative; where one only can have been meant, what is wrong under that one.
    private mutating func report(
        _ keyword: SchemaKeyword,
        noneOf schemas: [Int],
        _ value: JSONView
    ) throws(SchemaStop) {
        guard isReporting else { throw .invalid }
        var meant: [Int] = []
        for schema in schemas where try isLikely(schema, value) { meant.append(schema) }
        if let schema = meant.first, meant.count == 1 { return try apply(schema, to: value) }
        let message =
            "The value must meet \(keyword == .oneOf ? "exactly" : "at least") one of"
            + " \(schemas.count.of("schema")), and meets none."
        try report(.noAlternative, keyword, message)
    }

    /// Whether a value has the type that an alternative wants, and the members by which it tells itself apart.
    private mutating func isLikely(_ schema: Int, _ value: JSONView) throws(SchemaStop) -> Bool {
        var node = nodes[schema]
        while let next = node.rules.reference, node.rules.kinds == nil, node.rules.objects == nil {
            try spend(1)
            node = nodes[next]
        }
        if node.rules.forbiddenBy != nil { return false }
        try spend(value.kind == .number ? 4 + value.byteRange.count / 2 : 4)
        if let kinds = node.rules.kinds, !kinds.allow(value) { return false }
        if let values = node.rules.constant ?? node.rules.allowed {
            return values.kinds.contains(SchemaKinds(value.kind)) && value.count > 0
        }
        guard value.kind == .object, let rules = node.rules.objects else { return true }
        for name in rules.names {
            try spend(value.count / 4 + 1)
            guard let schema = name.schema, nodes[schema].rules.constant != nil || nodes[schema].rules.allowed != nil
            else {
                continue
            }
            guard let member = name.utf8.withUnsafeBufferPointer({ value.member(named: $0) }) else { continue }
            guard try holds(schema, member) else { return false }
        }
        return true
    }
}

extension ObjectRules.Name {
    /// The name for a sentence, in quotes and cut to 80 characters.
    fileprivate var wording: String {
        let text = text
        guard text.unicodeScalars.count > 80 else { return "\"\(text)\"" }
        return "\"\(String(String.UnicodeScalarView(text.unicodeScalars.prefix(79))))…\""
    }
}
