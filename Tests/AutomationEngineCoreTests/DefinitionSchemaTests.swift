import JSON
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
        #expect(url.allSatisfy { $0.arrayValue?.count == 2 }, "a template may stand in the place of a member")
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
            var reader = DefinitionReader(registry: .builtIn)
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
