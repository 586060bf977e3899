import JSON
import Templates
import Testing

@Suite("Resolving templates")
struct TemplateResolutionTests {
    private let sample: Sample

    init() throws { sample = try Sample.plain() }

    @Test(
        "a whole value keeps its type and its bytes, a text takes it in",
        arguments: [
            (#""{{ signal.data.big }}""#, "123456789012345678901234567890"), (#""{{ signal.data.yes }}""#, "true"),
            (#""{{ signal.data.object }}""#, #"{"b": 1, "a": [ 2 ]}"#), (#""{{ signal.data.empty }}""#, "[]"),
            (#""{{ signal.data.escaped }}""#, #""\"\\\u0000\ud83d\ude00\/""#), (#""{{run.dry_run}}""#, "true"),
            (#""{{ signal.data.null }}""#, "null"), (#""\u007b{ automation.version }\u007d""#, "7"),
            (#""{{ automation.name }}""#, #""The \"name\"""#), (#""{{ steps.one.output }}""#, #"{"x": [1]}"#),
            (#""{{ steps.one.status }}-{{ steps.two.status }}""#, #""succeeded-skipped""#),
            (#""{{ run.id }} ""#, #""r1 ""#), (#"" {{ signal.data.number }}""#, #"" -1.50""#),
            (#""{{ signal.data.null }}{{ signal.data.null }}""#, #""""#),
            (#""\n\"{{ signal.data.escaped }}\\""#, #""\n\"\"\\\u0000\ud83d\ude00\/\\""#),
            (#""é{{ signal.data.text }}\u0000😀""#, #""éGrüße\u0000😀""#),
            (
                #""{{ signal.data.object }}{{ signal.data.list }}""#,
                ##""{\"b\":1,\"a\":[2]}[1,\"two\",null,[3],{\"four\":4}]""##
            ),
            (#""{{ automation.name }}.{{ signal.metadata.trace_id }}""#, #""The \"name\".t""#),
            (#""{{ signal.data[''] }}{{ signal[\"data\"]['text'] }}""#, #""namelessGrüße""#),
            (#""{{ signal.data.list[-5] }}{{ signal.data.list[4].four }}""#, #""14""#),
            (
                #"{"z":"{{ 1 }}","a":["{{ signal.id }}",{"n":"{{ signal.data.list[3][0] }}"}]}"#,
                #"{"z":1,"a":["s1",{"n":3}]}"#
            ),
            (#""{{ 'it\\'s' }} {{ \"a\\n\" }}""#, #""it's a\n""#),
            (#""{{signal.id|upper|lower|default(1)}}""#, #""s1""#),
            (#""{{ signal.data.text\t|\n\rupper ( ) }}""#, #""GRÜSSE""#),
            (#""{{ '{{' }}{{ '}}' }}}}""#, #""{{}}}}""#), (#""{ {{ signal.id }} }""#, #""{ s1 }""#),
        ]
    )
    func values(template: String, expected: String) throws {
        #expect(try sample.resolve(template) == expected)
        #expect(throws: Never.self) { try JSONDocument(parsing: sample.resolve(template)) }
    }

    @Test("signal is the event as it came, and metadata is what was given with it, never a member of the event")
    func signalAndMetadata() throws {
        #expect(try sample.evaluate("signal | json").hasPrefix(#""{\"id\":\"s1\",\"type\":\"a.b\","#))
        var context = sample.context
        context.signal = try JSONDocument(parsing: #"{"metadata": {"forged": true}}"#).root
        context.metadata = nil
        let template = try Template(compiling: JSONDocument(parsing: #""{{ signal.metadata.forged }}""#).root)
        let error = try #require(throws: TemplateError.self) { _ = try template.resolve(in: context) }
        #expect(error.code == .missingValue && error.message == "signal.metadata has no value here.")
    }

    @Test(
        "what is missing is named by the first part that is not there",
        arguments: [
            ("signal.data.none.a.b", #"signal.data has no member "none"."#),
            ("signal.subject", #"signal has no member "subject"."#),
            ("signal.data.list[5]", "signal.data.list has 5 elements and none at 5."),
            ("signal.data.list[-6].x", "signal.data.list has 5 elements and none at -6."),
            ("signal.data.object[0]", "signal.data.object is an object and has no elements."),
            ("signal.data.list.length", "signal.data.list is an array and has no members."),
            ("signal.data.null.x", "signal.data.null is null and has no members."),
            ("steps.two.output.x", "steps.two.output has no value here."),
            ("steps.six.status", "steps.six.status has no value here."),
            ("signal.data['a\"b']['c']", #"signal.data has no member "a"b"."#),
            ("signal.data.tex", #"signal.data has no member "tex"."#),
            ("signal.data['Gru\u{308}ße']", "signal.data has no member \"Gru\u{308}ße\"."),
        ]
    )
    func missing(path: String, message: String) throws {
        let error = try sample.error(of: #"{"a~": ["x{{ 1 }}{{  "# + path.replacing("\"", with: "\\\"") + #"  }}"]}"#)
        #expect(error.code == .missingValue && error.message == message, "\(error)")
        #expect(error.expression == path && error.pointer.text == "/a~0/0")
        #expect(error.description == "/a~0/0: {{ \(path) }}: \(message)")
    }

    // MARK: - Secrets

    @Test("secrets are in the value, and only their names in what is recorded, described or dumped")
    func secrets() throws {
        let text =
            #"{"a":"{{ secret:token }}","b":["Bearer {{ secret:token }}, {{secret:other}}{{secret:empty}}","{{ signal.id }}"]}"#
        let resolved = try sample.resolveInput(text)
        let value = #"{"a":"CANARY-\"1\"","b":["Bearer CANARY-\"1\", CANARY-2","s1"]}"#
        let redacted =
            #"{"a":"{{ secret:token }}","b":["Bearer {{ secret:token }}, {{ secret:other }}{{ secret:empty }}","s1"]}"#
        #expect(String(decoding: resolved.value, as: UTF8.self) == value)
        #expect(String(decoding: resolved.redacted, as: UTF8.self) == redacted)
        var dumped = ""
        dump(resolved, to: &dumped)
        for text in ["\(resolved)", String(reflecting: resolved), String(describing: [resolved]), dumped] {
            #expect(!text.contains("CANARY") && text.contains("secret:token"), "\(text)")
        }
    }

    @Test("an error repeats neither a secret nor a value")
    func errorsTellNothing() throws {
        let missing = try sample.error(of: #""{{ secret:token }}{{ secret:gone }}""#)
        #expect(missing.code == .missingSecret && missing.message == "There is no secret gone.")
        let large = try sample.error(
            of: #""{{ secret:token }}{{ signal.data.text }}""#,
            limits: TemplateLimits(maximumBytes: 14)
        )
        #expect(large.code == .tooLarge && large.expression == "signal.data.text")
        for expression in ["signal.data.text | parse_json", "signal.data.text | number"] {
            let error = try sample.error(of: Sample.template(of: expression))
            #expect(!error.description.contains("Gr"), "\(error)")
        }
        #expect(!missing.description.contains("CANARY") && !large.description.contains("CANARY"))
    }

    @Test("without a secret, both are one array")
    func sharing() throws {
        let resolved = try sample.resolveInput(#""{{ signal.data.text }}""#)
        let addresses = (
            resolved.value.withUnsafeBufferPointer(\.baseAddress),
            resolved.redacted.withUnsafeBufferPointer(\.baseAddress)
        )
        #expect(addresses.0 == addresses.1)
    }
}
