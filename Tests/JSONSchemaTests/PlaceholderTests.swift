import JSON
import JSONSchema
import TestSupport
import Testing

@Suite("Values that are not known yet")
struct PlaceholderTests {
    private func outline(_ schema: String, _ value: String) throws -> [String] {
        try JSONSchema(schema).violations(in: try json(value), placeholder: "{{")
            .map { "\($0.code) \($0.keyword) \($0.pointer)" }
    }

    @Test("a string that holds the text stands for any value", arguments: open)
    func stands(schema: String, value: String) throws {
        #expect(try outline(schema, value) == [])
        #expect(try !JSONSchema(schema).violations(in: try json(value)).isEmpty, "taken for what it is, it is refused")
    }

    private static let open: [(String, String)] = [
        (#"{"type": "integer"}"#, #""{{ n }}""#), (#"{"enum": [1, 2]}"#, #""a {{ n }}""#), ("false", #""{{ n }}""#),
        (#"{"const": {"a": 1}}"#, #"{"a": "{{ n }}"}"#), (#"{"not": {"type": "string"}}"#, #""{{ n }}""#),
        (#"{"not": {"required": ["a"], "properties": {"a": {"type": "string"}}}}"#, #"{"a": "{{ n }}"}"#),
        (#"{"properties": {"a": {"format": "uri"}}}"#, #"{"a": "{{ n }}"}"#),
        (#"{"uniqueItems": true}"#, #"["{{ n }}", "{{ n }}"]"#),
        (#"{"contains": {"const": 1}}"#, #"["{{ n }}"]"#),
        (#"{"contains": {"type": "string"}, "maxContains": 1}"#, #"["a", "{{ n }}"]"#),
        (#"{"oneOf": [{"type": "string"}, {"minLength": 1}]}"#, #""{{ n }}""#),
        (#"{"oneOf": [{"type": "integer"}, {"type": "null"}]}"#, #""{{ n }}""#),
        (
            #"{"if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}"#,
            #"{"a": "{{ n }}"}"#
        ),
        (
            ##"{"$defs": {"x": {"type": "integer"}}, "anyOf": [{"$ref": "#/$defs/x"}, {"not": {"$ref": "#/$defs/x"}, "type": "null"}]}"##,
            #""{{ n }}""#
        ),
    ]

    @Test("what is wrong whatever it stands for is told", arguments: certain)
    func certainly(schema: String, value: String, expected: [String]) throws {
        #expect(try outline(schema, value) == expected)
    }

    private static let certain: [(String, String, [String])] = [
        (#"{"type": "integer"}"#, #""n""#, ["wrong_type type "]),
        (#"{"type": "array"}"#, #"{"a": "{{ n }}"}"#, ["wrong_type type "]),
        (#"{"required": ["b"]}"#, #"{"a": "{{ n }}"}"#, ["missing_member required "]),
        (#"{"maxItems": 1}"#, #"["{{ n }}", 1]"#, ["too_many maxItems "]),
        (
            #"{"properties": {"a": true}, "additionalProperties": false}"#, #"{"b": "{{ n }}", "c": 1}"#,
            ["unexpected_member additionalProperties /c"]
        ),
        (#"{"uniqueItems": true}"#, #"[1, "{{ n }}", 1]"#, ["not_unique uniqueItems /2"]),
        (#"{"const": [1]}"#, #"{"a": "{{ n }}"}"#, ["wrong_value const "]),
        (#"{"not": {"required": ["a"]}}"#, #"{"a": "{{ n }}"}"#, ["excluded not "]),
        (
            #"{"if": {"required": ["a"]}, "then": {"required": ["b"]}}"#, #"{"a": "{{ n }}"}"#,
            ["missing_member required "]
        ),
        (#"{"oneOf": [{"required": ["a"]}, {"minProperties": 1}]}"#, #"{"a": "{{ n }}"}"#, ["no_alternative oneOf "]),
        (#"{"contains": {"type": "integer"}, "maxContains": 1}"#, #"[1, 2, "{{ n }}"]"#, ["too_many maxContains "]),
    ]

    @Test("whatever a part of a valid value is taken out for, nothing is told")
    func sound() throws {
        var source = RandomSchema(random: .random())
        var tried = 0
        for _ in 0..<1_500 {
            let text = source.schema()
            guard let schema = try? JSONSchema(text) else { continue }
            let value = try JSONValue(parsing: Array(source.value().utf8))
            guard schema.isValid(try json(String(decoding: Self.written(value), as: UTF8.self))) else { continue }
            tried += 1
            let replaced = String(decoding: Self.written(Self.replacing(in: value, &source)), as: UTF8.self)
            let violations = schema.violations(in: try json(replaced), placeholder: "{{")
            #expect(violations.isEmpty, "\(text) and \(replaced): \(violations)")
        }
        #expect(tried > 200)
    }

    /// The value with one of its parts, or all of it, taken out.
    private static func replacing(in value: JSONValue, _ source: inout RandomSchema) -> JSONValue {
        switch value {
        case .array(let elements) where !elements.isEmpty && !source.chance(3):
            var elements = elements
            let position = source.count(elements.count - 1)
            elements[position] = replacing(in: elements[position], &source)
            return .array(elements)
        case .object(let members) where !members.isEmpty && !source.chance(3):
            var members = members
            let position = source.count(members.count - 1)
            members[position].value = replacing(in: members[position].value, &source)
            return .object(members)
        case .null, .bool, .number, .string, .array, .object:
            return "{{ n }}"
        }
    }

    /// The value as text, its numbers as they were spelt.
    private static func written(_ value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        write(value, to: &writer)
        return writer.bytes
    }

    private static func write(_ value: JSONValue, to writer: inout JSONWriter) {
        switch value {
        case .null: writer.null()
        case .bool(let flag): writer.bool(flag)
        case .number(let number): writer.raw(Array(number.text.utf8))
        case .string(let text): writer.string(text)
        case .array(let elements):
            writer.beginArray()
            for element in elements { write(element, to: &writer) }
            writer.endArray()
        case .object(let members):
            writer.beginObject()
            for member in members {
                writer.key(member.key)
                write(member.value, to: &writer)
            }
            writer.endObject()
        }
    }
}
