import Domain
import FoundationEssentials
import JSON

/// A new automation as a client asks for it, validated.
struct AutomationDraft: Sendable {
    var key: String
    var name: String
    var description: String?
    /// As the client wrote it.
    var definition: [UInt8]
    var compiled: AutomationDefinition

    /// What was read: a draft, or all faults of the body.
    enum Outcome: Sendable {
        case draft(AutomationDraft)
        case faults([DefinitionFault])
    }

    /// Reads the body of `POST /admin/api/automations`.
    static func read(_ body: JSONView, registry: ActionRegistry) -> Outcome {
        let root = JSONPointer()
        guard body.kind == .object else {
            return .faults([DefinitionFault(pointer: root, code: "invalid_type", detail: "The body must be an object.")]
            )
        }
        var faults = unknownMembers(of: body)
        let key = body["automation_key"]?.stringValue
        if !(key?.isAutomationKey ?? false) {
            faults.append(
                DefinitionFault(
                    pointer: root.appending("automation_key"),
                    code: body["automation_key"] == nil ? "required" : "invalid_key",
                    detail: "The automation_key is 1 to 100 characters of a-z, 0-9, \".\", \"_\" and \"-\", "
                        + "beginning with a letter, and not shaped like a UUID."
                )
            )
        }
        let name = body["name"]?.stringValue
        if !(name?.isName ?? false) {
            faults.append(
                DefinitionFault(
                    pointer: root.appending("name"),
                    code: body["name"] == nil ? "required" : "invalid_name",
                    detail: "The name is a text of 1 to 200 characters."
                )
            )
        }
        let (description, descriptionFault) = readDescription(body["description"])
        faults += descriptionFault.map { [$0] } ?? []
        let pointer = root.appending("definition")
        guard let definition = body["definition"] else {
            faults.append(
                DefinitionFault(pointer: pointer, code: "required", detail: "The automation needs a definition.")
            )
            return .faults(faults)
        }
        var reader = DefinitionReader(registry: registry)
        switch reader.read(definition, at: pointer) {
        case .faults(let more):
            return .faults(faults + more)
        case .definition(let compiled):
            guard faults.isEmpty, let key, let name else {
                return .faults(faults)
            }
            return .draft(
                AutomationDraft(
                    key: key,
                    name: name,
                    description: description,
                    definition: Array(definition.rawBytes),
                    compiled: compiled
                )
            )
        }
    }

    private static func readDescription(_ view: JSONView?) -> (String?, DefinitionFault?) {
        guard let view, !view.isNull else {
            return (nil, nil)
        }
        guard let text = view.stringValue, text.utf8.count <= 10_000, !text.utf8.contains(0) else {
            return (
                nil,
                DefinitionFault(
                    pointer: JSONPointer().appending("description"),
                    code: "invalid_description",
                    detail: "The description is a text of up to 10000 bytes."
                )
            )
        }
        return (text, nil)
    }

    private static func unknownMembers(of body: JSONView) -> [DefinitionFault] {
        let known: Set = ["automation_key", "name", "description", "definition"]
        return body.members.compactMap { member in
            guard !known.contains(member.key) else {
                return nil
            }
            let pointer = JSONPointer().appending(member.key)
            guard member.key == "status" else {
                return DefinitionFault(
                    pointer: pointer,
                    code: "unknown_member",
                    detail: "There is no member \"\(member.key)\" here."
                )
            }
            guard member.value.stringValue != AutomationStatus.draft.rawValue else {
                return nil
            }
            return DefinitionFault(
                pointer: pointer,
                code: "invalid_status_in_body",
                detail: "A new automation is always a draft; activate it once it is created."
            )
        }
    }
}

extension String {
    /// Whether the text is `^[a-z][a-z0-9._-]{0,99}$` and not shaped like a UUID.
    var isAutomationKey: Bool {
        let bytes = Array(utf8)
        guard (1...100).contains(bytes.count), let first = bytes.first, first.isLowercaseLetter,
            UUID(uuidString: self) == nil
        else {
            return false
        }
        return bytes.allSatisfy { byte in
            byte.isLowercaseLetter || byte.isDigit || [".", "_", "-"].contains(Character(Unicode.Scalar(byte)))
        }
    }

    /// Whether the text can be a readable name.
    var isName: Bool {
        (1...200).contains(count) && isPlainText && contains { !$0.isWhitespace }
    }
}
