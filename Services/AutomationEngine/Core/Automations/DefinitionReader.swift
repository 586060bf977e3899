import Domain
import JSON

/// Reads a definition strictly, and names all its faults at once.
///
/// What the engine does not execute is refused by name, never accepted and ignored.
struct DefinitionReader {
    /// A definition has at most this many steps.
    static let maximumSteps = 100

    private let registry: ActionRegistry
    private var faults: [DefinitionFault] = []

    init(registry: ActionRegistry) {
        self.registry = registry
    }

    /// What was read: a definition, or its faults.
    enum Outcome: Sendable {
        case definition(AutomationDefinition)
        case faults([DefinitionFault])
    }

    /// Reads a definition.
    ///
    /// - Parameters:
    ///   - definition: The value of the member `definition`.
    ///   - pointer: Where it stands in the request's body.
    /// - Returns: The definition, or all its faults.
    mutating func read(_ definition: JSONView, at pointer: JSONPointer) -> Outcome {
        faults = []
        guard definition.kind == .object else {
            return .faults([fault(pointer, "invalid_type", "The definition must be an object.")])
        }
        refuseUnknown(definition, known: ["trigger", "steps"], unsupported: [], at: pointer)
        let trigger = readTrigger(definition["trigger"], at: pointer.appending("trigger"))
        let steps = readSteps(definition["steps"], at: pointer.appending("steps"))
        guard faults.isEmpty, let trigger else {
            return .faults(faults)
        }
        return .definition(AutomationDefinition(trigger: trigger, steps: steps))
    }

    private mutating func readTrigger(_ trigger: JSONView?, at pointer: JSONPointer) -> SignalTrigger? {
        guard let trigger else {
            add(pointer, "required", "The definition needs a trigger.")
            return nil
        }
        guard trigger.kind == .object else {
            add(pointer, "invalid_type", "The trigger must be an object.")
            return nil
        }
        refuseUnknown(trigger, known: ["signalType"], unsupported: ["filter"], at: pointer)
        let typePointer = pointer.appending("signalType")
        guard let signalType = trigger["signalType"] else {
            add(typePointer, "required", "The trigger needs a signalType.")
            return nil
        }
        guard let text = signalType.stringValue, let read = SignalTrigger(text), text.isPlainText else {
            add(
                typePointer,
                "invalid_signal_type",
                "The signalType must be a signal's type of 1 to 255 bytes, or a family such as \"orders.*\"."
            )
            return nil
        }
        return read
    }

    private mutating func readSteps(_ steps: JSONView?, at pointer: JSONPointer) -> [AutomationDefinition.Step] {
        guard let steps else {
            add(pointer, "required", "The definition needs steps.")
            return []
        }
        guard steps.kind == .array else {
            add(pointer, "invalid_type", "The steps must be an array.")
            return []
        }
        var read: [AutomationDefinition.Step] = []
        var names: Set<String> = []
        for (index, step) in steps.elements.enumerated() {
            guard index < Self.maximumSteps else {
                add(pointer, "too_many_steps", "A definition has at most \(Self.maximumSteps) steps.")
                return read
            }
            let stepPointer = pointer.appending(index)
            guard let step = readStep(step, index: index, at: stepPointer) else {
                continue
            }
            if !names.insert(step.name).inserted {
                add(stepPointer.appending("name"), "duplicate_name", "Two steps are named \"\(step.name)\".")
            }
            read.append(step)
        }
        if read.isEmpty, faults.isEmpty {
            add(pointer, "empty", "The definition needs at least one step.")
        }
        return read
    }

    private mutating func readStep(
        _ step: JSONView,
        index: Int,
        at pointer: JSONPointer
    ) -> AutomationDefinition.Step? {
        guard step.kind == .object else {
            add(pointer, "invalid_type", "A step must be an object.")
            return nil
        }
        refuseUnknown(
            step,
            known: ["name", "action_key", "input"],
            unsupported: ["when", "retry", "timeout", "on_error", "for_each", "needs", "idempotent"],
            at: pointer
        )
        let name = readName(step["name"], index: index, at: pointer.appending("name"))
        let actionKey = readActionKey(step["action_key"], at: pointer.appending("action_key"))
        let input = readInput(step["input"], at: pointer.appending("input"))
        guard let name, let actionKey, let input else {
            return nil
        }
        return AutomationDefinition.Step(name: name, actionKey: actionKey, input: input)
    }

