import Contracts
import Domain
import JSON

/// A change of an automation as a client asks for it, validated; what is absent stays as it is.
struct AutomationEdit: Sendable {
    /// The version that the change is based on, where the body names it.
    var version: Int?
    private var name: String?
    private var description: String?
    private var hasDescription: Bool
    private var definition: [UInt8]?

    /// Reads the body of `PUT /admin/api/automations/{id}`.
    ///
    /// - Throws: All faults of the body, as a `Problem`.
    init(_ body: JSONView, registry: ActionRegistry) throws {
        var reader = try AutomationBodyReader(body, registry: registry)
        reader.refuseUnknown(
            besides: ["name", "description", "definition", "version"],
            status: (nil, "An edit does not change the status; activate and deactivate do.")
        )
        version = reader.readVersion()
        name = reader.readName(isRequired: false)
        description = reader.readDescription()
        hasDescription = body["description"] != nil
        definition = reader.readDefinition(isRequired: false)?.bytes
        guard reader.faults.isEmpty else {
            throw Problem.definition(reader.faults)
        }
    }

    /// What the automation is to hold.
    func applied(to automation: Automation) -> AutomationContent {
        AutomationContent(
            name: name ?? automation.name,
            description: hasDescription ? description : automation.description,
            definition: definition ?? automation.definition
        )
    }
}

/// What a version of an automation holds.
struct AutomationContent: Sendable {
    var name: String
    var description: String?
    /// As its author wrote it.
    var definition: [UInt8]

    /// The content as a document: `name`, `description`, `definition`.
    var bytes: [UInt8] {
        var writer = JSONWriter(capacity: definition.count + 256)
        writer.beginObject()
        writeMembers(to: &writer)
        writer.endObject()
        return writer.bytes
    }

    /// Writes the members of the document.
    func writeMembers(to writer: inout JSONWriter) {
        writer.member("name", name)
        writer.member("description", description)
        writer.member("definition", raw: definition)
    }
}
