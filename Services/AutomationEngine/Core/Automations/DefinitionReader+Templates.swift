import JSON
import Templates

extension DefinitionReader {
    /// How many items of a step are in hand at once at most.
    static let maximumConcurrency: Int64 = 50
    /// The items that a step has at most.
    static let maximumItems: Int64 = 1_000

    /// What the templates and patterns of one step may read.
    struct StepReading {
        var ancestors: Set<String>
        var scope: StepScope
        var hasItem: Bool
    }

    /// Reads an input, which is an object and a template.
    mutating func readInput(
        _ input: JSONView?,
        _ reading: StepReading,
        at pointer: JSONPointer
    ) -> Template? {
        guard let view = input ?? (try? JSONDocument(parsing: "{}").root) else {
            return nil
        }
        guard view.kind == .object else {
            add(pointer, "invalid_type", "The input must be an object.")
            return nil
        }
        return readTemplate(view, reading, at: pointer)
    }

    private mutating func readTemplate(
        _ view: JSONView,
        _ reading: StepReading,
        at pointer: JSONPointer
    ) -> Template? {
        let before = faults.count
        checkNumbers(view, at: pointer)
        do throws(TemplateFaults) {
            let template = try Template(compiling: view, at: pointer)
            let known = reading.ancestors.union(reading.scope.positions.keys)
            for fault in template.check(steps: known, hasItem: reading.hasItem) {
                add(fault.pointer, fault.code.rawValue, fault.message)
            }
            for reference in template.references {
                if let step = reference.step, known.contains(step), !reading.ancestors.contains(step) {
                    addNotNeeded(step, at: reference.pointer)
                }
            }
            return faults.count == before ? template : nil
        } catch {
            for fault in error.faults {
                add(fault.pointer, fault.code.rawValue, fault.message)
            }
            return nil
        }
    }

    /// Refuses a pattern that reads steps of which nobody knows whether they have ended.
    mutating func checkSteps(ofPattern pattern: JSONView?, _ reading: StepReading, at pointer: JSONPointer) {
        guard let pattern, pattern.kind == .object else {
            return
        }
        let steps = pointer.appending("steps")
        for member in pattern["steps"]?.members.map(\.key) ?? []
        where reading.scope.isEarlier(member) && !reading.ancestors.contains(member) {
            addNotNeeded(member, at: steps.appending(member))
        }
        for (index, alternative) in (pattern["$or"]?.elements.map { $0 } ?? []).enumerated() {
            checkSteps(ofPattern: alternative, reading, at: pointer.appending("$or").appending(index))
        }
    }

    private mutating func addNotNeeded(_ step: String, at pointer: JSONPointer) {
        add(pointer, "not_needed", "The step \"\(step)\" may not have ended by then; name it in needs.")
    }

    /// Reads over which values a step is repeated.
    mutating func readForEach(
        _ forEach: JSONView?,
        _ reading: StepReading,
        at pointer: JSONPointer
    ) -> AutomationDefinition.ForEach? {
        guard let forEach else {
            return nil
        }
        guard forEach.kind == .object else {
            add(pointer, "invalid_type", "for_each must be an object.")
            return nil
        }
        refuseUnknown(forEach, known: ["items", "concurrency", "max_items"], at: pointer)
        let itemsPointer = pointer.appending("items")
        guard let items = forEach["items"] else {
            add(itemsPointer, "required", "for_each needs items: an array, or a template that becomes one.")
            return nil
        }
        guard items.kind == .array || items.stringValue?.contains("{{") ?? false else {
            add(itemsPointer, "invalid_type", "The items are an array, or a template that becomes one.")
            return nil
        }
        let concurrency = readCount(
            forEach["concurrency"],
            upTo: Self.maximumConcurrency,
            at: pointer.appending("concurrency")
        )
        let maximum = readCount(forEach["max_items"], upTo: Self.maximumItems, at: pointer.appending("max_items"))
        var outer = reading
        outer.hasItem = false
        guard let template = readTemplate(items, outer, at: itemsPointer) else {
            return nil
        }
        guard template.secretNames.isEmpty else {
            add(itemsPointer, "secret_not_allowed", "The items are recorded, so no secret may stand in them.")
            return nil
        }
        return AutomationDefinition.ForEach(
            items: template,
            concurrency: concurrency ?? 1,
            maximumItems: maximum ?? AutomationDefinition.ForEach.standardMaximumItems
        )
    }

    /// Reads a whole number from 1 to a maximum; nil where there is none, or it is wrong, which is noted.
    mutating func readCount(_ count: JSONView?, upTo maximum: Int64, at pointer: JSONPointer) -> Int? {
        guard let count else {
            return nil
        }
        guard let number = count.int64Value, (1...maximum).contains(number) else {
            add(pointer, "invalid_value", "This is a whole number from 1 to \(maximum).")
            return nil
        }
        return Int(number)
    }

    /// Refuses numbers that a double does not keep.
    mutating func checkNumbers(_ value: JSONView, at pointer: JSONPointer) {
        switch value.kind {
        case .null, .bool, .string:
            break
        case .number:
            if let number = value.number, !number.survivesDouble {
                add(pointer, "inexact_number", "The number \(number) does not survive a double; write it as a string.")
            }
        case .array:
            for (index, element) in value.elements.enumerated() {
                checkNumbers(element, at: pointer.appending(index))
            }
        case .object:
            for member in value.members {
                checkNumbers(member.value, at: pointer.appending(member.key))
            }
        }
    }
}
