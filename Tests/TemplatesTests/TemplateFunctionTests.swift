import JSON
import Templates
import Testing

@Suite("Functions of templates")
struct TemplateFunctionTests {
    private let sample: Sample

    init() throws { sample = try Sample.plain() }

    @Test(
        "what they give",
        arguments: [
            // default: for what is missing and for null, and for nothing else
            ("signal.data.none | default('d')", #""d""#), ("signal.data.null | default('d')", #""d""#),
            ("signal.data.no | default('d')", "false"), ("signal.data.empty | default('d')", "[]"),
            ("signal.data[''] | default('d')", #""nameless""#), ("'' | default('d')", #""""#),
            ("signal.data.none | default(signal.data.list)", #"[1, "two", null, [3], {"four": 4}]"#),
            ("signal.data.none | default(null)", "null"), ("null | default(null)", "null"),
            ("signal.data.none | default(signal.data.none) | default(1e2)", "1e2"),
            ("signal.data.text | default(signal.data.none)", #""Grüße""#), ("null | default(\"q\")", #""q""#),
            ("steps.two.output.x | default(0)", "0"), ("steps.three.status | default('none')", #""none""#),
            ("signal.metadata.none.deeper | default(true)", "true"),
            // text to text
            ("signal.data.text | upper", #""GRÜSSE""#), ("'İI' | lower", "\"i\u{307}i\""), ("'' | upper", #""""#),
            ("'\u{1F600}ŉ' | upper", "\"\u{1F600}\u{2BC}N\""),
            (#"' \t\r\n a b\u{2003}\u{85}' | trim"#, #""a b""#), ("' ' | trim", #""""#),
            ("'e\u{301} ' | trim", "\"e\u{301}\""),
            ("signal.data.escaped | trim", "\"\\\"\\\\\\u0000\u{1F600}/\""),
            ("'aaa' | replace('aa', 'b')", #""ba""#), ("'aaaa' | replace('aa', '')", #""""#),
            ("'abababac' | replace('ababac', '-')", #""ab-""#), ("'a' | replace('abc', 'x')", #""a""#),
            ("'e\u{301}' | replace('e', 'a')", "\"a\u{301}\""), ("'.*' | replace('.', '$1')", #""$1*""#),
            ("'\u{E9}' | replace('\u{E8}', '')", "\"\u{E9}\""),
            ("'' | base64", #""""#), ("'f' | base64", #""Zg==""#), ("'fo' | base64", #""Zm8=""#),
            ("'foo' | base64", #""Zm9v""#), ("'foob' | base64", #""Zm9vYg==""#), ("'fooba' | base64", #""Zm9vYmE=""#),
            ("'foobar' | base64", #""Zm9vYmFy""#), ("'\u{FFFF}\u{3FFFF}' | base64", #""77+/8L+/vw==""#),
            ("'' | sha256", #""e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855""#),
            ("'%&=+ \u{1F600}\0~_-.' | url_encode", #""%25%26%3D%2B%20%F0%9F%98%80%00~_-.""#),
            // lists
            ("signal.data.list | length", "5"), ("signal.data.object | length", "2"),
            ("'Grüße\u{1F600}e\u{301}' | length", "8"), ("signal.data.escaped | length", "5"),
            ("signal.data.empty | length", "0"), ("'a,b' | split(',') | length", "2"),
            ("'' | split(',')", #"[""]"#), ("',' | split(',')", #"["",""]"#), ("'a--b-' | split('--')", #"["a","b-"]"#),
            ("'aXbxc' | split('x')", #"["aXb","c"]"#), (#"'a"b' | split('"') | json"#, ##""[\"a\",\"b\"]""##),
            ("'1 2' | split(' ') | join(signal.data.text)", #""1Grüße2""#),
            ("signal.data.list | join('|')", ##""1|two||[3]|{\"four\":4}""##),
            ("signal.data.empty | join('|')", #""""#), ("signal.data.list | first", "1"),
            ("signal.data.list | last", #"{"four": 4}"#), ("'a,b' | split(',') | first", #""a""#),
            ("signal.data.empty | last | default('z')", #""z""#), ("signal.data.list[2] | default(1)", "1"),
            // between kinds
            ("signal.data.object | json", ##""{\"b\":1,\"a\":[2]}""##), ("signal.data.null | json", #""null""#),
            ("signal.data.text | json", ##""\"Grüße\"""##),
            ("signal.data.big | json", #""123456789012345678901234567890""#),
            ("run.dry_run | json", #""true""#), ("automation.version | json", #""7""#),
            (#"'{"a" : [ 1e400 , " x " ]}' | parse_json"#, #"{"a" : [ 1e400 , " x " ]}"#),
            (#"'{"q" : "a\\" b"}' | parse_json | json"#, ##""{\"q\":\"a\\\" b\"}""##),
            ("' null ' | parse_json", "null"), (#"'[1,2]' | parse_json | last"#, "2"),
            ("signal.data.object | json | parse_json", #"{"b":1,"a":[2]}"#),
            ("signal.data.null | string", #""""#), ("signal.data.number | string", #""-1.50""#),
            ("signal.data.yes | string", #""true""#), ("signal.data.object | string", ##""{\"b\":1,\"a\":[2]}""##),
            ("signal.data.number | number", "-1.50"), ("'1E+9' | number", "1E+9"),
            ("'123456789012345678901234567890' | number", "123456789012345678901234567890"),
        ]
    )
    func values(expression: String, expected: String) throws {
        #expect(try sample.evaluate(expression.replacing("\\u{2003}\\u{85}", with: "\u{2003}\u{85}")) == expected)
    }

    @Test(
        "what they refuse when they are given it",
        arguments: [
            ("signal.data.yes | upper", "wrong_type", "upper takes a string, not a boolean."),
            ("signal.data.null | lower", "wrong_type", "lower takes a string, not null."),
            ("signal.data.object | trim", "wrong_type", "trim takes a string, not an object."),
            (
                "signal.data.number | length", "wrong_type",
                "length takes a string or an array or an object, not a number."
            ),
            ("signal.data.text | first", "wrong_type", "first takes an array, not a string."),
            ("signal.data.object | last", "wrong_type", "last takes an array, not an object."),
            ("signal.data.text | join('')", "wrong_type", "join takes an array, not a string."),
            ("signal.data.list | split('')", nil, nil),
            ("signal.data.list | split(',')", "wrong_type", "split takes a string, not an array."),
            (
                "signal.data.text | replace('a', run.dry_run)", "wrong_type",
                "Argument 2 of replace is a string, not a boolean."
            ),
            (
                "signal.data.text | replace(automation.version, '')", "wrong_type",
                "Argument 1 of replace is a string, not a number."
            ),
            ("signal.data.list | join(signal.data.none)", "missing_value", #"signal.data has no member "none"."#),
            (
                "signal.data.text | split(signal.data.null)", "wrong_type",
                "The argument of split is a string, not null."
            ),
            ("signal.data.text | split(steps.one.status) | first | number", "invalid_number", nil),
            ("signal.data.yes | number", "wrong_type", "number takes a number or a string, not a boolean."),
            ("run.dry_run | base64", "wrong_type", "base64 takes a string, not a boolean."),
            ("signal.data.list[0] | sha256", "wrong_type", "sha256 takes a string, not a number."),
            ("signal.data.list | url_encode", "wrong_type", "url_encode takes a string, not an array."),
            ("signal.data.list | parse_json", "wrong_type", "parse_json takes a string, not an array."),
            ("signal.data.text | parse_json", "invalid_json", nil),
            ("signal.data.none | default(signal.data.nor)", "missing_value", #"signal.data has no member "nor"."#),
        ] as [(String, String?, String?)]
    )
    func refusals(expression: String, code: String?, message: String?) throws {
        let template = Sample.template(of: expression)
        guard let code else {
            #expect(try !sample.faults(of: template).isEmpty)
            return
        }
        let error = try sample.error(of: template)
        #expect(error.code.rawValue == code && error.expression == expression && error.pointer == .root)
        #expect(message == nil || error.message == message, "\(error)")
        #expect(!error.code.isRetryable)
    }

    @Test("a search for an empty text is refused wherever the text comes from")
    func emptySearch() throws {
        let sample = try Sample(Self.emptyText)
        for function in ["split(signal.data.empty)", "replace(signal.data.empty, 'x')"] {
            let error = try sample.error(of: Sample.template(of: "signal.id | \(function)"))
            #expect(error.code == .invalidArgument)
        }
    }

    private static let emptyText = #"""
        {"signal": {"id": "1", "data": {"empty": ""}}, "steps": {}, "run": {"id": "", "dry_run": false},
         "automation": {"id": "", "key": "", "version": 0, "name": ""}}
        """#

    @Test(
        "numbers are read as JSON writes them, and no other way",
        arguments: [
            "", " 1", "1 ", "+1", "01", "1.", ".5", "1e", "0x1", "Infinity", "NaN", "١", "1,5", "-", "true", "[1]",
        ]
    )
    func numbers(text: String) throws {
        let faults = try sample.faults(of: Sample.template(of: "'\(text)' | number"))
        #expect(faults.map(\.code) == [.invalidNumber])
    }
}
