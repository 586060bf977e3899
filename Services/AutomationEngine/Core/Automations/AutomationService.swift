import Contracts
import Domain
import FoundationEssentials
import JSON
import Logging
import Messaging
import Persistence

/// What administrators do with automations: create, read, list, activate, deactivate.
///
/// Every change is one lane transaction with its audit entry.
struct AutomationService: Sendable {
    let database: PostgresClient
    let lanes: LaneGroup
    let registry: ActionRegistry

    private var repository: AutomationRepository { AutomationRepository(database: database) }

    /// Creates a draft.
    func create(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let draft: AutomationDraft
        switch AutomationDraft.read(body.root, registry: registry) {
        case .faults(let faults):
            throw Problem.definition(faults)
        case .draft(let read):
            draft = read
        }
        do {
            return try await idempotently("automations.create", body: body, context: context) { transaction in
                let automation = try await AutomationRepository.insert(
                    draft,
                    id: UUIDv7.make(),
                    tenant: context.tenant,
                    by: context.actor.id,
                    in: transaction.database
                )
                try audit(
                    "create",
                    automation,
                    before: .none,
                    after: .json(try automation.auditValue()),
                    context: context,
                    in: transaction
                )
                return Reply(status: 201, body: automation.answer)
            }
        } catch let error as PostgresError where error.isUniqueViolation {
            throw Problem(.keyTaken, "There is, or was, an automation with the key \"\(draft.key)\" already.")
        }
    }

    /// Activates a draft or a deprecated automation, if it can be executed now.
    func activate(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        try await changeStatus("activate", body, context: context) { automation, status in
            try status.activated()
            let trigger = try trigger(of: automation)
            return trigger.signalType
        }
    }

    /// Deactivates an active automation; runs under way finish.
    func deactivate(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        try await changeStatus("deactivate", body, context: context) { automation, status in
            try status.deactivated()
            return try trigger(of: automation).signalType
        }
    }

    /// Reads one automation by id or key.
    func get(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let reference = try reference(in: body)
        guard let automation = try await repository.find(reference, tenant: context.tenant) else {
            throw Problem.automationNotFound
        }
        return Reply(status: 200, body: automation.answer)
    }

    /// Lists automations in the order of their keys.
    func list(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let page = try Page(body.root)
        var status: AutomationStatus?
        if let text = body.root["status"]?.stringValue {
            guard let known = AutomationStatus(rawValue: text) else {
                throw Problem(.invalidRequest, "There is no status \"\(text)\".")
            }
            status = known
        }
        let automations = try await repository.list(
            tenant: context.tenant,
            status: status,
            after: page.cursor,
            limit: page.limit + 1
        )
        return Reply(
            status: 200,
            body: page.answer(automations, cursor: \.key) { automation, writer in automation.write(to: &writer) }
        )
    }

    private func changeStatus(
        _ action: String,
        _ body: JSONDocument,
        context: RequestContext,
        change: @Sendable (Automation, inout AutomationStatus) throws -> String
    ) async throws -> Reply {
        let reference = try reference(in: body)
        let condition = body.root["if_match"]?.stringValue
        return try await retrying {
            try await lanes.transaction(deadline: context.deadline) { transaction in
                guard
                    let automation = try await AutomationRepository.lock(
                        reference,
                        tenant: context.tenant,
                        in: transaction.database
                    )
                else {
                    throw Problem.automationNotFound
                }
                if let condition, condition != automation.etag {
                    throw Problem(.preconditionFailed, "The automation has changed since it was read.")
                }
                var status = automation.status
                let signalType: String
                do {
                    signalType = try change(automation, &status)
                } catch let refusal as AutomationStatus.Refusal {
                    throw Problem(refusal)
                }
                let changed = try await AutomationRepository.setStatus(
                    of: automation,
                    to: status,
                    signalType: signalType,
                    in: transaction.database
                )
                try audit(
                    action,
                    changed,
                    before: .json(["status": .string(automation.status.rawValue)]),
                    after: .json(["status": .string(status.rawValue)]),
                    context: context,
                    in: transaction
                )
                return Reply(status: 200, body: changed.answer)
            }
        }
    }

    /// What an automation's definition starts on; refused where it cannot be executed now.
    private func trigger(of automation: Automation) throws -> SignalTrigger {
        let definition = try JSONDocument(parsing: automation.definition)
        var reader = DefinitionReader(registry: registry)
        switch reader.read(definition.root, at: JSONPointer().appending("definition")) {
        case .definition(let definition): return definition.trigger
        case .faults(let faults): throw Problem.definition(faults)
        }
    }

    private func reference(in body: JSONDocument) throws -> String {
        guard let reference = body.root["automation"]?.stringValue else {
            throw Problem.automationNotFound
        }
        return reference
    }

    private func audit(
        _ action: String,
        _ automation: Automation,
        before: AuditValue,
        after: AuditValue,
        context: RequestContext,
        in transaction: LaneTransaction
    ) throws {
        transaction.auditKeepingLargeValues(
            AuditDraft(
                id: UUIDv7.make(),
                time: .now(),
                tenant: context.tenant,
                actor: context.actor,
                action: action,
                object: AuditObject(type: "automation", id: automation.id.lowercased, version: automation.version),
                before: before,
                after: after,
                requestID: context.requestID,
                traceID: context.traceparent.flatMap(RunRecord.traceID)
            )
        )
    }
}
