import JSON
import JSONSchema
import Testing

@Suite("Samples of schemas")
struct SampleTests {
    @Test("the sample is small and always the same", arguments: rows)
    func row(_ schema: String, _ expected: String?) throws {
        #expect(try JSONSchema(schema).sampleText == expected)
        #expect(try JSONSchema(schema).sampleText == expected)
    }

    private static let rows: [(String, String?)] = [
        ("true", "null"), ("{}", "null"), ("false", nil),
        (#"{"type": "null"}"#, "null"), (#"{"type": "boolean"}"#, "false"), (#"{"type": "integer"}"#, "0"),
        (#"{"type": "number"}"#, "0"), (#"{"type": "string"}"#, #""""#), (#"{"type": "array"}"#, "[]"),
        (#"{"type": "object"}"#, "{}"), (#"{"type": ["string", "null"]}"#, #""""#),
        (#"{"type": "integer", "default": 7, "enum": [1, 7]}"#, "7"),
        (#"{"type": "integer", "default": "7", "enum": [1, 7]}"#, "1"),
        (#"{"const": {"b": 1, "a": [2.0]}}"#, #"{"a":[2],"b":1}"#),
        (#"{"type": "string", "examples": [1, "x", "y"], "enum": ["y", "x"]}"#, #""x""#),
        (#"{"enum": ["b", "a"], "not": {"const": "b"}}"#, #""a""#),
        (#"{"type": "integer", "minimum": 3}"#, "3"), (#"{"type": "integer", "exclusiveMinimum": 3}"#, "4"),
        (#"{"type": "integer", "maximum": -3.5}"#, "-4"), (#"{"minimum": 2.5, "exclusiveMaximum": 3}"#, "2.5"),
        (#"{"exclusiveMinimum": 0, "maximum": 0.001}"#, "0.0001"),
        (#"{"type": "integer", "minimum": 3.1, "maximum": 3.9}"#, nil),
        (#"{"multipleOf": 0.25, "exclusiveMinimum": 1}"#, "1.25"),
        (#"{"multipleOf": 6, "allOf": [{"multipleOf": 4}], "minimum": 1}"#, "12"),
        (#"{"type": "integer", "minimum": 9007199254740993, "maximum": 9007199254740993}"#, nil),
        (#"{"type": "string", "minLength": 3}"#, #""aaa""#),
        (#"{"type": "string", "pattern": "^[A-Z]{2}-\\d+$"}"#, #""AA-0""#),
        (
            #"""
            {"type": "array", "minItems": 3, "uniqueItems": true, "items": {"type": "string",
            "pattern": "^[AB]{2}$"}}
            """#,
            #"["AA","AB","BA"]"#
        ),
        (#"{"type": "string", "pattern": "^x+$", "minLength": 4}"#, #""xxxx""#),
        (#"{"type": "string", "pattern": "b$", "minLength": 3}"#, #""aab""#),
        (#"{"type": "string", "format": "date-time"}"#, #""2000-01-01T00:00:00Z""#),
        (#"{"type": "string", "format": "uuid"}"#, #""00000000-0000-4000-8000-000000000000""#),
        (#"{"type": "string", "format": "email", "minLength": 12}"#, #""a0aaa@a.test""#),
        (#"{"type": "array", "minItems": 3, "uniqueItems": true, "items": {"type": "integer"}}"#, "[0,1,2]"),
        (#"{"type": "array", "minItems": 2, "uniqueItems": true, "items": {"type": "boolean"}}"#, "[false,true]"),
        (#"{"type": "array", "minItems": 3, "uniqueItems": true, "items": {"type": "boolean"}}"#, nil),
        (
            #"""
            {"type": "array", "minItems": 2, "uniqueItems": true, "items": {"type": "object", "required": ["n"],
            "properties": {"n": {"type": "integer"}}}}
            """#,
            #"[{"n":0},{"n":1}]"#
        ),
        (#"{"prefixItems": [{"type": "string"}, {"const": 1}], "minItems": 2}"#, #"["",1]"#),
        (#"{"type": "array", "contains": {"const": "x"}, "minContains": 2}"#, #"["x","x"]"#),
        (#"{"prefixItems": [{"type": "integer"}], "contains": {"type": "null"}}"#, "[0,null]"),
        (
            #"""
            {"type": "object", "required": ["b", "a"], "properties": {"a": {"type": "integer"},
            "c": {"type": "null"}}}
            """#,
            #"{"a":0,"b":null}"#
        ),
        (#"{"type": "object", "minProperties": 2, "properties": {"a": {"const": 1}}}"#, #"{"a":1,"member1":null}"#),
        (
            #"""
            {"type": "object", "minProperties": 2, "propertyNames": {"pattern": "^k\\d$"},
            "additionalProperties": {"type": "integer"}}
            """#,
            #"{"k0":0,"k1":0}"#
        ),
        (
            #"{"type": "object", "required": ["a"], "dependentRequired": {"a": ["b"], "b": ["c"]}}"#,
            #"{"a":null,"b":null,"c":null}"#
        ),
        (
            #"{"type": "object", "required": ["a"], "dependentSchemas": {"a": {"required": ["z"]}}}"#,
            #"{"a":null,"z":null}"#
        ),
        (
            #"""
            {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"minimum": 2}}},
            {"properties": {"a": {"type": "integer"}}}]}
            """#,
            #"{"a":2}"#
        ),
        (#"{"oneOf": [{"type": "integer"}, {"multipleOf": 1, "type": "number"}, {"type": "string"}]}"#, #""""#),
        (
            #"{"if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["a", "b"]}, "type": "object"}"#,
            #"{"a":1,"b":null}"#
        ),
        (#"{"not": {"type": ["null", "boolean", "number"]}}"#, #""""#),
        (
            ##"""
            {"type": "object", "required": ["v"], "properties": {"v": {"type": "integer"}, "next": {"$ref": "#"}}}
            """##,
            #"{"v":0}"#
        ),
        (##"{"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#"}}}"##, nil),
        (
            ##"""
            {"oneOf": [{"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#"}}},
            {"type": "null"}]}
            """##,
            #"{"next":null}"#
        ),
        (#"{"type": "array", "minItems": 1000000}"#, nil), (#"{"type": "string", "minLength": 1e12}"#, nil),
        (#"{"type": "array", "minItems": 4000, "items": {"type": "array", "minItems": 4000}}"#, nil),
    ]
}
