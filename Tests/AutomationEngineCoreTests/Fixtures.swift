import Domain
import EventPattern
import FoundationEssentials
import JSON
import Templates

@testable import AutomationEngineCore

/// Signals and automations of the tests, made as the engine makes them.
enum Fixtures {
    /// A signal as the gateway stamps it.
    static func signal(
        _ type: String = "a.b",
        tenant: String = "acme",
        data: String = "{}",
        depth: Int? = nil,
        requester: String? = nil
    ) throws -> IncomingSignal {
        let id = UUIDv7.make().lowercased
        let more =
            (depth.map { #","batutadepth":\#($0)"# } ?? "")
            + (requester.map { #","batutarequester":"\#($0)""# } ?? "")
        let event = """
            {"specversion":"1.0","id":"1","source":"/test","type":"\(type)","batutasignalid":"\(id)",\
            "traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"\(more),"data":\(data)}
            """
        return try IncomingSignal(JSONDocument(parsing: event).root, tenant: tenant)
    }

    /// An automation, read from a definition.
    static func automation(
        _ definition: String,
        key: String = "one",
        tenant: String = "acme",
        id: UUID = UUIDv7.make()
    ) throws -> CompiledAutomation {
        var reader = DefinitionReader(registry: .builtIn, from: .storage)
        switch reader.read(try JSONDocument(parsing: definition).root, at: JSONPointer()) {
        case .definition(let definition):
            return CompiledAutomation(
                id: id,
                tenant: tenant,
                key: key,
                name: "One",
                version: 3,
                definition: definition
            )
        case .faults(let faults):
            throw UnexpectedFaults(faults: faults)
        }
    }

    /// An automation on `a.b` with these steps.
    static func automation(steps: String...) throws -> CompiledAutomation {
        try automation(#"{"trigger":{"signalType":"a.b"},"steps":[\#(steps.joined(separator: ","))]}"#)
    }

    struct UnexpectedFaults: Error {
        var faults: [DefinitionFault]
    }
}