    private mutating func readName(_ name: JSONView?, index: Int, at pointer: JSONPointer) -> String? {
        guard let name else {
            return "step-\(index + 1)"
        }
        guard let text = name.stringValue, text.isStepName else {
            add(
                pointer,
                "invalid_name",
                "A step's name is 1 to 63 characters of a-z, 0-9, \"_\" and \"-\", beginning with a letter."
            )
            return nil
        }
        return text
    }

    private mutating func readActionKey(_ actionKey: JSONView?, at pointer: JSONPointer) -> String? {
        guard let actionKey else {
            add(pointer, "required", "A step needs an action_key.")
            return nil
        }
        guard let key = actionKey.stringValue else {
            add(pointer, "invalid_type", "The action_key must be a string.")
            return nil
        }
        guard registry[key] != nil else {
            add(pointer, "unknown_action", "No action \"\(key)\" is registered; GET /admin/api/actions lists them.")
            return nil
        }
        return key
    }

    private mutating func readInput(_ input: JSONView?, at pointer: JSONPointer) -> [UInt8]? {
        guard let input else {
            return Array("{}".utf8)
        }
        guard input.kind == .object else {
            add(pointer, "invalid_type", "The input must be an object.")
            return nil
        }
        let value = input.value
        let before = faults.count
        checkValue(value, at: pointer)
        guard faults.count == before else {
            return nil
        }
        do {
            return try value.canonicalBytes()
        } catch {
            add(pointer, "invalid_number", "A number in the input cannot be kept exactly.")
            return nil
        }
    }

    /// Refuses templates, which are not executed, and numbers that a double does not keep.
    private mutating func checkValue(_ value: JSONValue, at pointer: JSONPointer) {
        switch value {
        case .null, .bool:
            break
        case .number(let number):
            if !number.survivesDouble {
                add(pointer, "inexact_number", "The number \(number) does not survive a double; write it as a string.")
            }
        case .string(let text):
            if text.contains("{{") {
                add(pointer, "unsupported", "Templates (\"{{ … }}\") are not executed by this release.")
            }
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                checkValue(element, at: pointer.appending(index))
            }
        case .object(let members):
            for member in members {
                checkValue(member.value, at: pointer.appending(member.key))
            }
        }
    }

    private mutating func refuseUnknown(
        _ object: JSONView,
        known: Set<String>,
        unsupported: Set<String>,
        at pointer: JSONPointer
    ) {
        for member in object.members where !known.contains(member.key) {
            if unsupported.contains(member.key) {
                add(
                    pointer.appending(member.key),
                    "unsupported",
                    "\"\(member.key)\" is not executed by this release, so it is not accepted."
                )
            } else {
                add(pointer.appending(member.key), "unknown_member", "There is no member \"\(member.key)\" here.")
            }
        }
    }

    private mutating func add(_ pointer: JSONPointer, _ code: String, _ detail: String) {
        faults.append(fault(pointer, code, detail))
    }

    private func fault(_ pointer: JSONPointer, _ code: String, _ detail: String) -> DefinitionFault {
        DefinitionFault(pointer: pointer, code: code, detail: detail)
    }
}

extension String {
    /// Whether the text has no control character, which no attribute of an event may have.
    var isPlainText: Bool {
        unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
    }

    /// Whether the text is `^[a-z][a-z0-9_-]{0,62}$`.
    var isStepName: Bool {
        let bytes = Array(utf8)
        guard (1...63).contains(bytes.count), let first = bytes.first, first.isLowercaseLetter else {
            return false
        }
        return bytes.allSatisfy {
            $0.isLowercaseLetter || $0.isDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
    }
}
