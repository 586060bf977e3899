import JSON

/// What several schemas together, and those that they refer to, demand of one value.
struct SampleNeeds {
    /// Schemas of which one must be chosen; each way to choose is a list of schemas.
    private(set) var choices: [[[Int]]] = []

    /// Values that the schemas name, the likeliest first.
    private(set) var suggestions: [JSONView] = []
    private(set) var kinds: SchemaKinds?

    /// The types that keywords speak of.
    private(set) var mentioned: SchemaKinds = []
    private(set) var numbers: [NumberRules] = []
    private(set) var strings: [StringRules] = []
    private(set) var arrays: [ArrayRules] = []
    private(set) var objects: [ObjectRules] = []

    private var gathered: Set<Int> = []

    /// Adds what schemas demand, without a choice among alternatives.
    ///
    /// - Parameters:
    ///   - schemas: The schemas.
    ///   - nodes: All schemas.
    /// - Returns: How many schemas were asked.
    mutating func add(_ schemas: [Int], from nodes: [SchemaNode]) -> Int {
        let before = gathered.count
        var pending = schemas
        // In the order in which they are tried: `default` or the first example, `const`, other examples, `enum`.
        var named: [[JSONView]] = [[], [], [], []]
        while let schema = pending.popLast() {
            guard gathered.insert(schema).inserted else { continue }
            let node = nodes[schema].rules
            named[0] += node.examples.prefix(1)
            named[1] += node.constant?.views ?? []
            named[2] += node.examples.dropFirst()
            named[3] += node.allowed?.views ?? []
            add(node)
            if let reference = node.reference { pending.append(reference) }
            pending += node.branches?.allOf ?? []
            // What a required member brings with it is as good as demanded.
            pending += node.objects?.names.filter(\.isRequired).compactMap(\.dependentSchema) ?? []
        }
        suggestions += named.joined()
        return gathered.count - before
    }

    private mutating func add(_ node: SchemaRules) {
        if let other = node.kinds { kinds = kinds.map { Self.intersection($0, other) } ?? other }
        if let rules = node.numbers {
            numbers.append(rules)
            mentioned.formUnion(.number)
        }
        if let rules = node.strings {
            strings.append(rules)
            mentioned.formUnion(.string)
        }
        if let rules = node.arrays {
            arrays.append(rules)
            mentioned.formUnion(.array)
        }
        if let rules = node.objects {
            objects.append(rules)
            mentioned.formUnion(.object)
        }
        guard let branches = node.branches else { return }
        if !branches.anyOf.isEmpty { choices.append(branches.anyOf.map { [$0] }) }
        if !branches.oneOf.isEmpty { choices.append(branches.oneOf.map { [$0] }) }
        if let condition = branches.condition {
            choices.append([[condition] + (branches.then.map { [$0] } ?? []), branches.otherwise.map { [$0] } ?? []])
        }
    }

    private static func intersection(_ left: SchemaKinds, _ right: SchemaKinds) -> SchemaKinds {
        // Whole numbers are numbers.
        var kinds = left.intersection(right)
        if left.contains(.integer), right.contains(.number) { kinds.insert(.integer) }
        if left.contains(.number), right.contains(.integer) { kinds.insert(.integer) }
        return kinds
    }

    /// Whether a number must be whole.
    var wantsInteger: Bool { kinds.map { $0.contains(.integer) && !$0.contains(.number) } ?? false }

    /// The types to try, those first that keywords speak of.
    var kindsInOrder: [JSONKind] {
        var allowed = kinds ?? [.object, .array, .string, .number, .boolean, .null]
        if allowed.contains(.integer) { allowed.insert(.number) }
        let order: [JSONKind] = [.object, .array, .string, .number, .bool, .null]
        let possible = order.filter { allowed.contains(SchemaKinds($0)) }
        let (spoken, other) = (
            possible.filter { mentioned.contains(SchemaKinds($0)) },
            possible.filter { !mentioned.contains(SchemaKinds($0)) }
        )
        // Of types that nothing is said of, null is the smallest.
        return spoken + (kinds == nil ? other.reversed() : other)
    }
}
