import JSON

/// Why a validation ends early.
enum SchemaStop: Error {
    /// The value is invalid, and nobody asks for more.
    case invalid
    /// As many violations are found as were asked for.
    case full
    /// The steps did not suffice.
    case tooComplex
}

/// Holds one value against a schema.
///
/// It works in two ways. Quickly, it ends at the first violation; this is how alternatives are tried. Reporting, it goes
/// on and notes each violation with its place. A schema that several references lead to is applied to one value at most
/// once in each way: the outcome is remembered, so that alternatives within alternatives do not multiply.
///
/// Where strings stand for values that are not known yet, a value holds if it *may* be valid; under `not` and the like,
/// if it *must* be. So nothing is reported that could turn out well.
struct SchemaValidator {
    let nodes: [SchemaNode]

    /// What is left to spend.
    private(set) var steps: Int

    /// Whether violations are noted.
    private(set) var isReporting: Bool

    /// A string that holds this stands for any value; none does where it is nil.
    let placeholder: [UInt8]?

    /// Whether a string that stands for any value is taken for a valid one: whether validity is asked for that may be,
    /// or one that must be.
    var areUnknownsValid = true

    private let limit: Int
    private let base: JSONPointer
    private var found: [JSONSchemaViolation] = []

    /// Violations that were met, those included that had been noted before.
    private var failures = 0
    private var path: [Token] = []
    private var nesting = 0
    private var outcomes: [Application: Outcome] = [:]

    private enum Token {
        case name(JSONView)
        case index(Int)
    }

    /// A schema and the value's first byte, which no other value of a document shares.
    private struct Application: Hashable {
        let schema: Int
        let place: Int
        let areUnknownsValid: Bool
    }

    private enum Outcome {
        case valid
        case invalid
        /// Invalid, and the violations are noted.
        case reported
    }

    /// What it costs to remember an outcome, so that memory is bounded too.
    private static let costOfOutcome = 16

    /// Makes a validator that works quickly.
    init(_ nodes: [SchemaNode], steps: Int = JSONSchemaLimits.maximumSteps) {
        self.nodes = nodes
        self.steps = min(steps, JSONSchemaLimits.maximumSteps)
        isReporting = false
        placeholder = nil
        limit = 0
        base = .root
    }

    /// Makes a validator that reports.
    init(_ nodes: [SchemaNode], reporting limit: Int, at base: JSONPointer, placeholder: String? = nil) {
        self.nodes = nodes
        steps = JSONSchemaLimits.maximumSteps
        isReporting = true
        self.placeholder = placeholder.flatMap { $0.isEmpty ? nil : Array($0.utf8) }
        self.limit = limit
        self.base = base
    }

    // MARK: - Whole values

    mutating func isValid(_ value: JSONView) -> Bool {
        isValid(value, under: [0])
    }

    /// Whether a value is valid under each of several schemas.
    mutating func isValid(_ value: JSONView, under schemas: some Sequence<Int>) -> Bool {
        do throws(SchemaStop) {
            for schema in schemas {
                guard try holds(schema, value) else { return false }
            }
            return true
        } catch {
            return false
        }
    }

    mutating func violations(in value: JSONView) -> [JSONSchemaViolation] {
        do throws(SchemaStop) {
            try apply(0, to: value)
        } catch {
            if error == .tooComplex, found.count < limit {
                let message = "Holding the value against its schema takes too many steps."
                found.append(JSONSchemaViolation(.tooComplex, at: base, keyword: "", message))
            }
        }
        return found
    }

    // MARK: - Schemas

    /// Whether a value is valid under a schema, found out quickly.
    mutating func holds(_ schema: Int, _ value: JSONView) throws(SchemaStop) -> Bool {
        let (wasReporting, outerNesting) = (isReporting, nesting)
        isReporting = false
        defer { isReporting = wasReporting }
        do throws(SchemaStop) {
            try apply(schema, to: value)
            return true
        } catch {
            guard error == .invalid else { throw error }
            nesting = outerNesting
            return false
        }
    }

    /// Applies a schema that lies further inside of the value.
    mutating func apply(_ schema: Int, to value: JSONView, at position: Int) throws(SchemaStop) {
        guard isReporting else { return try apply(schema, to: value) }
        path.append(.index(position))
        try apply(schema, to: value)
        path.removeLast()
    }

    /// Applies a schema that lies further inside of the value, or to a member's name.
    mutating func apply(_ schema: Int, to value: JSONView, under name: JSONView) throws(SchemaStop) {
        guard isReporting else { return try apply(schema, to: value) }
        path.append(.name(name))
        try apply(schema, to: value)
        path.removeLast()
    }

