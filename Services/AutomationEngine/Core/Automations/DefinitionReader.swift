import Domain
import EventPattern
import JSON

/// Reads a definition strictly, and names all its faults at once.
///
/// What the engine does not execute is refused by name, never accepted and ignored.
struct DefinitionReader {
    /// A definition has at most this many steps.
    static let maximumSteps = 100

    /// Whose definition is read, which decides how strictly.
    enum Origin: Sendable {
        /// Somebody writes it, or activates it: inputs are held against the schemas of their actions too.
        case author
        /// It was taken once, and goes on as it is: a schema that was stricter then, or is now, stops no run.
        case storage
    }

    let registry: ActionRegistry
    let origin: Origin
    /// The faults found so far.
    private(set) var faults: [DefinitionFault] = []

    init(registry: ActionRegistry, from origin: Origin) {
        self.registry = registry
        self.origin = origin
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
        refuseUnknown(
            definition,
            known: Self.admissionMembers.union(["trigger", "steps", "branches"]),
            at: pointer
        )
        let triggerPointer = pointer.appending("trigger")
        let trigger = readTrigger(definition["trigger"], at: triggerPointer)
        let filter = readPattern(definition["trigger"]?["filter"], at: triggerPointer.appending("filter"))
        let (steps, branches) = readSteps(of: definition, at: pointer)
        let admission = readAdmission(definition, at: pointer)
        guard faults.isEmpty, let trigger else {
            return .faults(faults)
        }
        return .definition(
            AutomationDefinition(
                trigger: trigger,
                filter: filter,
                steps: steps,
                branches: branches,
                admission: admission
            )
        )
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
        refuseUnknown(trigger, known: ["signalType", "filter"], at: pointer)
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

    /// Reads a pattern, which every part of a definition that has one states in the same form.
    mutating func readPattern(_ pattern: JSONView?, at pointer: JSONPointer) -> EventPattern? {
        guard let pattern else {
            return nil
        }
        do throws(EventPatternError) {
            return try EventPattern(compiling: pattern, at: pointer)
        } catch {
            for fault in error.faults {
                add(fault.pointer, fault.code.rawValue, fault.detail)
            }
            return nil
        }
    }

    /// The action of a step, if one is registered by this name.
    mutating func readAction(_ actionKey: JSONView?, at pointer: JSONPointer) -> StepAction? {
        guard let actionKey else {
            add(pointer, "required", "A step needs an action_key.")
            return nil
        }
        guard let key = actionKey.stringValue else {
            add(pointer, "invalid_type", "The action_key must be a string.")
            return nil
        }
        if let action = registry.action(key) {
            return action
        }
        guard origin == .storage, ActionKey.isRegistrable(key) else {
            add(pointer, "unknown_action", "No action \"\(key)\" is registered; GET /admin/api/actions lists them.")
            return nil
        }
        // It was registered once. What has begun comes as far as its step.
        return .remote(RemoteAction(key: key))
    }

    /// Names every member of an object that is not known there.
    mutating func refuseUnknown(_ object: JSONView, known: Set<String>, at pointer: JSONPointer) {
        for member in object.members where !known.contains(member.key) {
            add(pointer.appending(member.key), "unknown_member", "There is no member \"\(member.key)\" here.")
        }
    }

    /// Notes a fault.
    mutating func add(_ pointer: JSONPointer, _ code: String, _ detail: String) {
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
