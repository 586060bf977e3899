import JSON
import Templates
import Testing

@Suite("Compiling templates")
struct TemplateCompilationTests {
    private let sample: Sample

    init() throws { sample = try Sample.plain() }

    @Test(
        "syntax that is refused, with its column",
        arguments: [
            ("{{", "unclosed_expression", 1), ("a{{", "unclosed_expression", 2), ("{{ }", "unexpected_character", 4),
            ("{{ signal.id }", "unexpected_character", 14), ("{{{ signal.id }}}", "unexpected_character", 3),
            ("{{}}", "empty_expression", 1), ("ß\u{1F600}{{\n}}", "empty_expression", 3),
            ("{{ signal..id }}", "unexpected_character", 11), ("{{ signal. id }}", "unexpected_character", 11),
            ("{{ signal .id }}", "unexpected_character", 11), ("{{ .id }}", "unexpected_character", 4),
            ("{{ signal.0 }}", "unexpected_character", 11), ("{{ signal.ü }}", "unexpected_character", 11),
            ("{{ signal[] }}", "unexpected_character", 11), ("{{ signal[id] }}", "unexpected_character", 11),
            ("{{ signal['id' }}", "unexpected_character", 16), ("{{ signal[1.0] }}", "invalid_number", 11),
            ("{{ signal[1000000000] }}", "invalid_number", 11),
            ("{{ signal[-9999999999999999999] }}", "invalid_number", 11),
            ("{{ signal[00] }}", "invalid_number", 11), ("{{ signal[--1] }}", "invalid_number", 11),
            ("{{ signal[", "unclosed_expression", 1), ("{{ signal.", "unclosed_expression", 1),
            ("{{ 'a' 'b' }}", "unexpected_character", 8), ("{{ 1 2 }}", "unexpected_character", 6),
            ("{{ 7*7 }}", "unexpected_character", 5), ("{{ -a }}", "invalid_number", 4),
            ("{{ (1) }}", "unexpected_character", 4),
            ("{{ signal.id || 1 }}", "unexpected_character", 15), ("{{ signal.id | }}", "unexpected_character", 16),
            ("{{ upper(signal.id) }}", "unexpected_character", 9),
            ("{{ signal.id | upper( }}", "unexpected_character", 23),
            ("{{ signal.id | upper(,) }}", "unexpected_character", 22),
            ("{{ 1 | default(1,) }}", "unexpected_character", 18),
            ("{{ 1 | default(1 2) }}", "unexpected_character", 18),
            ("{{ 1 | default((1)) }}", "unexpected_character", 16),
            ("{{ 1 | default('' | upper) }}", "unexpected_character", 19), ("{{ 1 | default", "unclosed_expression", 1),
            ("{{ 1 | default(", "unclosed_expression", 1), ("{{ 'a\\'", "unclosed_text", 4),
            ("{{ 'a\\", "unclosed_text", 6),
            ("{{ '", "unclosed_text", 4), ("{{ signal['", "unclosed_text", 11),
            ("{{ '\\u0041' }}", "invalid_escape", 5),
            ("{{ signal.id | Upper }}", "unknown_function", 16), ("{{ 1 | upper() }}", "wrong_type", 8),
            ("{{ signal.id | upper(1) }}", "argument_count", 16),
            ("{{ signal.id | replace('a') }}", "argument_count", 16),
            ("{{ 'a' | split(1) }}", "wrong_type", 16), ("{{ 'a' | replace('a', null) }}", "wrong_type", 23),
            ("{{ 'a' | replace('', 'a') }}", "invalid_argument", 18), ("{{ 'a' | first }}", "wrong_type", 10),
            ("{{ signal.id | json | first }}", "wrong_type", 23),
            ("{{ signal.id | split(' ') | upper }}", "wrong_type", 29),
            ("{{ null | default(1) | upper }}", "wrong_type", 24), ("{{ null | upper }}", "wrong_type", 11),
            ("{{ secret: }}", "invalid_secret_name", 11), ("{{ secret:1a }}", "invalid_secret_name", 11),
            ("{{ secret:a/b }}", "unexpected_character", 12), ("{{ secret:a b }}", "unexpected_character", 13),
            ("{{ secret:_ }}", "invalid_secret_name", 11), ("{{ secret:é }}", "invalid_secret_name", 11),
            ("{{ secret:a.b-c_1 | json }}", "secret_misused", 19), ("{{ secret:a", "unclosed_expression", 1),
            ("{{ secret :a }}", "unexpected_character", 11), ("{{ secret }}", "unknown_root", 4),
            ("{{ \u{0} }}", "unexpected_character", 4), ("{{ \u{A0}1 }}", "unexpected_character", 4),
            ("{{ “a” }}", "unexpected_character", 4), ("{{- 1 -}}", "invalid_number", 3),
            ("{{ #if }}", "unexpected_character", 4),
        ] as [(String, String, Int)]
    )
    func syntax(text: String, code: String, column: Int) throws {
        var writer = JSONWriter()
        writer.beginArray()
        writer.string(text)
        writer.endArray()
        let faults = try sample.faults(of: String(decoding: writer.bytes, as: UTF8.self))
        #expect(faults.map(\.code.rawValue) == [code], "\(faults)")
        #expect(faults.map(\.column) == [column] && faults.map(\.pointer.text) == ["/0"], "\(faults)")
    }

