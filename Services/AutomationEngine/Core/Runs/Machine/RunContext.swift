import Contracts
import Domain
import EventPattern
import JSON
import Templates

/// What a step of a run sees: the event, the steps that have ended before it, the run and its automation.
struct RunContext: Sendable {
    private let machine: RunMachine
    private let position: Int

    /// - Parameters:
    ///   - machine: The run.
    ///   - position: The step's position.
    init(_ machine: RunMachine, _ position: Int) {
        self.machine = machine
        self.position = position
    }

    /// A step's input as it is recorded: with every reference resolved, and without the secrets.
    ///
    /// - Throws: What cannot be resolved.
    func input(of step: CompiledAutomation.Step) throws(StepError) -> [UInt8] {
        if let constant = step.input.constant {
            return constant
        }
        let placeholders = Dictionary(uniqueKeysWithValues: step.input.secretNames.map { ($0, "") })
        return try resolve(step.input, secrets: placeholders).redacted
    }

    /// A step's input for a dry run, which sees no secret: valid, with stars in the place of each.
    ///
    /// - Throws: What cannot be resolved.
    func simulatedInput(of step: CompiledAutomation.Step) throws(StepError) -> [UInt8] {
        let stars = Dictionary(uniqueKeysWithValues: step.input.secretNames.map { ($0, "***") })
        return try resolve(step.input, secrets: stars).value
    }

    /// A step's input with its secrets, for the attempt alone.
    ///
    /// - Throws: What cannot be resolved.
    func resolve(_ template: Template, secrets: [String: String]) throws(StepError) -> ResolvedInput {
        do throws(TemplateError) {
            return try template.resolve(in: templateContext(for: template), secrets: secrets)
        } catch {
            throw StepError(
                code: error.code.rawValue,
                detail: error.message,
                members: ["pointer": .string(error.pointer.text)]
            )
        }
    }

    /// Whether a pattern over the context matches.
    ///
    /// - Throws: `context_too_large` where the outputs together are more than a pattern may read.
    func matches(_ pattern: EventPattern) throws(StepError) -> Bool {
        pattern.matches(try roots())
    }

    /// Only what the template reads is made ready: the output of a step may be long.
    private func templateContext(for template: Template) -> TemplateContext {
        var steps: [String: TemplateContext.Step] = [:]
        for name in Set(template.references.compactMap(\.step)) {
            guard let step = machine.record.steps.first(where: { $0.name == name }) else {
                continue
            }
            steps[name] = TemplateContext.Step(
                status: step.status.rawValue,
                output: step.output.flatMap { try? JSONDocument(parsing: $0, limits: .wrapped).root },
                error: step.error.flatMap { try? JSONDocument(parsing: $0, limits: .wrapped).root }
            )
        }
        let automation = machine.automation
        return TemplateContext(
            signal: machine.signal.view,
            metadata: machine.signal.aim?.metadata,
            steps: steps,
            run: TemplateContext.Run(id: machine.record.id.lowercased, isDryRun: machine.record.isDryRun),
            automation: TemplateContext.Automation(
                id: automation.id.lowercased,
                key: automation.key,
                version: automation.version,
                name: automation.name
            ),
            item: item
        )
    }

    /// The item that a row is for, as it stands in the input of its step.
    private var item: TemplateContext.Item? {
        let step = machine.record.steps[position]
        guard let parent = step.parent, let index = step.item,
            let value = machine.itemViews[parent]?[index]
        else {
            return nil
        }
        return TemplateContext.Item(value: value, index: index)
    }

    /// The members that a pattern may name: `signal`, `steps`, `run`, `automation`.
    private func roots() throws(StepError) -> [EventRoot] {
        var roots = [EventRoot("signal", signalRoot)]
        guard let own = try? JSONDocument(parsing: ownRoots, limits: .wrapped).root else {
            throw StepError(
                code: "context_too_large",
                detail: "The outputs so far are too large for a pattern to read."
            )
        }
        for member in own.members {
            roots.append(EventRoot(member.key, member.value))
        }
        return roots
    }

    /// The event; of an aimed signal with its metadata as one more member.
    private var signalRoot: JSONView {
        let event = machine.signal.view
        guard let metadata = machine.signal.aim?.metadata else {
            return event
        }
        var writer = JSONWriter(capacity: event.rawBytes.count + metadata.rawBytes.count + 16)
        writer.beginObject()
        for member in event.members where member.key != "metadata" {
            writer.key(member.key)
            writer.raw(member.value.rawBytes)
        }
        writer.key("metadata")
        writer.raw(metadata.rawBytes)
        writer.endObject()
        return (try? JSONDocument(parsing: writer.bytes, limits: .wrapped).root) ?? event
    }

    private var ownRoots: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("automation")
        writer.beginObject()
        writer.member("id", machine.automation.id.lowercased)
        writer.member("key", machine.automation.key)
        writer.member("name", machine.automation.name)
        writer.member("version", Int64(machine.automation.version))
        writer.endObject()
        writer.key("run")
        writer.beginObject()
        writer.member("dry_run", machine.record.isDryRun)
        writer.member("id", machine.record.id.lowercased)
        writer.endObject()
        writer.key("steps")
        writer.beginObject()
        // Others may have ended too, or not: what a pattern sees must not depend on which is quicker.
        for ancestor in machine.definition(at: position).ancestors.sorted() {
            let step = machine.record.steps[ancestor]
            writer.key(step.name)
            writer.beginObject()
            if let error = step.error { writer.member("error", raw: error) }
            writer.member("output", raw: step.output)
            if step.simulation != nil { writer.member("simulated", true) }
            writer.member("status", step.status.rawValue)
            writer.endObject()
        }
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }
}
