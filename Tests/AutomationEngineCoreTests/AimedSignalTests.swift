import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Testing

@testable import AutomationEngineCore

/// A signal that is aimed at one automation.
@Suite struct AimedSignalTests {
    private static let metadata = #"{\"source\":{\"type\":\"rerun\"},\"rerun_of\":\"r-1\"}"#

    private static func event(_ target: UUID?, type: String = "a.b", more: String = "") -> String {
        let aim = target.map { #","batutatarget":"\#($0.lowercased)","batutametadata":"\#(metadata)""# } ?? ""
        return """
            {"specversion":"1.0","id":"1","source":"/batuta/rerun","type":"\(type)",\
            "batutasignalid":"\(UUIDv7.make().lowercased)"\(aim)\(more),"data":{"n":1}}
            """
    }

    private static func delivery(_ events: [String], version: Int64) -> Delivery {
        let properties = MessageProperties(
            messageID: "m",
            type: ContractType.signalsAccepted,
            headers: ["x-tenant": "acme", "x-schema-version": .int64(version)]
        )
        return Delivery(
            token: Delivery.Token(epoch: 1, tag: 1),
            exchange: "batuta.signals",
            routingKey: "a.b",
            isRedelivered: false,
            properties: properties,
            body: Array("[\(events.joined(separator: ","))]".utf8)
        )
    }

    @Test func itIsReadInItsOwnVersionOnly() throws {
        let target = UUIDv7.make()
        let events = [Self.event(target), Self.event(nil)]
        let aimed = try IncomingSignal.read(Self.delivery(events, version: 2))
        #expect(aimed.map { $0.aim?.target } == [.id(target), nil])
        #expect(aimed[0].aim?.metadata["rerun_of"]?.stringValue == "r-1")
        let ordinary = try IncomingSignal.read(Self.delivery(events, version: 1))
        #expect(ordinary.allSatisfy { $0.aim == nil })
        for version in [0, 3] as [Int64] {
            #expect(throws: UnreadableDelivery.self) {
                try IncomingSignal.read(Self.delivery(events, version: version))
            }
        }
        let broken = Self.event(nil, more: #","batutatarget":"x""#)
        #expect(throws: UnreadableDelivery.self) { try IncomingSignal.read(Self.delivery([broken], version: 2)) }
    }

    @Test("Rule 2: a signal with a target starts it, whatever its type and filter, and nothing else")
    func itStartsItsTargetAndNothingElse() throws {
        func automation(_ key: String, on type: String, filter: String? = nil) throws -> CompiledAutomation {
            let filter = filter.map { #","filter":\#($0)"# } ?? ""
            return try Fixtures.automation(
                #"{"trigger":{"signalType":"\#(type)"\#(filter)},"steps":[{"action_key":"data.transform","input":{}}]}"#,
                key: key
            )
        }
        var index = AutomationIndex()
        let all = [
            try automation("exact", on: "a.b"), try automation("family", on: "a.*"), try automation("other", on: "x.y"),
            try automation("filtered", on: "a.b", filter: #"{"data":{"n":[2]}}"#),
        ]
        for automation in all { index.update(automation.id, to: automation) }
        func matches(_ target: UUID, tenant: String = "acme") throws -> [String] {
            let root = try JSONDocument(parsing: Self.event(target)).root
            return index.matches(try IncomingSignal(root, tenant: tenant)).map(\.key)
        }
        for automation in all { #expect(try matches(automation.id) == [automation.key]) }
        #expect(try matches(all[0].id, tenant: "other").isEmpty)
        #expect(try matches(UUIDv7.make()).isEmpty)
        index.update(all[0].id, to: nil)
        #expect(try matches(all[0].id).isEmpty)
    }

    /// Templates and conditions read the metadata; an attribute of that name is not it.
    @Test func itsMetadataIsReadable() throws {
        let definition = """
            {"trigger":{"signalType":"a.b"},"steps":[
              {"name":"told","action_key":"data.transform",
               "input":{"of":"{{ signal.metadata.rerun_of }}","n":"{{ signal.data.n }}"},
               "when":{"signal":{"metadata":{"source":{"type":["rerun"]}},"data":{"n":[1]}}}},
              {"name":"not","action_key":"data.transform","input":{},
               "when":{"signal":{"metadata":{"source":{"type":["manual"]}}}}}]}
            """
        let automation = try Fixtures.automation(definition)
        let event = try JSONDocument(parsing: Self.event(automation.id, more: #","metadata":"mine""#)).root
        let signal = try IncomingSignal(event, tenant: "acme")
        var machine = RunMachine(automation, signal: signal, runID: UUIDv7.make(), at: TestEngine.now)
        #expect(machine.resumed(at: TestEngine.now) == .end)
        #expect(machine.record.steps.map(\.status) == [.succeeded, .skipped])
        let output = try JSONValue(parsing: #require(machine.record.steps[0].output))
        #expect(output == ["of": "r-1", "n": 1])
    }
}
