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
        let trigger = try #require(SignalTrigger(signalType))
        return CompiledAutomation(
            id: id,
            tenant: tenant,
            key: key,
            version: 1,
            definition: AutomationDefinition(trigger: trigger, steps: [])
        )
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
        #expect(index.matches(tenant: "acme", type: "github.push").map(\.key) == ["a", "b"])
        #expect(index.matches(tenant: "acme", type: "github.pull_request.opened").map(\.key) == ["a", "c"])
        #expect(index.matches(tenant: "acme", type: "github").isEmpty)
        #expect(index.matches(tenant: "other", type: "github.push").map(\.key) == ["d"])
        #expect(index.matches(tenant: "nobody", type: "github.push").isEmpty)
    }

    @Test("a change takes the place of what was there")
    func update() throws {
        var index = AutomationIndex()
        let id = UUIDv7.make()
        index.update(id, to: try automation("a", on: "x", id: id))
        index.update(id, to: try automation("a", on: "y.*", id: id))
        #expect(index.matches(tenant: "acme", type: "x").isEmpty)
        #expect(index.matches(tenant: "acme", type: "y.z").map(\.key) == ["a"])
        index.update(id, to: nil)
        #expect(index.matches(tenant: "acme", type: "y.z").isEmpty)
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
            #expect(Set(index.matches(tenant: "acme", type: type).map(\.key)) == expected, "\(type)")
        }
    }
}
