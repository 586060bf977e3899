import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import ServiceBase

extension AutomationService {
    /// Edits an automation: one version more, in force at once where it is active.
    func update(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        guard let sent = body.root["body"] else {
            throw Problem(.invalidRequest)
        }
        let edit = try AutomationEdit(sent, registry: try await registry(for: sent["definition"], context))
        let condition = AutomationCondition(body.root, version: edit.version)
        try condition.require()
        return try await change(body, condition, context: context) { automation, transaction in
            try await revise(automation, to: edit.applied(to: automation), context: context, in: transaction)
        }
    }

    /// Makes an earlier version the newest one, under a number of its own.
    func restore(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let number = try versionNumber(body.root["restored"])
        guard let sent = body.root["body"] else {
            throw Problem(.invalidRequest)
        }
        var reader = try AutomationBodyReader(sent, registry: registry)
        reader.refuseUnknown(
            besides: ["version"],
            status: (nil, "A version is restored with its name, description and definition; the status stays.")
        )
        let version = reader.readVersion()
        guard reader.faults.isEmpty else {
            throw Problem.definition(reader.faults)
        }
        let condition = AutomationCondition(body.root, version: version)
        try condition.require()
        return try await change(body, condition, context: context) { automation, transaction in
            guard
                let restored = try await AutomationRepository.version(
                    number,
                    of: automation.id,
                    in: transaction.database
                )
            else {
                throw Problem.versionNotFound
            }
            return try await revise(
                automation,
                to: restored.content,
                restoring: number,
                context: context,
                in: transaction
            )
        }
    }

    /// Deletes a draft; its key stays taken, and its versions stay readable for the runs that name them.
    func delete(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let condition = AutomationCondition(body.root)
        return try await change(body, condition, context: context) { automation, transaction in
            do throws(AutomationStatus.Refusal) {
                try automation.status.deleted()
            } catch {
                throw Problem(error)
            }
            try await AutomationRepository.delete(automation, in: transaction)
            return .made(
                Reply(status: 200, body: Array("{}".utf8)),
                entry(
                    "delete",
                    automation,
                    before: try .json(try automation.auditValue()),
                    after: .none,
                    context: context
                )
            )
        }
    }

    /// Says whether a draft would be taken as it is, and if not, all its faults; nothing is stored.
    func validate(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let registry = try await registry(for: body.root["definition"], context)
        var reader = try AutomationBodyReader(body.root, registry: registry)
        reader.refuseUnknown(
            besides: ["automation_key", "name", "description", "definition"],
            status: (.draft, "A new automation is always a draft; activate it once it is created.")
        )
        _ = reader.readKey(isRequired: false)
        _ = reader.readName(isRequired: false)
        _ = reader.readDescription()
        let definition = reader.readDefinition(isRequired: true)
        var faults = reader.faults
        if let definition {
            faults += try await unknownSecrets(of: definition.compiled, context)
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("valid", faults.isEmpty)
        writer.key("errors")
        writer.beginArray()
        for fault in faults {
            writer.beginObject()
            writer.member("pointer", fault.pointer.text)
            writer.member("code", fault.code)
            writer.member("detail", fault.detail)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return Reply(status: 200, body: writer.bytes)
    }

    /// Stores a new version, checked as a new automation is.
    private func revise(
        _ automation: Automation,
        to content: AutomationContent,
        restoring restored: Int? = nil,
        context: RequestContext,
        in transaction: ChangeTransaction
    ) async throws -> Change<Reply> {
        let definition = try await definition(content.definition, context, in: transaction)
        try await requireSecrets(of: definition, context)
        var status = automation.status
        status.edited()
        let changed = try await AutomationRepository.revise(
            automation,
            to: content,
            status: status,
            definition: definition,
            by: context.actor.id,
            in: transaction
        )
        var (before, after): ([JSONMember], [JSONMember]) = ([], [])
        if status != automation.status {
            before.append(JSONMember("status", .string(automation.status.rawValue)))
            after.append(JSONMember("status", .string(status.rawValue)))
        }
        if let restored {
            after.append(JSONMember("restored_from", .number(Int64(restored))))
        }
        return .made(
            Reply(status: 200, body: changed.answer),
            entry(
                "update",
                changed,
                before: try .json(try automation.auditValue(adding: before)),
                after: try .json(try changed.auditValue(adding: after)),
                context: context
            )
        )
    }
}
