import Testing

/// A pattern and all of its faults.
struct FaultRow: Sendable, CustomTestStringConvertible {
    var pattern: String
    var faults: [String]

    var testDescription: String { pattern }

    init(_ pattern: String, _ faults: String...) {
        self.pattern = pattern
        self.faults = faults
    }

    static let all = shapes + operators + numeric + anythingBut + texts + alternatives

    private static let shapes = [
        FaultRow("[]", "not_an_object "),
        FaultRow("1", "not_an_object "),
        FaultRow("{}", "empty_object "),
        FaultRow(#"{"a": {}}"#, "empty_object /a"),
        FaultRow(#"{"a": []}"#, "empty_list /a"),
        FaultRow(#"{"a": "x"}"#, "not_a_list /a"),
        FaultRow(#"{"a": {"b/c": null}}"#, "not_a_list /a/b~1c"),
        FaultRow(#"{"a": [1, [2], []]}"#, "nested_list /a/1", "nested_list /a/2"),
        FaultRow(#"{"a": [], "b": 1, "c": {"d": {}}}"#, "empty_list /a", "not_a_list /b", "empty_object /c/d"),
    ]

    private static let operators = [
        FaultRow(#"{"a": [{}]}"#, "not_one_operator /a/0"),
        FaultRow(#"{"a": [1, {"exists": false, "prefix": "x"}]}"#, "not_one_operator /a/1"),
        FaultRow(#"{"a": [{"foo": "x"}]}"#, "unknown_operator /a/0/foo"),
        FaultRow(#"{"a": [{"exists": "yes"}]}"#, "wrong_type /a/0/exists"),
        FaultRow(#"{"a": [{"prefix": 1}, {"suffix": null}]}"#, "wrong_type /a/0/prefix", "wrong_type /a/1/suffix"),
        FaultRow(#"{"a": [{"prefix": {"suffix": "x"}}]}"#, "unknown_operator /a/0/prefix/suffix"),
        FaultRow(#"{"a": [{"prefix": {}}]}"#, "not_one_operator /a/0/prefix"),
        FaultRow(
            #"{"a": [{"suffix": {"equals-ignore-case": 1}}]}"#,
            "wrong_type /a/0/suffix/equals-ignore-case"
        ),
        FaultRow(#"{"a": [{"suffix": ["x"]}]}"#, "wrong_type /a/0/suffix"),
        FaultRow(#"{"a": [{"equals-ignore-case": ["x"]}]}"#, "wrong_type /a/0/equals-ignore-case"),
        FaultRow(#"{"a": [{"exactly": 1}]}"#, "wrong_type /a/0/exactly"),
    ]

    private static let numeric = [
        FaultRow(#"{"a": [{"numeric": 5}]}"#, "wrong_type /a/0/numeric"),
        FaultRow(#"{"a": [{"numeric": []}]}"#, "invalid_numeric /a/0/numeric"),
        FaultRow(#"{"a": [{"numeric": [">"]}]}"#, "invalid_numeric /a/0/numeric"),
        FaultRow(#"{"a": [{"numeric": [">", 0, "<"]}]}"#, "invalid_numeric /a/0/numeric"),
        FaultRow(#"{"a": [{"numeric": [">", 0, "<", 1, "<", 2]}]}"#, "invalid_numeric /a/0/numeric"),
        FaultRow(#"{"a": [{"numeric": ["==", 5]}]}"#, "invalid_numeric /a/0/numeric/0"),
        FaultRow(#"{"a": [{"numeric": [5, 5]}]}"#, "invalid_numeric /a/0/numeric/0"),
        FaultRow(#"{"a": [{"numeric": ["=", "5"]}]}"#, "invalid_numeric /a/0/numeric/1"),
        FaultRow(#"{"a": [{"numeric": ["=", 1, "<", 5]}]}"#, "invalid_numeric /a/0/numeric/0"),
        FaultRow(#"{"a": [{"numeric": ["<", 1, ">", 5]}]}"#, "invalid_numeric /a/0/numeric/0"),
        FaultRow(#"{"a": [{"numeric": [">", 5, ">", 6]}]}"#, "invalid_numeric /a/0/numeric/2"),
        FaultRow(#"{"a": [{"numeric": [">", 5, "<", null]}]}"#, "invalid_numeric /a/0/numeric/3"),
        FaultRow(#"{"a": [{"numeric": [">=", 5, "<=", 5]}]}"#, "empty_range /a/0/numeric"),
        FaultRow(#"{"a": [{"numeric": [">", 6, "<", 5]}]}"#, "empty_range /a/0/numeric"),
        FaultRow(#"{"a": [{"numeric": ["<", 1e400]}]}"#, "number_out_of_range /a/0/numeric/1"),
    ]

    private static let anythingBut = [
        FaultRow(#"{"a": [{"anything-but": true}]}"#, "wrong_type /a/0/anything-but"),
        FaultRow(#"{"a": [{"anything-but": null}]}"#, "wrong_type /a/0/anything-but"),
        FaultRow(#"{"a": [{"anything-but": []}]}"#, "empty_list /a/0/anything-but"),
        FaultRow(#"{"a": [{"anything-but": ["x", 1]}]}"#, "mixed_types /a/0/anything-but"),
        FaultRow(#"{"a": [{"anything-but": ["x", null]}]}"#, "wrong_type /a/0/anything-but/1"),
        FaultRow(#"{"a": [{"anything-but": [1e400]}]}"#, "number_out_of_range /a/0/anything-but/0"),
        FaultRow(#"{"a": [{"anything-but": {}}]}"#, "not_one_operator /a/0/anything-but"),
        FaultRow(#"{"a": [{"anything-but": {"numeric": [">", 1]}}]}"#, "unknown_operator /a/0/anything-but/numeric"),
        FaultRow(#"{"a": [{"anything-but": {"prefix": ""}}]}"#, "empty_text /a/0/anything-but/prefix"),
        FaultRow(#"{"a": [{"anything-but": {"suffix": ["x", ""]}}]}"#, "empty_text /a/0/anything-but/suffix/1"),
        FaultRow(#"{"a": [{"anything-but": {"suffix": 1}}]}"#, "wrong_type /a/0/anything-but/suffix"),
        FaultRow(#"{"a": [{"anything-but": {"prefix": []}}]}"#, "empty_list /a/0/anything-but/prefix"),
        FaultRow(
            #"{"a": [{"anything-but": {"wildcard": ["a", "**"]}}]}"#,
            "invalid_wildcard /a/0/anything-but/wildcard/1"
        ),
        FaultRow(
            #"{"a": [{"anything-but": {"prefix": {"equals-ignore-case": "x"}}}]}"#,
            "wrong_type /a/0/anything-but/prefix"
        ),
    ]

    private static let texts = [
        FaultRow(#"{"a": [{"wildcard": "a**b"}]}"#, "invalid_wildcard /a/0/wildcard"),
        FaultRow(#"{"a": [{"wildcard": "a\\b"}]}"#, "invalid_wildcard /a/0/wildcard"),
        FaultRow(#"{"a": [{"wildcard": "a\\"}]}"#, "invalid_wildcard /a/0/wildcard"),
        FaultRow(#"{"a": [{"wildcard": 1}]}"#, "wrong_type /a/0/wildcard"),
        FaultRow(#"{"a": [{"wildcard": "a*b*c*d*e*f*"}]}"#, "too_many_wildcards /a/0/wildcard"),
        FaultRow(#"{"a": [{"cidr": "banana"}]}"#, "invalid_cidr /a/0/cidr"),
        FaultRow(#"{"a": [{"cidr": "10.0.0.0"}]}"#, "invalid_cidr /a/0/cidr"),
        FaultRow(#"{"a": [{"cidr": "10.0.0.0/8/8"}]}"#, "invalid_cidr /a/0/cidr"),
        FaultRow(#"{"a": [{"cidr": "10.0.0.0/-1"}]}"#, "invalid_cidr /a/0/cidr"),
        FaultRow(#"{"a": [{"cidr": "10.0.0.0/x"}]}"#, "invalid_cidr /a/0/cidr"),
        FaultRow(#"{"a": [{"cidr": "10.0.0.0/32"}]}"#, "invalid_cidr /a/0/cidr"),
        FaultRow(#"{"a": [{"cidr": "10.0.0.0/99999999999999999999"}]}"#, "invalid_cidr /a/0/cidr"),
        FaultRow(#"{"a": [{"cidr": "::/128"}]}"#, "invalid_cidr /a/0/cidr"),
        FaultRow(#"{"a": [{"cidr": "10.0.0/8"}]}"#, "invalid_cidr /a/0/cidr"),
        FaultRow(#"{"a": [{"cidr": "/8"}]}"#, "invalid_cidr /a/0/cidr"),
        FaultRow(#"{"a": [{"cidr": 8}]}"#, "wrong_type /a/0/cidr"),
    ]

    private static let alternatives = [
        FaultRow(#"{"$or": "x"}"#, "invalid_or /$or"),
        FaultRow(#"{"$or": {"a": [1]}}"#, "invalid_or /$or"),
        FaultRow(#"{"$or": []}"#, "invalid_or /$or"),
        FaultRow(#"{"$or": [{"a": [1]}]}"#, "invalid_or /$or"),
        FaultRow(#"{"$or": [{"a": [1]}, [], 1]}"#, "invalid_or /$or/1", "invalid_or /$or/2"),
        FaultRow(#"{"$or": [{"a": [1]}, {}]}"#, "empty_object /$or/1"),
        FaultRow(
            #"{"d": {"$or": [{"numeric": [1]}, {"a": {"cidr": [1]}}]}}"#,
            "reserved_name /d/$or/0/numeric",
            "reserved_name /d/$or/1/a/cidr"
        ),
    ]
}
