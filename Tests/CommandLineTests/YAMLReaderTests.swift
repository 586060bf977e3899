import JSON
import Testing

@testable import CommandLineCore

/// YAML, read as JSON.
@Suite struct YAMLReaderTests {
    private func read(_ yaml: String) throws -> String {
        let documents = try YAMLReader.documents(yaml)
        return String(decoding: try #require(documents.first).json.root.rawBytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("a: 1", #"{"a":1}"#), ("a: -1.50e3", #"{"a":-1.50e3}"#), ("a: true", #"{"a":true}"#), ("a:", #"{"a":null}"#),
        ("a: ~", #"{"a":null}"#), ("a: null", #"{"a":null}"#), ("a: 'true'", #"{"a":"true"}"#),
        ("a: \"1\"", #"{"a":"1"}"#), ("a: 'null'", #"{"a":"null"}"#), ("a: ''", #"{"a":""}"#),
        // What YAML 1.1 would take for something else.
        ("a: no", #"{"a":"no"}"#), ("on: yes", #"{"on":"yes"}"#), ("a: 0o17", #"{"a":"0o17"}"#),
        ("a: 017", #"{"a":"017"}"#), ("a: 1_000", #"{"a":"1_000"}"#), ("a: 2026-11-21", #"{"a":"2026-11-21"}"#),
        ("a: 12:30:45", #"{"a":"12:30:45"}"#), ("a: .inf", #"{"a":".inf"}"#), ("a: True", #"{"a":"True"}"#),
        ("a: [1, {b: c}]", #"{"a":[1,{"b":"c"}]}"#), ("a: |\n  x\n  y\n", #"{"a":"x\ny\n"}"#),
        ("a: &x {n: 1}\nb: *x", #"{"a":{"n":1},"b":{"n":1}}"#), (#"{"a": [1, "b"]}"#, #"{"a":[1,"b"]}"#),
        ("a: \"{{ signal.data.x }}\"", #"{"a":"{{ signal.data.x }}"}"#), ("1: x", #"{"1":"x"}"#),
    ])
    func scalars(yaml: String, json: String) throws {
        #expect(try read(yaml) == json)
    }

    @Test func severalDocumentsAndNoneAreRead() throws {
        #expect(
            try YAMLReader.documents("a: 1\n---\nb: 2\n---\n").map { $0.json.root.members.map(\.key) } == [
                ["a"], ["b"],
            ]
        )
        #expect(try YAMLReader.documents("# nothing\n").isEmpty)
    }

    @Test func aPointerLeadsToItsLine() throws {
        let document = try #require(
            try YAMLReader.documents("automation_key: a\ndefinition:\n  steps:\n    - name: one\n    - name: two\n")
                .first
        )
        #expect(document.line(of: "/automation_key") == 1)
        #expect(document.line(of: "/definition/steps/1/name") == 5)
        #expect(document.line(of: "/definition/steps/1/action_key") == 5)
        #expect(document.line(of: "/nothing") == 1)
    }

    @Test(arguments: [
        ("a: [1", "line"), ("a: 1\na: 2", "a"), ("? [a]\n: 1", "line 1: a name must be a text"), ("a: *x", "alias"),
        ("a: \u{1}", "control"),
    ])
    func whatCannotBeReadIsRefused(yaml: String, reason: String) throws {
        let error = try #require(throws: CommandLineError.self) { try YAMLReader.documents(yaml) }
        #expect(error.message.contains(reason), "\(error.message)")
    }

    @Test func aliasesCannotMakeADocumentEndless() throws {
        var yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            yaml += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let error = try #require(throws: CommandLineError.self) { try YAMLReader.documents(yaml) }
        #expect(error.message.contains("longer than"))
        let deep = String(repeating: "[", count: 80) + String(repeating: "]", count: 80)
        #expect(throws: CommandLineError.self) { try YAMLReader.documents(deep) }
    }
}
