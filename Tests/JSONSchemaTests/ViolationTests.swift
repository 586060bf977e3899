import JSON
import JSONSchema
import Testing

@Suite("Violations of schemas")
struct ViolationTests {
    private static let order = #"""
        {"type": "object", "required": ["id", "items"], "additionalProperties": false,
         "properties": {
           "id": {"type": "string", "format": "uuid"}, "total": {"type": "number", "minimum": 0, "multipleOf": 0.01},
           "state": {"enum": ["open", "paid"]},
           "items": {"type": "array", "minItems": 1, "uniqueItems": true,
             "items": {"type": "object", "required": ["sku"],
                       "properties": {"sku": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 4}}}}}}
        """#

    @Test("all violations are told, each with its place")
    func places() throws {
        let schema = try JSONSchema(Self.order)
        let found = try schema.outline(
            #"{"id": "x", "total": -0.001, "state": "gone", "items": [{"sku": "ABCDE"}, {}, {}, 7], "a/b": 1}"#
        )
        #expect(
            found == [
                "invalid_format format /id", "too_small minimum /total", "not_a_multiple multipleOf /total",
                "wrong_value enum /state", "too_long maxLength /items/0/sku", "pattern_mismatch pattern /items/0/sku",
                "missing_member required /items/1", "missing_member required /items/2", "wrong_type type /items/3",
                "not_unique uniqueItems /items/2", "unexpected_member additionalProperties /a~1b",
            ]
        )
        #expect(try schema.outline("[]") == ["wrong_type type "])
        #expect(try schema.outline("{}") == ["missing_member required ", "missing_member required "])
    }

    @Test("pointers begin where the value stands, and no more are told than asked for")
    func originAndLimit() throws {
        let schema = try JSONSchema(#"{"items": {"type": "null"}}"#)
        let pointer = try #require(JSONPointer("/steps/2/input"))
        let value = try json("[1, null, 2, 3]")
        let found = schema.violations(in: value, at: pointer, limit: 2)
        #expect(found.map(\.pointer.text) == ["/steps/2/input/0", "/steps/2/input/2"])
        #expect(schema.violations(in: value).count == 3)
        #expect(schema.violations(in: value, limit: -5).count == 1)
        #expect(schema.violations(in: value).allSatisfy { !$0.code.isRetryable })
    }

    @Test("sentences say what was expected", arguments: sentences)
    func sentence(_ schema: String, _ value: String, _ expected: String) throws {
        let found = try JSONSchema(schema).violations(in: try json(value))
        #expect(found.map(\.message) == [expected])
    }

    private static let sentences: [(String, String, String)] = [
        (#"{"type": "integer"}"#, "1.5", "The value must be an integer."),
        (#"{"type": ["string", "array", "null"]}"#, "1", "The value must be an array, a string or null."),
        (#"{"const": [1, "a"]}"#, "1", #"The value must be [1, "a"]."#),
        (#"{"enum": ["a", 1.0]}"#, "2", #"The value must be one of "a", 1.0."#),
        (
            #"{"enum": [1,2,3,4,5,6,7,8,9,10,11,12]}"#, "0",
            "The value must be one of 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 or one of 2 others."
        ),
        (#"{"minimum": 1e2}"#, "1", "The number must be at least 100."),
        (#"{"exclusiveMinimum": -0.05}"#, "-1", "The number must be greater than -0.05."),
        (#"{"maximum": 12.50}"#, "13", "The number must be at most 12.5."),
        (#"{"exclusiveMaximum": 1e100}"#, "1e101", "The number must be less than 1e100."),
        (#"{"multipleOf": 0.01}"#, "0.001", "The number must be a multiple of 0.01."),
        (#"{"minLength": 1}"#, #""""#, "The string must have at least 1 character."),
        (#"{"maxLength": 2}"#, #""abc""#, "The string must have at most 2 characters."),
        (#"{"pattern": "^a$"}"#, #""b""#, "The string must match ^a$."),
        (#"{"format": "date"}"#, #""b""#, "The string must be a date such as 2026-01-31 (RFC 3339)."),
        (#"{"minItems": 2}"#, "[]", "The array must have at least 2 elements."),
        (#"{"maxItems": 0}"#, "[1]", "The array must have at most 0 elements."),
        (#"{"uniqueItems": true}"#, "[1, 1]", "The element must differ from all before it."),
        (
            #"{"contains": {"const": 1}}"#, "[]",
            "The array must have at least 1 element that meets the schema of contains."
        ),
        (
            #"{"contains": {"const": 1}, "maxContains": 1}"#, "[1, 1]",
            "The array must have at most 1 element that meets the schema of contains."
        ),
        (#"{"required": ["a b"]}"#, "{}", #"The object must have a member "a b"."#),
        (
            #"{"dependentRequired": {"a": ["b"]}}"#, #"{"a": 1}"#,
            #"An object with a member "a" must have a member "b"."#
        ),
        (#"{"minProperties": 1}"#, "{}", "The object must have at least 1 member."),
        (#"{"maxProperties": 1}"#, #"{"a": 1, "b": 2}"#, "The object must have at most 1 member."),
        (#"{"additionalProperties": false}"#, #"{"a": 1}"#, "There must be no member of this name."),
        (#"{"items": false}"#, "[1]", "There must be no element at this position."),
        ("false", "1", "No value is allowed here."),
        (#"{"not": {"type": "null"}}"#, "null", "The value must not meet the schema of not."),
        (
            #"{"anyOf": [{"const": 1}, {"const": 2}]}"#, "3",
            "The value must meet at least one of 2 schemas, and meets none."
        ),
        (
            #"{"oneOf": [{"minimum": 1}, {"minimum": 2}]}"#, "0",
            "The value must meet exactly one of 2 schemas, and meets none."
        ),
        (
            #"{"oneOf": [{"minimum": 1}, {"minimum": 2}]}"#, "2",
            "The value must meet exactly one of 2 schemas, and meets several."
        ),
    ]

    @Test("where one alternative only can have been meant, what is wrong under that one is told")
    func alternatives() throws {
        let nullable = try JSONSchema(#"{"anyOf": [{"type": "null"}, {"type": "object", "required": ["a"]}]}"#)
        #expect(try nullable.outline("{}") == ["missing_member required "])
        #expect(try nullable.outline("1") == ["no_alternative anyOf "])
        let tagged = try JSONSchema(
            ##"""
            {"oneOf": [{"$ref": "#/$defs/mail"}, {"$ref": "#/$defs/hook"}],
             "$defs": {"mail": {"properties": {"kind": {"const": "mail"}, "to": {"type": "string"}}, "required": ["kind", "to"]},
                       "hook": {"properties": {"kind": {"const": "hook"}, "url": {"type": "string"}}, "required": ["kind"]}}}
            """##
        )
        #expect(try tagged.outline(#"{"kind": "mail", "to": 1}"#) == ["wrong_type type /to"])
        #expect(try tagged.outline(#"{"kind": "hook", "url": 1}"#) == ["wrong_type type /url"])
        #expect(try tagged.outline(#"{"kind": "pigeon"}"#) == ["no_alternative oneOf "])
    }

    @Test("nothing of a value is repeated, and no name that only the value has, but in the pointer")
    func secrets() throws {
        var random = SystemRandomNumberGenerator()
        let secret = "s3cr3t\(UInt64.random(in: 0...UInt64.max, using: &random))"
        let schemas =
            StrictSchemas.all + [
                #"{"additionalProperties": {"const": 1}}"#, #"{"propertyNames": {"maxLength": 1}}"#,
                #"{"contains": false}"#,
            ]
        for text in schemas {
            let schema = try JSONSchema(text)
            let values = [
                quoted(secret), "[\(quoted(secret)), \(quoted(secret))]", "{\(quoted(secret)): \(quoted(secret))}",
                "[{\"a\": \(quoted(secret))}]",
            ]
            for violation in try values.flatMap({ schema.violations(in: try json($0)) }) {
                #expect(!violation.message.contains("s3cr3t"), "\(violation)")
            }
        }
    }

    @Test("a pointer that would be too long ends at a container further out")
    func longPointers() throws {
        let schema = try JSONSchema(#"{"additionalProperties": {"additionalProperties": {"type": "null"}}}"#)
        let name = String(repeating: "n", count: 5000)
        #expect(try schema.violations(in: json(#"{"a": {"\#(name)": 1}}"#)).map(\.pointer.text) == ["/a"])
    }

    @Test("a schema that several references lead to is told of once for one value")
    func sharedSchemas() throws {
        let schema = try JSONSchema(
            ##"""
            {"$defs": {"a": {"required": ["x"]}}, "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}],
            "properties": {"y": {"$ref": "#/$defs/a"}}}
            """##
        )
        #expect(try schema.outline("{}") == ["missing_member required "])
        #expect(try schema.outline(#"{"y": {}}"#) == ["missing_member required /y", "missing_member required "])
        #expect(!schema.isValid(try json(#"{"x": 1, "y": {}}"#)))
    }
}

/// Schemas that hardly any text meets.
enum StrictSchemas {
    static let all = [
        "false", #"{"type": "null"}"#, #"{"const": 1}"#, #"{"enum": [1, 2]}"#, #"{"minLength": 1000}"#,
        #"{"maxLength": 1}"#,
        #"{"pattern": "^$"}"#, #"{"format": "date"}"#, #"{"items": {"type": "null"}}"#, #"{"uniqueItems": true}"#,
        #"{"minItems": 9}"#, #"{"maxItems": 0}"#, #"{"required": ["q"]}"#, #"{"additionalProperties": false}"#,
        #"{"maxProperties": 0}"#, #"{"minProperties": 9}"#, #"{"not": true}"#, #"{"anyOf": [false, {"type": "null"}]}"#,
        #"{"oneOf": [true, true]}"#, #"{"allOf": [{"type": "number"}]}"#, #"{"if": true, "then": false}"#,
        #"{"patternProperties": {".": false}}"#, #"{"propertyNames": false}"#, #"{"contains": {"type": "null"}}"#,
    ]
}
