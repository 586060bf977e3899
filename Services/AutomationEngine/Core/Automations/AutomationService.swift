import Contracts
import Domain
import FoundationEssentials
import JSON
import Logging
import Messaging
import Persistence
import ServiceBase
import Templates

/// What administrators do with automations: create, edit, read, list, activate, deactivate, delete.
///
/// Every change is one lane transaction with its audit entry.
struct AutomationService: Sendable {
    let database: PostgresClient
    let lanes: LaneGroup
    /// The engine's own actions.
    let registry: ActionRegistry

    var repository: AutomationRepository { AutomationRepository(database: database) }

    /// Creates a draft.
    func create(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let draft = try AutomationDraft(
            body.root,
            registry: try await registry(for: body.root["definition"], context)
        )
        try await requireSecrets(of: draft.compiled, context)
        do {
            return try await idempotently("automations.create", body: body, context: context) { transaction in
                let automation = try await AutomationRepository.insert(
                    draft,
                    id: UUIDv7.make(),
                    tenant: context.tenant,
                    by: context.actor.id,
                    in: transaction
                )
                return .made(
                    Reply(status: 201, body: automation.answer),
                    entry(
                        "create",
                        automation,
                        before: .none,
                        after: try .json(try automation.auditValue()),
                        context: context
                    )
                )
            }
        } catch let error as PostgresError where error.isUniqueViolation {
            throw Problem(.keyTaken, "There is, or was, an automation with the key \"\(draft.key)\" already.")
        }
    }

    /// Activates a draft or a deprecated automation, if it can be executed now.
    func activate(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        try await changeStatus("activate", body, context: context) { automation, status, transaction in
            try status.activated()
            let definition = try await definition(automation.definition, context, in: transaction)
            try await requireSecrets(of: definition, context)
            return definition.trigger.signalType
        }
    }

    /// Deactivates an active automation; runs under way finish.
    func deactivate(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        try await changeStatus("deactivate", body, context: context) { automation, status, transaction in
            try status.deactivated()
            return try await definition(automation.definition, from: .storage, context, in: transaction)
                .trigger.signalType
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
        change: @Sendable (Automation, inout AutomationStatus, ChangeTransaction) async throws -> String
    ) async throws -> Reply {
        try await self.change(body, AutomationCondition(body.root), context: context) { automation, transaction in
            var status = automation.status
            let signalType: String
            do {
                signalType = try await change(automation, &status, transaction)
            } catch let refusal as AutomationStatus.Refusal {
                throw Problem(refusal)
            }
            let changed = try await AutomationRepository.setStatus(
                of: automation,
                to: status,
                signalType: signalType,
                in: transaction
            )
            return .made(
                Reply(status: 200, body: changed.answer),
                entry(
                    action,
                    changed,
                    before: try .json(["status": .string(automation.status.rawValue)]),
                    after: try .json(["status": .string(status.rawValue)]),
                    context: context
                )
            )
        }
    }

    /// Changes the automation that a request names in one transaction, if it is in the state that the change is based on.
    func change(
        _ body: JSONDocument,
        _ condition: AutomationCondition,
        context: RequestContext,
        _ change: @Sendable (Automation, ChangeTransaction) async throws -> Change<Reply>
    ) async throws -> Reply {
        let reference = try reference(in: body)
        return try await retrying {
            try await lanes.change(deadline: context.deadline) { transaction in
                guard
                    let automation = try await AutomationRepository.lock(
                        reference,
                        tenant: context.tenant,
                        in: transaction.database
                    )
                else {
                    throw Problem.automationNotFound
                }
                try condition.check(automation)
                return try await change(automation, transaction)
            }
        }
    }

    /// The engine's own actions, and those of the tenant's that a definition names.
    func registry(for definition: JSONView?, _ context: RequestContext) async throws -> ActionRegistry {
        try await ActionRepository(database: database)
            .registry(registry, for: definition, tenant: context.tenant, deadline: context.deadline)
    }

    /// A stored definition, read; refused where it cannot be executed now.
    func definition(
        _ bytes: [UInt8],
        from origin: DefinitionReader.Origin = .author,
        _ context: RequestContext,
        in transaction: ChangeTransaction
    ) async throws -> AutomationDefinition {
        let definition = try JSONDocument(parsing: bytes)
        let registry = try await ActionRepository.registry(
            registry,
            for: definition.root,
            tenant: context.tenant,
            in: transaction.database
        )
        var reader = DefinitionReader(registry: registry, from: origin)
        switch reader.read(definition.root, at: JSONPointer().appending("definition")) {
        case .definition(let definition): return definition
        case .faults(let faults): throw Problem.definition(faults)
        }
    }

    /// Refuses a definition that names secrets which do not exist.
    func requireSecrets(of definition: AutomationDefinition, _ context: RequestContext) async throws {
        let faults = try await unknownSecrets(of: definition, context)
        guard faults.isEmpty else {
            throw Problem.definition(faults)
        }
    }

    /// A fault for each place where a definition names a secret that does not exist.
    func unknownSecrets(
        of definition: AutomationDefinition,
        _ context: RequestContext
    ) async throws -> [DefinitionFault] {
        let references = definition.steps.flatMap(\.input.secrets)
        guard !references.isEmpty else {
            return []
        }
        let rows = try await database.execute(
            PostgresStatement(
                "SELECT name FROM engine.secrets WHERE tenant = $1 AND name = ANY ($2)",
                [.text(context.tenant), .textArray(Set(references.map(\.name)).sorted())],
                isReadOnly: true
            ),
            deadline: context.deadline
        )
        let known = Set(try rows.map { try $0.decode(0, as: String.self) })
        return references.filter { !known.contains($0.name) }.map { reference in
            DefinitionFault.unknownSecret(reference.name, at: reference.pointer)
        }
    }

    func reference(in body: JSONDocument) throws -> String {
        guard let reference = body.root["automation"]?.stringValue else {
            throw Problem.automationNotFound
        }
        return reference
    }

    /// The entry of what somebody has done with an automation, which is given as it is then.
    func entry(
        _ action: String,
        _ automation: Automation,
        before: AuditValue,
        after: AuditValue,
        context: RequestContext
    ) -> AuditDraft {
        AuditDraft(
            action,
            of: AuditObject(type: "automation", id: automation.id.lowercased, version: automation.version),
            before: before,
            after: after,
            by: context
        )
    }
}
