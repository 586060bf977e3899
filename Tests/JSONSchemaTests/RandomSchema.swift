import TestSupport

/// Random schemas and values over few names and values, so that they often meet.
struct RandomSchema {
    var random: SeededGenerator

    private static let names = ["a", "b", "ab", "é"]
    private static let types = ["null", "boolean", "number", "integer", "string", "array", "object"]
    private static let scalars = [
        "null", "true", "false", "0", "1", "1.0", "-1", "2", "2.5", "10e-1", "1e400", #""""#, #""a""#, #""ab""#,
        #""é""#,
        #""😀""#, #""1.2.3.4""#, #""2026-01-31""#,
    ]
    private static let patterns = ["^a", "b$", "^[a-c]*$", "a|1", "^(ab)*$", ".", "^(a|b|é){1,3}$"]

    mutating func pick<Element>(_ values: [Element]) -> Element {
        values[Int.random(in: 0..<values.count, using: &random)]
    }

    mutating func chance(_ of: Int) -> Bool { Int.random(in: 0..<of, using: &random) == 0 }

    mutating func count(_ most: Int) -> Int { Int.random(in: 0...most, using: &random) }

    mutating func list(_ counts: ClosedRange<Int>, _ element: (inout RandomSchema) -> String) -> String {
        let count = Int.random(in: counts, using: &random)
        return "[" + (0..<count).map { _ in element(&self) }.joined(separator: ",") + "]"
    }

    mutating func members(_ value: (inout RandomSchema) -> String) -> String {
        let names = Self.names.shuffled(using: &random).prefix(count(3))
        return "{" + names.map { "\"\($0)\": \(value(&self))" }.joined(separator: ",") + "}"
    }

    mutating func nameList() -> String {
        let names = Self.names.shuffled(using: &random).prefix(count(2))
        return "[" + names.map { "\"\($0)\"" }.joined(separator: ",") + "]"
    }

    mutating func value(depth: Int = 3) -> String {
        if depth == 0 || chance(2) { return pick(Self.scalars) }
        if chance(2) { return list(0...4) { $0.value(depth: depth - 1) } }
        return members { $0.value(depth: depth - 1) }
    }

    /// A whole schema with definitions.
    mutating func schema() -> String {
        let definitions = #""$defs": {"x": \#(subschema(depth: 2)), "y": \#(subschema(depth: 1))}"#
        let rest = subschema(depth: 3)
        guard rest.hasPrefix("{"), rest != "{}" else { return "{\(definitions)}" }
        return "{\(definitions),\(rest.dropFirst())"
    }

    /// A schema that is one of its own definitions, as it is, negated and doubly negated.
    mutating func negations() -> (plain: String, negated: String, double: String) {
        let definitions =
            #""x": \#(subschema(depth: 2)), "y": \#(subschema(depth: 1)), "self": \#(subschema(depth: 3))"#
        let schema = ##""$defs": {\##(definitions)}"##.replacing(##""#""##, with: ##""#/$defs/self""##)
        let reference = ##"{"$ref": "#/$defs/self"}"##
        return (
            "{\(schema), \(reference.dropFirst())", #"{\#(schema), "not": \#(reference)}"#,
            #"{\#(schema), "not": {"not": \#(reference)}}"#
        )
    }

    private mutating func subschema(depth: Int) -> String {
        if depth <= 0 || chance(12) { return pick(["true", "{}", "false", #"{"type": "\#(pick(Self.types))"}"#]) }
        var members: [String: String] = [:]
        for _ in 0..<Int.random(in: 1...4, using: &random) { add(to: &members, depth: depth) }
        return "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ",")
            + "}"
    }

    private mutating func add(to members: inout [String: String], depth: Int) {
        switch Int.random(in: 0..<18, using: &random) {
        case 0: members["type"] = "\"\(pick(Self.types))\""
        case 1: members["type"] = #"["\#(pick(["null", "string"]))", "\#(pick(["object", "array", "integer"]))"]"#
        case 2: members["enum"] = list(1...4) { $0.value(depth: 1) }
        case 3: members["const"] = value(depth: 1)
        case 4:
            members[pick(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"])] = pick([
                "0", "1", "-1", "2.5",
            ])
        case 5: members["multipleOf"] = pick(["1", "2", "0.5", "0.01"])
        case 6:
            members[pick(["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"])] =
                "\(count(4))"
        case 7: members["pattern"] = quoted(pick(Self.patterns))
        case 8: members["format"] = quoted(pick(["date", "ipv4", "email", "uri"]))
        case 9: members[pick(["default", "x-note"])] = value(depth: 1)
        case 10:
            members["uniqueItems"] = "true"
            members["contains"] = subschema(depth: depth - 1)
            if chance(2) { members[pick(["minContains", "maxContains"])] = "\(count(3))" }
        case 11: members["prefixItems"] = list(1...2) { $0.subschema(depth: depth - 1) }
        case 12: members[pick(["items", "additionalProperties", "propertyNames", "not"])] = subschema(depth: depth - 1)
        case 13:
            members["properties"] = self.members { $0.subschema(depth: depth - 1) }
            members["required"] = nameList()
        case 14: members["patternProperties"] = "{\(quoted(pick(Self.patterns))): \(subschema(depth: depth - 1))}"
        case 15:
            members["dependentRequired"] = self.members { $0.nameList() }
            members["dependentSchemas"] = self.members { $0.subschema(depth: depth - 2) }
        case 16: members[pick(["allOf", "anyOf", "oneOf"])] = list(1...3) { $0.subschema(depth: depth - 1) }
        default:
            if chance(2) {
                members["$ref"] = quoted(pick(["#", "#/$defs/x", "#/$defs/y"]))
            } else {
                members["if"] = subschema(depth: depth - 1)
                members[pick(["then", "else"])] = subschema(depth: depth - 1)
            }
        }
    }
}
