/// Schemas by keyword, with values that they allow and do not allow.
enum KeywordRows {
    static let all = plain + anyType + numbers + strings + arrays + objects + branches + references

    private static let every = ["null", "true", "0", "\"\"", "[]", "{}"]

    private static let plain = [
        SchemaRow("true", valid: every),
        SchemaRow("false", valid: [], invalid: every),
        SchemaRow("{}", valid: every),
        SchemaRow(
            ##"""
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.org/s", "$comment": "c",
             "title": "t", "description": "d", "default": 1, "examples": [1, "x"], "deprecated": true,
             "readOnly": false, "writeOnly": true, "contentEncoding": "base64", "contentMediaType": "image/png",
             "x-note": {"type": 7}, "$defs": {"unused": false}}
            """##,
            valid: every
        ),
    ]

    private static let anyType = [
        SchemaRow(#"{"type": "null"}"#, valid: ["null"], invalid: ["false", "0", "\"\"", "[]", "{}"]),
        SchemaRow(#"{"type": "boolean"}"#, valid: ["true", "false"], invalid: ["null", "0", "\"true\""]),
        SchemaRow(#"{"type": "string"}"#, valid: [#""""#, #""x""#], invalid: ["null", "1", "[\"x\"]"]),
        SchemaRow(#"{"type": "array"}"#, valid: ["[]", "[1]"], invalid: ["{}", "\"[]\""]),
        SchemaRow(#"{"type": "object"}"#, valid: ["{}", #"{"a": 1}"#], invalid: ["[]", "null"]),
        SchemaRow(#"{"type": "number"}"#, valid: ["0", "-1.5", "1e400", "1.0"], invalid: ["\"1\"", "true"]),
        SchemaRow(
            #"{"type": "integer"}"#,
            valid: ["0", "-0", "1.0", "1e3", "1.50e1", "123456789012345678901234567890", "1e400", "-10.000"],
            invalid: ["0.5", "1e-1", "123456789012345678901234567890.5", "1.05e1", "\"1\"", "true"]
        ),
        SchemaRow(#"{"type": ["integer", "null"]}"#, valid: ["1", "null"], invalid: ["1.5", "\"\"", "false"]),
        SchemaRow(#"{"type": ["number", "integer"]}"#, valid: ["1", "1.5"], invalid: ["null"]),
        SchemaRow(
            #"{"enum": [1, "1", null, [1, 2], {"a": 1, "b": [true]}]}"#,
            valid: ["1", "1.0", "10e-1", "\"1\"", "null", "[1, 2.0]", #"{"b": [true], "a": 1.00}"#],
            invalid: ["true", "0", "\"\"", "[2, 1]", "[1]", #"{"a": 1}"#, #"{"a": 1, "b": [1]}"#, "[[1, 2]]"]
        ),
        SchemaRow(#"{"enum": ["é"]}"#, valid: [#""é""#, #""\u00e9""#], invalid: [#""e\u0301""#]),
        SchemaRow(#"{"const": 0}"#, valid: ["0", "-0", "0.0", "0e5"], invalid: ["false", "null", "\"\"", "[]"]),
        SchemaRow(#"{"const": false}"#, valid: ["false"], invalid: ["0", "null", "true"]),
        SchemaRow(#"{"const": {}}"#, valid: ["{}"], invalid: ["[]", #"{"a": 1}"#, "null"]),
        SchemaRow(#"{"const": ["a", "bc"]}"#, valid: [#"["a", "bc"]"#], invalid: [#"["ab", "c"]"#, #"["a:bc"]"#]),
        SchemaRow(#"{"const": null}"#, valid: ["null"], invalid: ["0", "false"]),
        SchemaRow(
            #"{"const": 12345678901234567890123}"#,
            valid: ["12345678901234567890123", "12345678901234567890123.0"],
            invalid: ["12345678901234567890124", "1.2345678901234567e22"]
        ),
    ]

    private static let numbers = [
        SchemaRow(#"{"minimum": 1.5}"#, valid: ["1.5", "15e-1", "2", "\"\"", "null"], invalid: ["1.49", "-2", "0"]),
        SchemaRow(#"{"maximum": -1}"#, valid: ["-1", "-1.0", "-1e9"], invalid: ["-0.999", "0", "1e9"]),
        SchemaRow(#"{"exclusiveMinimum": 0}"#, valid: ["1e-400", "1"], invalid: ["0", "-0", "0.0", "-1"]),
        SchemaRow(#"{"exclusiveMaximum": 10}"#, valid: ["9.99", "-11"], invalid: ["10", "1e1", "10.01", "1e400"]),
        SchemaRow(
            #"{"minimum": 9007199254740993}"#,
            valid: ["9007199254740993", "9007199254740993.0"],
            invalid: ["9007199254740992", "9007199254740992.9999"]
        ),
        SchemaRow(
            #"{"multipleOf": 0.01}"#,
            valid: ["0", "0.01", "19.99", "4.35", "1e2", "1e400", "-0.07", "123456789012345678901234567890.12"],
            invalid: ["0.001", "19.999", "1e-3", "123456789012345678901234567890.123"]
        ),
        SchemaRow(#"{"multipleOf": 3}"#, valid: ["0", "9", "-3", "3e50", "6.0"], invalid: ["1", "1e50", "3.3"]),
        SchemaRow(#"{"multipleOf": 1e3}"#, valid: ["1000", "2e3", "12000.0"], invalid: ["100", "1001", "1500"]),
        SchemaRow(
            #"{"multipleOf": 123456789012345678}"#,
            valid: ["123456789012345678e9", "370370367037037034"],
            invalid: ["123456789012345679", "1e99"]
        ),
        SchemaRow(#"{"multipleOf": 7}"#, valid: ["7e1000000000000"], invalid: ["1e1000000000000", "1e-9"]),
    ]

    private static let strings = [
        SchemaRow(#"{"minLength": 2}"#, valid: [#""ab""#, #""éé""#, "1"], invalid: [#""""#, #""a""#, #""😀""#]),
        SchemaRow(
            #"{"maxLength": 2}"#,
            valid: [#""""#, #""😀😀""#, #""\ud83d\ude00\u0000""#, #""e\u0301""#, "[1, 2, 3]"],
            invalid: [#""abc""#, #""👨‍👩‍👧""#]
        ),
        SchemaRow(#"{"minLength": 1.0, "maxLength": 2e0}"#, valid: [#""ab""#], invalid: [#""""#, #""abc""#]),
        SchemaRow(#"{"minLength": 1e30}"#, valid: ["1"], invalid: [#""abc""#]),
        SchemaRow(#"{"pattern": "^a.c$"}"#, valid: [#""abc""#, #""a\u0000c""#, "7"], invalid: [#""xabc""#, #""ac""#]),
        SchemaRow(#"{"pattern": "b"}"#, valid: [#""abc""#], invalid: [#""""#, #""ac""#]),
        SchemaRow(#"{"format": "uuid"}"#, valid: ["1", "null"], invalid: [#""x""#]),
    ]

    private static let arrays = [
        SchemaRow(#"{"minItems": 1, "maxItems": 2}"#, valid: ["[0]", "[0, 0]", "{}"], invalid: ["[]", "[0, 0, 0]"]),
        SchemaRow(
            #"{"items": {"type": "string"}}"#,
            valid: ["[]", #"["a"]"#, "1"],
            invalid: ["[1]", #"["a", null]"#]
        ),
        SchemaRow(#"{"items": false}"#, valid: ["[]"], invalid: ["[null]"]),
        SchemaRow(
            #"{"prefixItems": [{"type": "string"}, {"type": "number"}], "items": {"type": "boolean"}}"#,
            valid: ["[]", #"["a"]"#, #"["a", 1]"#, #"["a", 1, true, false]"#],
            invalid: ["[1]", #"["a", "b"]"#, #"["a", 1, 2]"#]
        ),
        SchemaRow(#"{"prefixItems": [true, true], "items": false}"#, valid: ["[1, 2]"], invalid: ["[1, 2, 3]"]),
        SchemaRow(
            #"{"uniqueItems": true}"#,
            valid: [
                "[]", "[1, true, \"1\"]", "[0, false, null]", "[[1], [[1]]]", #"["é", "e\u0301"]"#, #"["ab", "a"]"#,
            ],
            invalid: [
                "[1, 1.0]", "[1, 2, 10e-1]", #"[{"a": 1, "b": 2}, {"b": 2, "a": 1}]"#, #"["é", "\u00e9"]"#,
                "[0, -0]", "[[1, [2]], [1.0, [2]]]", "[null, null]",
            ]
        ),
        SchemaRow(#"{"uniqueItems": false}"#, valid: ["[1, 1]"]),
        SchemaRow(#"{"contains": {"type": "null"}}"#, valid: ["[1, null]", "{}"], invalid: ["[]", "[1]"]),
        SchemaRow(
            #"{"contains": {"type": "null"}, "minContains": 2, "maxContains": 3}"#,
            valid: ["[null, 1, null]", "[null, null, null]"],
            invalid: ["[null]", "[]", "[null, null, null, null]"]
        ),
        SchemaRow(#"{"contains": false, "minContains": 0}"#, valid: ["[]", "[1]"]),
        SchemaRow(
            #"{"contains": {"const": 1}, "minContains": 0, "maxContains": 1}"#,
            valid: ["[]", "[1]"],
            invalid: ["[1, 1]"]
        ),
        SchemaRow(
            #"{"contains": {"const": 1}, "minContains": 3, "maxContains": 1}"#,
            valid: [],
            invalid: ["[1]", "[1, 1, 1]"]
        ),
    ]

    private static let objects = [
        SchemaRow(
            #"{"properties": {"a": {"type": "string"}, "b": false}}"#,
            valid: ["{}", #"{"a": "x"}"#, #"{"c": 1}"#, "[]"],
            invalid: [#"{"a": 1}"#, #"{"b": null}"#]
        ),
        SchemaRow(
            #"{"required": ["a", "é"]}"#,
            valid: [#"{"\u0061": 1, "é": 2}"#, "1"],
            invalid: [#"{"a": 1, "e\u0301": 2}"#]
        ),
        SchemaRow(
            #"{"properties": {"a": true}, "additionalProperties": false}"#,
            valid: ["{}", #"{"a": 1}"#],
            invalid: [#"{"b": 1}"#, #"{"a": 1, "A": 1}"#]
        ),
        SchemaRow(
            #"""
            {"properties": {"a": true}, "patternProperties": {"^x-": {"type": "string"}},
            "additionalProperties": {"type": "null"}}
            """#,
            valid: [#"{"a": 1, "x-1": "s", "b": null}"#],
            invalid: [#"{"x-1": 1}"#, #"{"b": 1}"#, #"{"x-": null}"#]
        ),
        SchemaRow(
            #"""
            {"properties": {"ab": {"minimum": 2}}, "patternProperties": {"^a": {"maximum": 3},
            "b$": {"multipleOf": 2}}}
            """#,
            valid: [#"{"ab": 2, "a": 1, "b": 10}"#],
            invalid: [#"{"ab": 1}"#, #"{"ab": 3}"#, #"{"ab": 4}"#, #"{"b": 1}"#]
        ),
        SchemaRow(
            #"{"minProperties": 1, "maxProperties": 2}"#,
            valid: [#"{"a": 1}"#, "[]"],
            invalid: ["{}", #"{"a":1,"b":1,"c":1}"#]
        ),
        SchemaRow(#"{"propertyNames": {"maxLength": 1}}"#, valid: ["{}", #"{"é": 1}"#], invalid: [#"{"ab": 1}"#]),
        SchemaRow(#"{"propertyNames": {"enum": ["a", "b"]}}"#, valid: [#"{"a": 1}"#], invalid: [#"{"c": 1}"#]),
        SchemaRow(#"{"propertyNames": false}"#, valid: ["{}"], invalid: [#"{"a": 1}"#]),
        SchemaRow(
            #"{"dependentRequired": {"a": ["b", "c"], "d": []}}"#,
            valid: ["{}", #"{"b": 1}"#, #"{"a": 1, "b": 1, "c": 1}"#, #"{"d": 1}"#],
            invalid: [#"{"a": 1}"#, #"{"a": 1, "b": 1}"#]
        ),
        SchemaRow(
            #"{"dependentSchemas": {"a": {"required": ["b"]}, "c": false}}"#,
            valid: ["{}", #"{"b": 1}"#, #"{"a": 1, "b": 1}"#],
            invalid: [#"{"a": 1}"#, #"{"c": 1}"#]
        ),
        SchemaRow(
            #"{"properties": {"": {"type": "null"}, "a/b": {"type": "null"}}}"#,
            valid: [#"{"": null}"#],
            invalid: [#"{"": 1}"#, #"{"a/b": 1}"#]
        ),
    ]

    private static let branches = [
        SchemaRow(#"{"allOf": [{"minimum": 1}, {"maximum": 2}]}"#, valid: ["1", "2", "\"\""], invalid: ["0", "3"]),
        SchemaRow(#"{"anyOf": [{"type": "string"}, {"minimum": 2}]}"#, valid: ["\"\"", "2", "null"], invalid: ["1"]),
        SchemaRow(
            #"{"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]}"#,
            valid: ["2", "9"],
            invalid: ["1", "6", "null"]
        ),
        SchemaRow(#"{"oneOf": [true, false]}"#, valid: every),
        SchemaRow(#"{"oneOf": [true, true, true]}"#, valid: [], invalid: every),
        SchemaRow(#"{"not": {"type": "null"}}"#, valid: ["1"], invalid: ["null"]),
        SchemaRow(#"{"not": {"not": {"type": "null"}}}"#, valid: ["null"], invalid: ["1"]),
        SchemaRow(
            #"""
            {"if": {"properties": {"a": {"const": 1}}, "required": ["a"]}, "then": {"required": ["b"]},
            "else": {"required": ["c"]}}
            """#,
            valid: [#"{"a": 1, "b": 1}"#, #"{"a": 2, "c": 1}"#, #"{"c": 1}"#],
            invalid: [#"{"a": 1, "c": 1}"#, #"{"a": 2, "b": 1}"#, "{}"]
        ),
        SchemaRow(#"{"if": {"type": "null"}}"#, valid: every),
        SchemaRow(#"{"if": false, "then": false}"#, valid: every),
        SchemaRow(#"{"if": {"type": "null"}, "else": false}"#, valid: ["null"], invalid: ["1"]),
        SchemaRow(
            #"""
            {"type": "object", "minProperties": 1, "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
            "not": {"required": ["a", "b"]}}
            """#,
            valid: [#"{"a": 1}"#, #"{"b": 1}"#],
            invalid: ["{}", #"{"a": 1, "b": 1}"#, "1"]
        ),
    ]

    private static let references = [
        SchemaRow(
            ##"{"$defs": {"name": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/name"}}}"##,
            valid: [#"{"a": "x"}"#],
            invalid: [#"{"a": 1}"#]
        ),
        SchemaRow(
            ##"{"$defs": {"n": {"minimum": 1}}, "$ref": "#/$defs/n", "maximum": 2}"##,
            valid: ["1", "2"],
            invalid: ["0", "3"]
        ),
        SchemaRow(
            ##"""
            {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}},
            "additionalProperties": false}
            """##,
            valid: ["{}", #"{"left": {"right": {}}, "right": {"left": {"left": {}}}}"#],
            invalid: [#"{"left": {"right": {"middle": {}}}}"#, #"{"left": 1}"#]
        ),
        SchemaRow(
            ##"""
            {"$defs": {"list": {"oneOf": [{"type": "null"}, {"type": "array", "prefixItems": [{"type": "integer"},
            {"$ref": "#/$defs/list"}], "minItems": 2, "items": false}]}}, "$ref": "#/$defs/list"}
            """##,
            valid: ["null", "[1, null]", "[1, [2, [3, null]]]"],
            invalid: ["[]", "[1]", "[1, [2]]", "[1, [2, null, 3]]", "[\"1\", null]"]
        ),
        SchemaRow(
            ##"{"$defs": {"a/b~c %é": {"const": 1}}, "$ref": "#/$defs/a~1b~0c%20%25%C3%A9"}"##,
            valid: ["1"],
            invalid: ["2"]
        ),
        SchemaRow(##"{"$defs": {"": {"const": 1}}, "$ref": "#/$defs/"}"##, valid: ["1"], invalid: ["2"]),
        SchemaRow(
            ##"""
            {"$defs": {"even": {"items": {"$ref": "#/$defs/odd"}}, "odd": {"minItems": 1,
            "items": {"$ref": "#/$defs/even"}}}, "$ref": "#/$defs/even"}
            """##,
            valid: ["[]", "[[[]]]", "[[[[[]]]]]"],
            invalid: ["[[]]", "[[[[]]]]"]
        ),
    ]
}