    @Test("all faults are found at once, in order, each in its place")
    func allFaults() throws {
        let text = #"""
            {"a/b": ["{{ }} and {{ x | y }} and {{ signal.id", "fine"], "": {"~": "{{ signal.id }} {{ 1 2 }} {{ 3 4 }}"}}
            """#
        let document = try JSONDocument(parsing: text)
        let base = try #require(JSONPointer("/steps/0/input"))
        let error = try #require(throws: TemplateFaults.self) { _ = try Template(compiling: document.root, at: base) }
        #expect(
            error.faults.map { "\($0.pointer) \($0.column ?? 0) \($0.code)" } == [
                "/steps/0/input/a~1b/0 1 empty_expression", "/steps/0/input/a~1b/0 18 unknown_function",
                "/steps/0/input/a~1b/0 27 unclosed_expression", "/steps/0/input//~0 22 unexpected_character",
                "/steps/0/input//~0 32 unexpected_character",
            ]
        )
        #expect(error.message.hasSuffix("(the first of 5 faults)"))
        #expect(error.message.hasPrefix("/steps/0/input/a~1b/0, column 1: Nothing stands"))
    }

    @Test("faults are no more than 64")
    func manyFaults() throws {
        let text = "[" + Array(repeating: #""{{}}{{}}""#, count: 1000).joined(separator: ",") + "]"
        #expect(try sample.faults(of: text).count == 64)
    }

    @Test(
        "paths that the context never has",
        arguments: [
            ("signal.data_base64", nil), ("signal", nil), ("signal.data", nil), ("signal.myext2", nil),
            ("signal['data']['X'][0]", nil), ("signal.metadata.a.b", nil), ("steps.one.output.x[-1]", nil),
            ("steps['one'].status", nil), ("run['id']", nil), ("signals.id", "unknown_root"),
            ("SIGNAL.id", "unknown_root"),
            ("True", "unknown_root"), ("true.x", "unknown_root"), ("none", "unknown_root"),
            ("env.HOME", "unknown_root"),
            ("signal.my_ext", "unknown_member"), ("signal[0]", "unknown_member"), ("signal['']", "unknown_member"),
            ("signal.id.x", "unknown_member"), ("signal.type[0]", "unknown_member"), ("steps", "incomplete_path"),
            ("steps[0]", "unknown_step"), ("steps.four", "unknown_step"), ("steps.four.output", "unknown_step"),
            ("steps.one", "incomplete_path"), ("steps.one.out", "unknown_member"), ("steps.one[0]", "unknown_member"),
            ("steps.one.status.x", "unknown_member"), ("run", "incomplete_path"), ("run.started", "unknown_member"),
            ("run.id.x", "unknown_member"), ("automation", "incomplete_path"), ("automation.status", "unknown_member"),
            ("automation.version[0]", "unknown_member"),
        ] as [(String, String?)]
    )
    func references(path: String, code: String?) throws {
        for expression in [path, "null | default(\(path))"] {
            let template = Sample.template(of: expression)
            let faults = try sample.faults(of: template)
            #expect(faults.map(\.code.rawValue) == (code.map { [$0] } ?? []), "\(faults)")
            #expect(faults.allSatisfy { $0.column == (expression == path ? 4 : 19) }, "\(faults)")
            guard code != nil else { continue }
            // Unchecked, such a path fails when it is read, and never traps.
            let error = try sample.error(of: Sample.template(of: path))
            #expect([.unknownReference, .missingValue].contains(error.code), "\(error)")
        }
    }

    @Test("references and secrets are listed with their places")
    func listing() throws {
        let text = #"""
            {"a": "{{ signal.data['x y'][-1] | default(steps.one.output) }} {{secret:b.c}}", "b": ["{{ secret:a }}", 1],
             "{{ run.id }}": "{{ automation.key }}"}
            """#
        let template = try Template(compiling: JSONDocument(parsing: text).root)
        #expect(
            template.references.map { "\($0.pointer) \($0.column) \($0)" } == [
                #"/a 4 signal.data["x y"][-1]"#, "/a 37 steps.one.output", "/{{ run.id }} 4 automation.key",
            ]
        )
        #expect(template.references[0].tokens == [.name("signal"), .name("data"), .name("x y"), .index(-1)])
        #expect(template.references.map(\.root) == ["signal", "steps", "automation"])
        #expect(template.references.map(\.step) == [nil, "one", nil])
        #expect(template.secrets.map { "\($0.pointer) \($0.column) \($0.name)" } == ["/a 58 b.c", "/b/0 1 a"])
        #expect(template.secretNames == ["a", "b.c"] && !template.isConstant)
    }

    @Test(
        "constants are ready when they are compiled",
        arguments: [
            (#" { "b" : [ 1.0 , "x\u0041" , { } ] , "a" : null } "#, #"{"b":[1.0,"x\u0041",{}],"a":null}"#),
            (#""{{ 'a' | upper }}{{ \"b\" }}""#, #""Ab""#), (#"["{{ '{{' }}", "\u007b{ 1 }}"]"#, #"["{{",1]"#),
            (#""{{ '[1, 2]' | parse_json }}""#, "[1, 2]"), ("7", "7"), (#""{ { }} {""#, #""{ { }} {""#),
        ]
    )
    func constants(text: String, expected: String) throws {
        let template = try Template(compiling: JSONDocument(parsing: text).root)
        #expect(template.isConstant && template.references.isEmpty && template.secretNames.isEmpty)
        let resolved = try template.resolve(in: sample.context)
        #expect(String(decoding: resolved.value, as: UTF8.self) == expected && resolved.redacted == resolved.value)
    }
}
