import Contracts
import Domain
import FoundationEssentials
import JSON

/// Reads what clients send of an automation, and names all its faults at once.
struct AutomationBodyReader {
    /// A definition as it was sent, and what it says.
    struct Definition: Sendable {
        var bytes: [UInt8]
        var compiled: AutomationDefinition
    }

    private let body: JSONView
    private let registry: ActionRegistry
    /// The faults found so far.
    private(set) var faults: [DefinitionFault] = []

    /// - Throws: A fault where the body is no object.
    init(_ body: JSONView, registry: ActionRegistry) throws(Problem) {
        self.body = body
        self.registry = registry
        guard body.kind == .object else {
            throw Problem.definition([
                DefinitionFault(pointer: JSONPointer(), code: "invalid_type", detail: "The body must be an object.")
            ])
        }
    }

    /// Notes every member that is not known here.
    ///
    /// - Parameters:
    ///   - known: The names of the members there are.
    ///   - status: What the body may say of the status, and what to say where it says anything else.
    mutating func refuseUnknown(besides known: Set<String>, status: (allowed: AutomationStatus?, detail: String)) {
        for member in body.members where !known.contains(member.key) {
            guard member.key == "status" else {
                add(member.key, "unknown_member", "There is no member \"\(member.key)\" here.")
                continue
            }
            if status.allowed == nil || member.value.stringValue != status.allowed?.rawValue {
                add(member.key, "invalid_status_in_body", status.detail)
            }
        }
    }

    /// Reads the key.
    mutating func readKey(isRequired: Bool) -> String? {
        guard isRequired || body["automation_key"] != nil else {
            return nil
        }
        guard let key = body["automation_key"]?.stringValue, key.isAutomationKey else {
            add(
                "automation_key",
                body["automation_key"] == nil ? "required" : "invalid_key",
                "The automation_key is 1 to 100 characters of a-z, 0-9, \".\", \"_\" and \"-\", "
                    + "beginning with a letter, and not shaped like a UUID."
            )
            return nil
        }
        return key
    }

    /// Reads the name.
    mutating func readName(isRequired: Bool) -> String? {
        guard isRequired || body["name"] != nil else {
            return nil
        }
        guard let name = body["name"]?.stringValue, name.isName else {
            add("name", body["name"] == nil ? "required" : "invalid_name", "The name is a text of 1 to 200 characters.")
            return nil
        }
        return name
    }

    /// Reads the description; null says that there is none.
    mutating func readDescription() -> String? {
        guard let view = body["description"], !view.isNull else {
            return nil
        }
        guard let text = view.stringValue, text.utf8.count <= 10_000, !text.utf8.contains(0) else {
            add("description", "invalid_description", "The description is a text of up to 10000 bytes.")
            return nil
        }
        return text
    }

    /// Reads the version that a change is based on.
    mutating func readVersion() -> Int? {
        guard let view = body["version"] else {
            return nil
        }
        guard let version = view.int64Value, version >= 1, let exact = Int(exactly: version) else {
            add(
                "version",
                "invalid_value",
                "The version is the number of the one that the change is based on."
            )
            return nil
        }
        return exact
    }

    /// Reads the definition.
    mutating func readDefinition(isRequired: Bool) -> Definition? {
        guard let definition = body["definition"] else {
            if isRequired {
                add("definition", "required", "The automation needs a definition.")
            }
            return nil
        }
        var reader = DefinitionReader(registry: registry, from: .author)
        switch reader.read(definition, at: JSONPointer().appending("definition")) {
        case .faults(let more):
            faults += more
            return nil
        case .definition(let compiled):
            return Definition(bytes: Array(definition.rawBytes), compiled: compiled)
        }
    }

    private mutating func add(_ member: String, _ code: String, _ detail: String) {
        faults.append(DefinitionFault(pointer: JSONPointer().appending(member), code: code, detail: detail))
    }
}

extension String {
    /// Whether the text can be a readable name.
    var isName: Bool {
        (1...200).contains(count) && isPlainText && contains { !$0.isWhitespace }
    }
}
