import JSON
import JSONSchema
import Testing

@Suite("Faults of schemas")
struct FaultTests {
    @Test("each fault is told with its place", arguments: rows)
    func row(_ schema: String, _ expected: [String]) throws {
        #expect(try faults(schema) == expected)
    }

    @Test(
        "x-personal is told wherever in a schema it stands as a keyword",
        arguments: [
            (#"{"x-personal": true}"#, true), (#"{"x-personal": false}"#, false), ("true", false),
            (#"{"properties": {"a": {"items": {"x-personal": true}}}}"#, true),
            (#"{"$defs": {"n": {"x-personal": true}}}"#, true), (#"{"not": {"x-personal": true}}"#, true),
            (#"{"properties": {"x-personal": true}}"#, false), (#"{"const": {"x-personal": true}}"#, false),
        ]
    )
    func personal(_ schema: String, _ isDeclared: Bool) throws {
        #expect(try JSONSchema(schema).declaresPersonal == isDeclared)
    }

    private static let rows: [(String, [String])] = [
        ("7", ["invalid_type "]), ("null", ["invalid_type "]), (#""object""#, ["invalid_type "]),
        ("[]", ["invalid_type "]),
        (#"{"type": 7}"#, ["invalid_type /type"]),
        (#"{"type": "text"}"#, ["invalid_value /type"]),
        (#"{"type": []}"#, ["invalid_value /type"]),
        (
            #"{"type": ["string", 1, "any", "string"]}"#,
            ["invalid_type /type/1", "invalid_value /type/2", "invalid_value /type/3"]
        ),
        (#"{"enum": []}"#, ["invalid_value /enum"]), (#"{"enum": {}}"#, ["invalid_type /enum"]),
        (#"{"minimum": "1", "maximum": null}"#, ["invalid_type /minimum", "invalid_type /maximum"]),
        (#"{"multipleOf": 0}"#, ["invalid_value /multipleOf"]), (#"{"multipleOf": -2}"#, ["invalid_value /multipleOf"]),
        (#"{"multipleOf": 1234567890123456789}"#, ["unsupported_value /multipleOf"]),
        (
            #"{"minLength": -1, "maxLength": 1.5, "minItems": "1"}"#,
            ["invalid_value /minLength", "invalid_value /maxLength", "invalid_type /minItems"]
        ),
        (#"{"uniqueItems": 1}"#, ["invalid_type /uniqueItems"]),
        (#"{"properties": {"a": {"x-personal": "yes"}}}"#, ["invalid_type /properties/a/x-personal"]),
        (#"{"required": "a"}"#, ["invalid_type /required"]),
        (#"{"required": ["a", 1, "a"]}"#, ["invalid_type /required/1", "invalid_value /required/2"]),
        (
            #"{"dependentRequired": {"a": ["b", "b"], "c": 1}}"#,
            ["invalid_value /dependentRequired/a/1", "invalid_type /dependentRequired/c"]
        ),
        (#"{"properties": []}"#, ["invalid_type /properties"]),
        (
            #"{"properties": {"a": 1, "b/c": {"type": "x"}}}"#,
            ["invalid_type /properties/a", "invalid_value /properties/b~1c/type"]
        ),
        (
            #"{"patternProperties": {"(": 1}}"#,
            ["invalid_pattern /patternProperties/(", "invalid_type /patternProperties/("]
        ),
        (#"{"items": [{}]}"#, ["invalid_type /items"]),
        (#"{"prefixItems": []}"#, ["invalid_value /prefixItems"]),
        (#"{"prefixItems": {}}"#, ["invalid_type /prefixItems"]),
        (
            #"{"allOf": [], "anyOf": {}, "oneOf": [1]}"#,
            ["invalid_value /allOf", "invalid_type /anyOf", "invalid_type /oneOf/0"]
        ),
        (#"{"not": null, "if": 1, "then": []}"#, ["invalid_type /not", "invalid_type /if", "invalid_type /then"]),
        (#"{"then": true, "else": true}"#, ["without_effect /then", "without_effect /else"]),
        (#"{"minContains": 1, "maxContains": 2}"#, ["without_effect /minContains", "without_effect /maxContains"]),
        (#"{"pattern": "a**"}"#, ["invalid_pattern /pattern"]), (#"{"pattern": 1}"#, ["invalid_type /pattern"]),
        (#"{"format": "regex"}"#, ["unsupported_value /format"]), (#"{"format": 1}"#, ["invalid_type /format"]),
        (
            #"{"title": 1, "deprecated": "yes", "examples": {}}"#,
            ["invalid_type /title", "invalid_type /deprecated", "invalid_type /examples"]
        ),
        (#"{"unevaluatedProperties": false}"#, ["unsupported_keyword /unevaluatedProperties"]),
        (
            ##"{"$anchor": "a", "$dynamicRef": "#a", "definitions": {}, "dependencies": {}, "contentSchema": {}}"##,
            [
                "unsupported_keyword /$anchor", "unsupported_keyword /$dynamicRef", "unsupported_keyword /definitions",
                "unsupported_keyword /dependencies", "unsupported_keyword /contentSchema",
            ]
        ),
        (
            #"{"propertys": {}, "Type": "string", "": 1}"#,
            ["unknown_keyword /propertys", "unknown_keyword /Type", "unknown_keyword /"]
        ),
        (#"{"$schema": "http://json-schema.org/draft-07/schema#"}"#, ["unsupported_value /$schema"]),
        (
            #"{"items": {"$schema": "https://json-schema.org/draft/2020-12/schema"}}"#,
            ["unsupported_keyword /items/$schema"]
        ),
        (
            #"{"items": {"$id": "https://example.org/x", "$defs": {}}}"#,
            ["unsupported_keyword /items/$id", "unsupported_keyword /items/$defs"]
        ),
        (#"{"$id": "relative"}"#, ["invalid_value /$id"]), (#"{"$id": "https://a.test/#b"}"#, ["invalid_value /$id"]),
        (##"{"$ref": "#/$defs/a"}"##, ["unresolved_reference /$ref"]),
        (##"{"$ref": "#/properties/a", "properties": {"a": true}}"##, ["unsupported_value /$ref"]),
        (#"{"$ref": "https://example.org/schema"}"#, ["unsupported_value /$ref"]),
        (#"{"$ref": 1}"#, ["invalid_type /$ref"]),
        (##"{"$ref": "#/$defs/%zz", "$defs": {"%zz": true}}"##, ["invalid_value /$ref"]),
        (##"{"$ref": "#/$defs/a~2", "$defs": {"a~2": true}}"##, ["invalid_value /$ref"]),
        (##"{"$ref": "#/$defs/%ff", "$defs": {"a": true}}"##, ["invalid_value /$ref"]),
        (#"{"$defs": []}"#, ["invalid_type /$defs"]), (#"{"$defs": {"a": 1}}"#, ["invalid_type /$defs/a"]),
        (##"{"$ref": "#"}"##, ["endless_reference /$ref"]),
        (##"{"not": {"$ref": "#"}}"##, ["endless_reference /not/$ref"]),
        (
            ##"""
            {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"if": {"$ref": "#/$defs/a"}}},
            "items": {"$ref": "#/$defs/a"}}
            """##,
            ["endless_reference /$defs/b/if/$ref"]
        ),
        (##"{"dependentSchemas": {"a": {"$ref": "#"}}}"##, ["endless_reference /dependentSchemas/a/$ref"]),
        (##"{"properties": {"a": {"$ref": "#"}}, "items": {"anyOf": [{"$ref": "#"}]}}"##, []),
    ]

    @Test("places are told from where the schema stands")
    func origin() throws {
        let pointer = try #require(JSONPointer("/actions/0/input"))
        #expect(try faults(#"{"type": 1}"#, at: pointer) == ["invalid_type /actions/0/input/type"])
        #expect(try faults(##"{"$ref": "#"}"##, at: pointer) == ["endless_reference /actions/0/input/$ref"])
    }

    @Test("a message speaks of the first fault and counts the others")
    func messages() throws {
        let error = try #require(throws: JSONSchemaFaults.self) {
            try JSONSchema(#"{"unevaluatedItems": false, "type": 1}"#)
        }
        #expect(
            error.message
                == "/unevaluatedItems: unevaluatedItems is not supported: use items. (the first of 2 faults)"
        )
        #expect(error.faults.allSatisfy { !$0.code.isRetryable })
    }

    @Test("no more than 64 faults are told")
    func many() throws {
        let members = (0..<1000).map { #""p\#($0)": 1"# }.joined(separator: ",")
        #expect(try faults(#"{"properties": {\#(members)}}"#).count == 64)
        #expect(try faults("{\(members)}").count == 64)
    }
}
