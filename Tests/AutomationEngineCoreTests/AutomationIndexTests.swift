import Domain
import FoundationEssentials
import Testing

@testable import AutomationEngineCore

@Suite("Index of automations")
struct AutomationIndexTests {
    private func automation(
        _ key: String,
        tenant: String = "acme",
        on signalType: String,
        id: UUID = UUIDv7.make()
    ) throws -> CompiledAutomation {
        try Fixtures.automation(
            #"{"trigger":{"signalType":"\#(signalType)"},"steps":[{"action_key":"data.transform"}]}"#,
            key: key,
            tenant: tenant,
            id: id
        )
    }

    private func matches(_ index: AutomationIndex, tenant: String = "acme", _ type: String) throws -> [String] {
        index.matches(try Fixtures.signal(type, tenant: tenant)).map(\.key)
    }

    @Test("exact types and families match, within a tenant, sorted by key")
    func matches() throws {
        var index = AutomationIndex()
        for automation in [
            try automation("b", on: "github.push"), try automation("a", on: "github.*"),
            try automation("c", on: "github.pull_request.*"), try automation("d", tenant: "other", on: "github.push"),
        ] {
            index.update(automation.id, to: automation)
        }
        #expect(try matches(index, "github.push") == ["a", "b"])
        #expect(try matches(index, "github.pull_request.opened") == ["a", "c"])
        #expect(try matches(index, "github").isEmpty)
        #expect(try matches(index, tenant: "other", "github.push") == ["d"])
        #expect(try matches(index, tenant: "nobody", "github.push").isEmpty)
    }

    @Test("a change takes the place of what was there")
    func update() throws {
        var index = AutomationIndex()
        let id = UUIDv7.make()
        index.update(id, to: try automation("a", on: "x", id: id))
        index.update(id, to: try automation("a", on: "y.*", id: id))
        #expect(try matches(index, "x").isEmpty)
        #expect(try matches(index, "y.z") == ["a"])
        index.update(id, to: nil)
        #expect(try matches(index, "y.z").isEmpty)
        #expect(index.count == 0)
    }

    @Test("the generation never goes back")
    func generation() {
        var index = AutomationIndex(generation: 3)
        index.reached(5)
        index.reached(4)
        #expect(index.generation == 5)
    }

    @Test("the index agrees with a scan of all automations")
    func agrees() throws {
        var generator = SystemRandomNumberGenerator()
        let segments = ["a", "b", "c"]
        func type(_ generator: inout some RandomNumberGenerator) -> String {
            (0..<Int.random(in: 1...4, using: &generator))
                .map { _ in segments.randomElement(using: &generator) ?? "a" }.joined(separator: ".")
        }
        var index = AutomationIndex()
        var all: [CompiledAutomation] = []
        for number in 0..<300 {
            let signalType = type(&generator) + (Bool.random(using: &generator) ? ".*" : "")
            let automation = try automation("k\(number)", on: signalType)
            all.append(automation)
            index.update(automation.id, to: automation)
        }
        for _ in 0..<500 {
            let type = type(&generator)
            let expected = Set(all.filter { $0.trigger.matches(type) }.map(\.key))
            #expect(Set(index.matches(try Fixtures.signal(type)).map(\.key)) == expected, "\(type)")
        }
    }
}