    /// Applies a schema to a value; nested no deeper than the limit, whatever the schema and the value.
    mutating func apply(_ schema: Int, to value: JSONView) throws(SchemaStop) {
        // A long number takes time to be read, whatever is asked of it.
        try spend(value.kind == .number ? 4 + value.byteRange.count / 2 : 4)
        if try isUnknown(value) {
            guard areUnknownsValid else { throw .invalid }
            return
        }
        nesting += 1
        guard nesting <= JSONSchemaLimits.maximumNesting else { throw .tooComplex }
        if nodes[schema].rules.isShared {
            try applyOnce(schema, to: value)
        } else {
            try check(schema, value)
        }
        nesting -= 1
    }

    private mutating func applyOnce(_ schema: Int, to value: JSONView) throws(SchemaStop) {
        let application = Application(
            schema: schema,
            place: value.byteRange.lowerBound,
            areUnknownsValid: areUnknownsValid
        )
        switch outcomes[application] {
        case .valid: return
        case .reported where isReporting:
            failures += 1
            return
        case .invalid where isReporting: break
        case .invalid, .reported: throw .invalid
        case nil: try spend(Self.costOfOutcome)
        }
        let before = failures
        do throws(SchemaStop) {
            try check(schema, value)
            outcomes[application] = failures > before ? .reported : .valid
        } catch {
            if error == .invalid { outcomes[application] = .invalid }
            throw error
        }
    }

    /// Holds a value against each keyword.
    private mutating func check(_ schema: Int, _ value: JSONView) throws(SchemaStop) {
        let node = nodes[schema]
        if let keyword = node.rules.forbiddenBy { return try reportForbidden(by: keyword) }
        if let kinds = node.rules.kinds, !kinds.allow(value) {
            // What else is wrong would only repeat that the value is another thing.
            return try report(.wrongType, .type, "The value must be \(kinds.wording).")
        }
        if let constant = node.rules.constant { try check(constant, .const, value) }
        if let allowed = node.rules.allowed { try check(allowed, .enumeration, value) }
        switch value.kind {
        case .null, .bool: break
        case .number: if let rules = node.rules.numbers { try check(rules, value) }
        case .string: if let rules = node.rules.strings { try check(rules, value) }
        case .array: if let rules = node.rules.arrays { try check(rules, value) }
        case .object: if let rules = node.rules.objects { try check(rules, value) }
        }
        if let reference = node.rules.reference { try apply(reference, to: value) }
        if let branches = node.rules.branches { try check(branches, value) }
    }

    // MARK: - Bounds

    /// Spends steps.
    mutating func spend(_ cost: Int) throws(SchemaStop) {
        steps -= cost
        guard steps >= 0 else { throw .tooComplex }
    }

    /// Whether a pattern matches.
    mutating func matches(_ pattern: SchemaPattern, _ text: JSONView) throws(SchemaStop) -> Bool {
        var left = steps
        // Setting out takes a mark for each state.
        left -= pattern.regex.states.count / 8
        let matches = text.withStringUTF8 { pattern.regex.matches($0, steps: &left) } ?? nil
        steps = left
        guard let matches, left >= 0 else { throw .tooComplex }
        return matches
    }

    // MARK: - Violations

    /// Notes a violation of the value that is being looked at, or ends.
    mutating func report(
        _ code: JSONSchemaViolation.Code,
        _ keyword: SchemaKeyword,
        _ message: @autoclosure () -> String
    ) throws(SchemaStop) {
        guard isReporting else { throw .invalid }
        failures += 1
        found.append(JSONSchemaViolation(code, at: pointer, keyword: keyword.rawValue, message()))
        guard found.count < limit else { throw .full }
    }

    /// Notes a violation of an element.
    mutating func report(
        _ code: JSONSchemaViolation.Code,
        _ keyword: SchemaKeyword,
        _ message: @autoclosure () -> String,
        at position: Int
    ) throws(SchemaStop) {
        guard isReporting else { throw .invalid }
        path.append(.index(position))
        try report(code, keyword, message())
        path.removeLast()
    }

    private mutating func reportForbidden(by keyword: SchemaKeyword) throws(SchemaStop) {
        switch keyword {
        case .properties, .patternProperties, .additionalProperties:
            try report(.unexpectedMember, keyword, "There must be no member of this name.")
        case .propertyNames: try report(.unexpectedMember, keyword, "There must be no members.")
        case .items, .prefixItems: try report(.notAllowed, keyword, "There must be no element at this position.")
        default: try report(.notAllowed, keyword, "No value is allowed here.")
        }
    }

    /// Where the value is, cut at a container where the pointer would be too long.
    private var pointer: JSONPointer {
        var pointer = base
        for token in path {
            let next =
                switch token {
                case .name(let name): pointer.appending(name.stringValue ?? "")
                case .index(let index): pointer.appending(index)
                }
            guard next.text.utf8.count <= JSONSchemaLimits.maximumPointerBytes else { return pointer }
            pointer = next
        }
        return pointer
    }
}
