import JSON
import Templates
import TestSupport
import Testing

@Suite("Templates from random text and random JSON")
struct TemplateFuzzTests {
    /// Pieces that are likely to touch a rule.
    private static let pieces = [
        "{{", "}}", "{{ ", " }}", "{", "}", "|", " | ", "(", ")", ",", ".", "[", "]", "'", "\"", "\\", " ", "\n", "-1",
        "0", "2",
        "1e5", "true", "null", "signal", "signal.data", ".a", "['b c']", "[0]", "[-1]", "steps.one.output", "run.id",
        "automation.version", "secret:token", "secret:", "default(", "default('x')", "upper", "trim", "length",
        "join(',')",
        "split(',')", "first", "last", "replace('a', '\u{1F600}')", "json", "parse_json", "string", "number", "base64",
        "sha256", "url_encode", "a", "é", "e\u{301}", "\u{1F600}", "\u{0}", "\u{FFFF}", "{{ signal.data.a }}",
        "{{ secret:token }}", "{{ signal.data | json }}", "{{ 'a,b' | split(',') }}",
    ]

    private static let chains = [
        "upper", "lower", "trim", "length", "join('{{')", "split('a')", "first", "last", "replace('a', '}}')", "json",
        "parse_json", "string", "number", "base64", "sha256", "url_encode", "default(signal.data)", "default('\\n')",
    ]

    /// What no template and no event holds.
    private static let canary = "c4n4ry\"\\\u{1F600}\u{1}"

    @Test("arbitrary text never traps: it is refused, or comes to valid JSON, or to an error")
    func text() throws {
        var random = SeededGenerator.random()
        var counts = (refused: 0, resolved: 0, failed: 0)
        for _ in 0..<6000 {
            let count = Int.random(in: 0...10, using: &random)
            let text = (0..<count).map { _ in Self.pieces.randomElement(using: &random) ?? "" }.joined()
            try run(.string(text), using: &random, &counts)
        }
        #expect(counts.refused > 500 && counts.resolved > 500 && counts.failed > 20, "\(counts)")
    }

    @Test("arbitrary JSON with expressions in it comes to valid JSON, or to an error")
    func documents() throws {
        var random = SeededGenerator.random()
        var counts = (refused: 0, resolved: 0, failed: 0)
        for _ in 0..<1500 {
            try run(value(depth: 4, using: &random, string: expressions), using: &random, &counts)
        }
        #expect(counts.resolved > 200 && counts.failed > 200, "\(counts)")
    }

    private func run(
        _ template: JSONValue,
        using random: inout SeededGenerator,
        _ counts: inout (refused: Int, resolved: Int, failed: Int)
    ) throws {
        var writer = JSONWriter()
        write(template, to: &writer)
        let document = try JSONDocument(parsing: writer.bytes)
        let limits = TemplateLimits(maximumBytes: Int.random(in: 1...20, using: &random) == 1 ? 30 : 4000)
        let compiled: Template
        do throws(TemplateFaults) {
            compiled = try Template(compiling: document.root, limits: limits)
        } catch {
            counts.refused += 1
            #expect(!error.faults.isEmpty && error.faults.count <= 64)
            for fault in error.faults {
                let view = try #require(document.root[fault.pointer], "\(fault)")
                let length = view.stringValue?.unicodeScalars.count ?? 0
                #expect(fault.column.map { (1...length + 1).contains($0) } ?? true, "\(fault)")
            }
            return
        }
        let faults = compiled.check(steps: ["one"])
        let context = try context(using: &random)
        do throws(TemplateError) {
            let resolved = try compiled.resolve(in: context, secrets: ["token": Self.canary])
            counts.resolved += 1
            expectSound(resolved, compiled, limits)
        } catch {
            counts.failed += 1
            #expect(document.root[error.pointer]?.kind == .string, "\(error)")
            #expect(!error.description.contains("c4n4ry"))
            #expect(error.code != .unknownReference || !faults.isEmpty, "\(error)")
        }
    }

    private func expectSound(_ resolved: ResolvedInput, _ template: Template, _ limits: TemplateLimits) {
        for bytes in [resolved.value, resolved.redacted] {
            #expect(bytes.count <= limits.maximumBytes)
            #expect(throws: Never.self, "\(resolved)") { try JSONDocument(parsing: bytes) }
        }
        let hasSecret = resolved.value.firstRange(of: Array("c4n4ry".utf8)) != nil
        #expect(hasSecret == !template.secrets.isEmpty)
        #expect(resolved.redacted.firstRange(of: Array("c4n4ry".utf8)) == nil)
        #expect(template.secrets.isEmpty == (resolved.value == resolved.redacted))
    }

    // MARK: - Random values

    private func expressions(using random: inout SeededGenerator) -> String {
        let paths = [
            "signal.data", "signal.data.a", "signal.data['b c'][0]", "signal.data[-1]", "steps.one.output", "'a\\'b'",
            "12.50", "run.dry_run", "automation.name", "signal.metadata", "null",
        ]
        let count = [0, 1, 1, 1, 2].randomElement(using: &random) ?? 0
        let texts = (0..<count).map { _ in
            guard Int.random(in: 0..<6, using: &random) > 0 else { return "{{ secret:token }}" }
            var text = "{{" + (paths.randomElement(using: &random) ?? "")
            if Bool.random(using: &random) { text += " | default(signal.data.b)" }
            if Int.random(in: 0..<4, using: &random) == 0 {
                text += "|" + (Self.chains.randomElement(using: &random) ?? "")
            }
            return text + " }}"
        }
        return texts.joined(separator: Bool.random(using: &random) ? "" : " \"\\é ")
    }

    private func plain(using random: inout SeededGenerator) -> String {
        let pieces = [
            "a", "1", " ", "\"", "\\", "\n", "\u{0}", "é", "\u{1F600}", "{{ secret:token }}", "[1]", "{}", ",",
        ]
        return (0..<Int.random(in: 0...4, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
            .joined()
    }

    private func value(
        depth: Int,
        using random: inout SeededGenerator,
        string: (inout SeededGenerator) -> String
    ) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return JSONNumber("-1\(Int.random(in: 0...99, using: &random)).50e3").map { .number($0) } ?? .null
        case 3, 4, 5: return .string(string(&random))
        case 6: return .array((0..<3).map { _ in value(depth: depth - 1, using: &random, string: string) })
        default:
            let names = ["a", "b", "b c", "{{ x }}", ""].prefix(Int.random(in: 0...5, using: &random))
            return .object(names.map { JSONMember($0, value(depth: depth - 1, using: &random, string: string)) })
        }
    }

    private func context(using random: inout SeededGenerator) throws -> TemplateContext {
        func view(_ value: JSONValue) throws -> JSONView {
            var writer = JSONWriter()
            write(value, to: &writer)
            return try JSONDocument(parsing: writer.bytes).root
        }
        let data = value(depth: 3, using: &random, string: plain)
        let signal = try view(["id": "1", "data": data])
        return TemplateContext(
            signal: signal,
            metadata: Bool.random(using: &random) ? signal : nil,
            steps: ["one": TemplateContext.Step(status: "succeeded", output: try view(data))],
            run: TemplateContext.Run(id: "r", isDryRun: false),
            automation: TemplateContext.Automation(id: "a", key: "k", version: 1, name: "\u{0}\"é")
        )
    }

    private func write(_ value: JSONValue, to writer: inout JSONWriter) {
        switch value {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .number(let number): writer.raw(number.text.utf8)
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
