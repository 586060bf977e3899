import JSON
import Templates
import Testing

@Suite("Bounds of templates")
struct TemplateBoundsTests {
    private let sample: Sample

    init() throws { sample = try Sample.plain() }

    private func text(_ content: String) -> String {
        var writer = JSONWriter()
        writer.string(content)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private func codes(_ template: String, limits: TemplateLimits = .standard) throws -> [String] {
        try sample.faults(of: template, limits: limits).map(\.code.rawValue)
    }

    @Test(
        "a million of anything is refused, and never traps",
        arguments: [
            ("", "{{"), ("{{ ", "("), ("{{ ", "{{("), ("{{ 'a' | default(", "("), ("{{ '", "{{'"), ("{{ '", "\\"),
            ("{{ '", "\""), ("{{ signal", "["), ("{{ signal", "[0]"), ("{{ signal.id", "|"), ("{{ signal.id", "|trim"),
            ("{{ ", "secret:"), ("", "}}{{"), ("{{ ", "}"), ("{{ ", "-"),
        ]
    )
    func millions(prefix: String, piece: String) throws {
        let template = text(prefix + String(repeating: piece, count: 1_000_000))
        let started = ContinuousClock.now
        let faults = try sample.faults(of: template)
        #expect(!faults.isEmpty && faults.count <= 64, "\(faults.count)")
        // A reader that were quadratic in the length would need minutes.
        #expect(ContinuousClock.now - started < .seconds(20))
    }

    @Test("expressions, paths, functions and literals are as many and as long as the limit, and no more")
    func counts() throws {
        let limits = TemplateLimits(
            maximumExpressions: 3,
            maximumDepth: 2,
            maximumExpressionBytes: 40,
            maximumPathLength: 3,
            maximumFunctions: 2
        )
        let cases: [(String, [String])] = [
            (#"["{{ 1 }}{{ 2 }}", "{{ 3 }}"]"#, []),
            (#"["{{ 1 }}{{ 2 }}", "{{ 3 }}{{ 4 }}", "{{ 5 }}"]"#, ["too_many_expressions"]),
            (#"[["{{ 1 }}"]]"#, []), (#"[[[]], {"a": {}}]"#, ["too_deep", "too_deep"]),
            (#"{"a": {"b": {}}}"#, ["too_deep"]),
            (text("{{ signal.data.x }}"), []), (text("{{ signal.data.x[0] }}"), ["too_long"]),
            (text("{{ 1|string|upper }}"), []), (text("{{ 1|string|upper|lower }}"), ["too_long"]),
            (text("{{'" + String(repeating: "a", count: 38) + "'}}"), []),
            (text("{{'" + String(repeating: "a", count: 39) + "'}}"), ["too_long"]),
            (text("{{'" + String(repeating: "a", count: 38) + "' }}"), ["too_long"]),
            (text("{{ '" + String(repeating: "a", count: 100)), ["too_long"]),
            (text("{{" + String(repeating: " ", count: 100)), ["too_long"]),
        ]
        for (template, expected) in cases {
            #expect(try codes(template, limits: limits) == expected, "\(template)")
        }
        #expect(throws: Never.self) { try sample.resolve(text(String(repeating: "{{ signal.id }}", count: 256))) }
        #expect(try codes(text(String(repeating: "{{ signal.id }}", count: 257))) == ["too_many_expressions"])
        #expect(try codes(text("{{ secret:" + String(repeating: "a", count: 100) + " }}")) == [])
        #expect(try codes(text("{{ secret:" + String(repeating: "a", count: 101) + " }}")) == ["invalid_secret_name"])
    }

    @Test("what comes out is no deeper than the limit, wherever its levels come from")
    func depth() throws {
        func nested(_ depth: Int, _ inside: String) -> String {
            String(repeating: "[", count: depth) + inside + String(repeating: "]", count: depth)
        }
        var sample = self.sample
        for (outer, inner) in [(0, 64), (1, 63), (32, 32), (63, 1), (64, 0)] {
            sample.context.steps["deep"] = TemplateContext.Step(
                status: "succeeded",
                output: try JSONDocument(parsing: #"{"v":"# + nested(inner, #""[[\"[""#) + "}", limits: .wrapped).root
            )
            let whole = nested(outer, #""{{ steps.deep.output.v }}""#)
            #expect(throws: Never.self) { try JSONDocument(parsing: sample.resolve(whole)) }
            #expect(try codes(nested(outer, #""{{ '\#(nested(inner, "1"))' | parse_json }}""#)) == [])
            guard outer < 64 else { continue }
            let error = try sample.error(of: nested(outer + 1, #""{{ steps.deep.output.v }}""#))
            #expect(error.code == .tooDeep || inner == 0, "\(error)")
            #expect(try codes(nested(outer + 1, #""{{ '\#(nested(inner, "1"))' | parse_json }}""#)) == ["too_deep"])
            #expect(throws: Never.self) { try sample.resolve(nested(outer + 1, #""x{{ steps.deep.output.v }}""#)) }
        }
    }

    @Test("what comes out, its redaction and every value on the way are as large as the limit, and no larger")
    func size() throws {
        func outcome(_ template: String, _ maximumBytes: Int) throws -> String {
            let compiled: Template
            let root = try JSONDocument(parsing: template).root
            do throws(TemplateFaults) {
                compiled = try Template(compiling: root, limits: TemplateLimits(maximumBytes: maximumBytes))
            } catch {
                return error.faults.map(\.code.rawValue).joined()
            }
            do throws(TemplateError) {
                let resolved = try compiled.resolve(in: sample.context, secrets: sample.secrets)
                #expect(resolved.value.count <= maximumBytes && resolved.redacted.count <= maximumBytes)
                return "fine"
            } catch {
                return error.code.rawValue
            }
        }
        let cases = [
            (#"["abcdef"]"#, 10), (#"["{{ signal.data.text }}"]"#, 11),
            (#""{{ signal.data.text }}: {{ run.id }}""#, 13),
            (#""{{ secret:token }}""#, 20), (#""{{ signal.data.list }}""#, 34),
            (#""{{ 'ab' | replace('b', 'cdefg') }}""#, 8),
            (#"["{{ signal.data.text | base64 | length }}"]"#, 12), (#""{{ 'ab' }}{{ 'c' }}""#, 5),
        ]
        for (template, needed) in cases {
            #expect(try outcome(template, needed) == "fine", "\(template)")
            #expect(try outcome(template, needed - 1) == "too_large", "\(template)")
        }
    }

    @Test("functions that make much of little are stopped on the way")
    func growth() throws {
        var sample = self.sample
        let long = String(repeating: "a", count: 200_000)
        sample.context.steps["long"] = TemplateContext.Step(
            status: "succeeded",
            output: try JSONDocument(parsing: #"{"a":"\#(long)","b":"\#(long)b"}"#).root
        )
        let cases = [
            ("steps.long.output.a | replace('a', steps.long.output.a)", "too_large"),
            ("steps.long.output.a | url_encode | base64", "too_large"),
            ("steps.long.output.a | split('a') | join(steps.long.output.a)", "too_large"),
            ("steps.long.output.a | split('a') | json", "too_large"),
            ("steps.long.output.a | base64 | base64", "too_large"),
            ("steps.long.output", "too_large"),
        ]
        for (expression, code) in cases {
            #expect(try sample.error(of: Sample.template(of: expression)).code.rawValue == code, "\(expression)")
        }
        // The naive search needs 4 · 10¹⁰ comparisons for this.
        let started = ContinuousClock.now
        #expect(try sample.evaluate("steps.long.output.a | replace(steps.long.output.b, '') | length") == "200000")
        #expect(ContinuousClock.now - started < .seconds(20))
    }

    @Test("the work of all expressions together is bounded, when compiling and when resolving")
    func work() throws {
        var sample = self.sample
        let long = String(repeating: "a", count: 200_000)
        let members = (0..<20_000).map { #""m\#($0)":0"# }.joined(separator: ",")
        sample.context.steps["long"] = TemplateContext.Step(
            status: "succeeded",
            output: try JSONDocument(parsing: #"{"a":"\#(long)","o":{\#(members)}}"#).root
        )
        func template(_ expression: String, _ count: Int) -> String {
            text(String(repeating: "{{ \(expression) }}", count: count))
        }
        let upper = "steps.long.output.a | upper | lower | length"
        #expect(try sample.resolve(template(upper, 8)).count == 8 * 6 + 2)
        for expression in [upper, "steps.long.output.a | length", "steps.long.output.a | sha256"] {
            #expect(try sample.error(of: template(expression, 100)).code == .tooCostly)
        }
        #expect(try sample.resolve(template("steps.long.output.o.m19999", 256)).count == 258)
        sample.context.steps["two"] = sample.context.steps["long"]
        let lookups = template("steps.long.output.o.m19999 | default(steps.two.output.o.m7)", 256)
        #expect(try sample.error(of: lookups).code == .tooCostly)
        let constant =
            "'\(String(repeating: "a", count: 1000))' | replace('a', '\(String(repeating: "b", count: 200))') | length"
        #expect(try sample.resolve(template(constant, 20)).count == 20 * 6 + 2)
        let faults = try sample.faults(of: template(constant, 100))
        #expect(faults.first?.code == .tooCostly && faults.count <= 64)
    }
}
