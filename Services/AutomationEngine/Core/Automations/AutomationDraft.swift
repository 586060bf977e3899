import Contracts
import Domain
import JSON

/// A new automation as a client asks for it, validated.
struct AutomationDraft: Sendable {
    var key: String
    var name: String
    var description: String?
    /// As the client wrote it.
    var definition: [UInt8]
    var compiled: AutomationDefinition

    /// Reads the body of `POST /admin/api/automations`.
    ///
    /// - Throws: All faults of the body, as a `Problem`.
    init(_ body: JSONView, registry: ActionRegistry) throws {
        var reader = try AutomationBodyReader(body, registry: registry)
        reader.refuseUnknown(
            besides: ["automation_key", "name", "description", "definition"],
            status: (.draft, "A new automation is always a draft; activate it once it is created.")
        )
        let key = reader.readKey(isRequired: true)
        let name = reader.readName(isRequired: true)
        description = reader.readDescription()
        let definition = reader.readDefinition(isRequired: true)
        guard reader.faults.isEmpty, let key, let name, let definition else {
            throw Problem.definition(reader.faults)
        }
        self.key = key
        self.name = name
        self.definition = definition.bytes
        compiled = definition.compiled
    }
}
