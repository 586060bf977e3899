import JSON
import JSONSchema
import Testing

@testable import AutomationEngineCore

@Suite struct DefinitionSchemaTests {
    private let schema = DefinitionSchema.automation(.builtIn)

    @Test("names every action, with its input")
    func actions() throws {
        let step = try #require(schema["$defs"]?["step"])
        let keys = ActionRegistry.builtIn.actions.keys.sorted()
        #expect(step["properties"]?["action_key"]?["enum"]?.arrayValue?.compactMap(\.stringValue) == keys)
        let conditions = step["allOf"]?.arrayValue ?? []
        #expect(
            conditions.compactMap { $0["if"]?["properties"]?["action_key"]?["const"]?.stringValue } == keys
        )
        let url = conditions.compactMap { $0["then"]?["properties"]?["input"]?["properties"]?["url"]?["anyOf"] }
        #expect(url.count == 2)
        #expect(url.allSatisfy { $0.arrayValue?.count == 2 }, "a template may stand in the place of a member")
    }

    @Test("takes what the reader takes, templates in the place of any value included, and refuses what it refuses")
    func agrees() throws {
        let compiled = try JSONSchema(compiling: try JSONDocument(parsing: try schema.canonicalBytes()).root)
        for (action, input, isSound) in [
            ("http.request", #"{"url":"https://x.org","expect":["{{ signal.data.n }}",404],"body":{"a":[1]}}"#, true),
            ("http.request", #"{"url":"{{ signal.data.u }}","headers":{"a":"{{ secret:a }}"}}"#, true),
            ("http.request", #"{"url":"https://x.org","method":"post"}"#, false),
            ("http.request", #"{"url":"https://x.org","more":1}"#, false), ("http.request", "{}", false),
            ("signal.emit", #"{"type":"a.b","data":[1,"{{ signal.data }}"]}"#, true),
            ("signal.emit", #"{"type":"a.b","subject":1}"#, false),
            ("flow.delay", #"{"for":"{{ signal.data.pause }}"}"#, true), ("flow.delay", #"{"for":"5"}"#, false),
            ("flow.delay", "{}", false), ("data.transform", "[]", false), ("no.such", "{}", false),
            ("notify.webhook", #"{"url":"https://x.org","payload":null,"secret":"{{ secret:key }}"}"#, true),
            ("notify.webhook", #"{"url":"https://x.org"}"#, false),
        ] {
            let definition =
                #"{"trigger":{"signalType":"a"},"steps":[{"action_key":"\#(action)","input":\#(input)}]}"#
            var reader = DefinitionReader(registry: .builtIn, from: .author)
            _ = reader.read(try JSONDocument(parsing: definition).root, at: .root)
            #expect(reader.faults.isEmpty == isSound, "\(definition)")
            let body = try JSONDocument(parsing: #"{"automation_key":"a","name":"A","definition":\#(definition)}"#)
            #expect(compiled.isValid(body.root) == isSound, "\(compiled.violations(in: body.root))")
        }
    }

    @Test("names the members that the reader takes, and no other")
    func members() throws {
        let step = try #require(schema["$defs"]?["step"]?["properties"])
        guard case .object(let members) = step else {
            Issue.record("the properties are no object")
            return
        }
        for member in members.map(\.key) + ["for_each", "nonsense"] {
            let definition = """
                {"trigger":{"signalType":"a"},"steps":[{"action_key":"data.transform","\(member)":{"x":[1]}}]}
                """
            guard member != "action_key" else { continue }
            var reader = DefinitionReader(registry: .builtIn, from: .author)
            let outcome = reader.read(try JSONDocument(parsing: definition).root, at: .root)
            var isKnown = true
            if case .faults(let faults) = outcome {
                isKnown = !faults.contains {
                    ["unknown_member", "unsupported"].contains($0.code) && $0.pointer.text.hasSuffix("/\(member)")
                }
            }
            #expect(isKnown == members.contains { $0.key == member }, "\(member)")
        }
    }
}
