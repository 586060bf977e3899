import JSON

/// Looks for a value that several schemas all allow.
///
/// Values are proposed from what the schemas demand and then held against them, so a proposal may be wrong and a value
/// that is found is right. Everything it does is counted, so that it ends soon.
struct SampleFinder {
    /// Values within one another, at most.
    private static let maximumDepth = 24

    /// Values and choices within one another, at most.
    private static let maximumNesting = 256

    /// Proposals that are held against schemas, at most.
    private static let maximumProposals = 4000

    /// Steps for each schema that is asked what it demands.
    private static let costOfSchema = 64

    /// Elements, members and characters of one value, at most.
    static let maximumSize = 4096

    let nodes: [SchemaNode]

    private var proposalsLeft = Self.maximumProposals

    /// What is left to spend on holding proposals against schemas, and on finding texts for patterns.
    var stepsLeft = JSONSchemaLimits.maximumSteps
    private var depth = 0
    private var nesting = 0

    /// The alternatives that are chosen around the value that is being looked for.
    private var open: Set<Int> = []

    init(_ nodes: [SchemaNode]) { self.nodes = nodes }

    /// Whether it must give up.
    var isSpent: Bool { proposalsLeft <= 0 || stepsLeft <= 0 }

    /// A value that several schemas all allow.
    ///
    /// - Parameters:
    ///   - schemas: The schemas.
    ///   - excluded: The ``SchemaValueKey``s of values that will not do.
    /// - Returns: Nil where none is found.
    mutating func value(of schemas: [Int], excluding excluded: Set<[UInt8]> = []) -> JSONValue? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth, !isSpent else { return nil }
        var needs = SampleNeeds()
        stepsLeft -= Self.costOfSchema * needs.add(schemas, from: nodes)
        return value(of: SampleGoal(schemas: schemas, excluded: excluded), needs, choice: 0, suggestion: 0)
    }

    /// Chooses one alternative after the other until a value is found.
    private mutating func value(
        of goal: SampleGoal,
        _ needs: SampleNeeds,
        choice: Int,
        suggestion: Int
    ) -> JSONValue? {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Self.maximumNesting else { return nil }
        for view in needs.suggestions.dropFirst(suggestion) {
            if let value = accept(view.value, goal) { return value }
        }
        guard choice < needs.choices.count else { return madeUp(goal, needs) }
        // An alternative within itself may have no end, so the others come first.
        let alternatives = needs.choices[choice]
        for alternative in alternatives.filter(open.isDisjoint) + alternatives.filter({ !open.isDisjoint(with: $0) }) {
            guard !isSpent else { return nil }
            proposalsLeft -= 1
            var chosen = needs
            stepsLeft -= Self.costOfSchema * chosen.add(alternative, from: nodes)
            let added = Set(alternative).subtracting(open)
            open.formUnion(added)
            let found = value(of: goal, chosen, choice: choice + 1, suggestion: needs.suggestions.count)
            open.subtract(added)
            if let found { return found }
        }
        return nil
    }

    private mutating func madeUp(_ goal: SampleGoal, _ needs: SampleNeeds) -> JSONValue? {
        for kind in needs.kindsInOrder {
            guard !isSpent else { return nil }
            let value: JSONValue? =
                switch kind {
                case .null: accept(.null, goal)
                case .bool: accept(.bool(false), goal) ?? accept(.bool(true), goal)
                case .number: number(goal, needs)
                case .string: string(goal, needs)
                case .array: array(goal, needs)
                case .object: object(goal, needs)
                }
            if let value { return value }
        }
        return nil
    }

    /// Holds a proposal, in the form in which it will be written, against the schemas.
    mutating func accept(_ proposal: JSONValue, _ goal: SampleGoal) -> JSONValue? {
        guard !isSpent, let bytes = try? proposal.canonicalBytes() else { return nil }
        proposalsLeft -= 1
        stepsLeft -= bytes.count
        guard let root = try? JSONDocument(parsing: bytes).root else { return nil }
        guard !goal.excluded.contains(SchemaValueKey.bytes(of: root)) else { return nil }
        var validator = SchemaValidator(nodes, steps: stepsLeft)
        let isValid = validator.isValid(root, under: goal.schemas)
        stepsLeft = validator.steps
        return isValid ? .some(root.value) : .none
    }
}

/// What a value is looked for.
struct SampleGoal {
    let schemas: [Int]

    /// The ``SchemaValueKey``s of values that will not do.
    let excluded: Set<[UInt8]>
}

extension JSONValue {
    /// The value's ``SchemaValueKey``; nil where the value cannot be written.
    var sampleKey: [UInt8]? {
        guard let bytes = try? canonicalBytes(), let document = try? JSONDocument(parsing: bytes) else { return nil }
        return SchemaValueKey.bytes(of: document.root)
    }
}
