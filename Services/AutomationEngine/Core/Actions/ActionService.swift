import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import ServiceBase

/// What administrators do with actions: register, read, list, withdraw.
///
/// Every change is one transaction with its audit entries.
struct ActionService: Sendable {
    let database: PostgresClient
    let lanes: LaneGroup

    private var repository: ActionRepository { ActionRepository(database: database) }

    /// Registers an action, or registers it anew.
    func put(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let key = try key(in: body)
        guard ActionKey.isRegistrable(key) else {
            throw Problem.registration([
                DefinitionFault(pointer: .root, code: "invalid_key", detail: Self.keyDetail(key))
            ])
        }
        guard let sent = body.root["body"] else {
            throw Problem(.invalidRequest)
        }
        let registration = try ActionRegistration(sent, key: key)
        return try await LaneTransaction.retrying {
            try await lanes.change(deadline: context.deadline) { transaction in
                let stored = try await ActionRepository.lock(key, tenant: context.tenant, in: transaction.database)
                let current = stored.flatMap { $0.isWithdrawn ? nil : $0 }
                try check(body.root["if_match"]?.stringValue, of: current)
                try await requireSecrets(of: registration, context, in: transaction)
                if let current, try isSame(current, sent) {
                    return .none(Reply(status: 200, body: answer(current, isNew: false)))
                }
                var breaking: [BreakingAutomation] = []
                if current != nil {
                    breaking = ActionRepository.unsuited(
                        try await ActionRepository.users(of: key, tenant: context.tenant, in: transaction.database),
                        to: RemoteAction(key: key, registration: registration)
                    )
                }
                try mayBreak(breaking, body)
                let changed = try await ActionRepository.store(
                    registration.bytes,
                    as: key,
                    tenant: context.tenant,
                    in: transaction
                )
                return .made(
                    Reply(status: current == nil ? 201 : 200, body: answer(changed, isNew: current == nil)),
                    try entry(current == nil ? "create" : "update", changed, current, changed, context),
                    and: try await transaction.markBroken(breaking, by: context)
                )
            }
        }
    }

    /// Withdraws an action; steps that name it fail from then on.
    func delete(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let key = try key(in: body)
        guard ActionRegistry.builtIn[key] == nil else {
            throw Problem(
                .wrongState,
                "The action \"\(key)\" is the engine's own, and cannot be withdrawn.",
                detailES: "La acción \"\(key)\" es del propio motor y no se puede retirar."
            )
        }
        return try await LaneTransaction.retrying {
            try await lanes.change(deadline: context.deadline) { transaction in
                let stored = try await ActionRepository.lock(key, tenant: context.tenant, in: transaction.database)
                guard let stored, !stored.isWithdrawn else {
                    throw Problem.actionNotFound
                }
                if let condition = body.root["if_match"]?.stringValue {
                    try check(condition, of: stored)
                }
                let users = try await ActionRepository.users(of: key, tenant: context.tenant, in: transaction.database)
                let breaking = users.map { automation in
                    BreakingAutomation(automation: automation, reason: "The action \"\(key)\" was withdrawn.")
                }
                try mayBreak(breaking, body)
                try await ActionRepository.withdraw(key, tenant: context.tenant, in: transaction)
                return .made(
                    Reply(status: 200, body: Array("{}".utf8)),
                    try entry("delete", stored, stored, nil, context),
                    and: try await transaction.markBroken(breaking, by: context)
                )
            }
        }
    }

    /// Reads one action.
    func get(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let key = try key(in: body)
        if let action = ActionRegistry.builtIn[key] {
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("action")
            action.writeBuiltIn(to: &writer)
            writer.endObject()
            return Reply(status: 200, body: writer.bytes)
        }
        guard let action = try await repository.find(key, tenant: context.tenant, deadline: context.deadline) else {
            throw Problem.actionNotFound
        }
        return Reply(status: 200, body: answer(action, isNew: false))
    }

    /// Lists the engine's own actions and the tenant's, in the order of their keys.
    func list(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let page = try Page(body.root)
        let own = ActionRegistry.builtIn.actions.values.filter { action in
            page.cursor.map { $0.utf8.lexicographicallyPrecedes(action.key.utf8) } ?? true
        }
        let registered = try await repository.list(
            tenant: context.tenant,
            after: page.cursor,
            limit: page.limit + 1,
            deadline: context.deadline
        )
        let listed = (own.map(Listed.builtIn) + registered.map(Listed.registered))
            .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return Reply(
            status: 200,
            body: page.answer(Array(listed.prefix(page.limit + 1)), cursor: \.key) { $0.write(to: &$1) }
        )
    }

    private enum Listed {
        case builtIn(ActionDeclaration)
        case registered(StoredAction)

        var key: String {
            switch self {
            case .builtIn(let action): action.key
            case .registered(let action): action.key
            }
        }

        func write(to writer: inout JSONWriter) {
            switch self {
            case .builtIn(let action): action.writeBuiltIn(to: &writer)
            case .registered(let action): action.write(to: &writer)
            }
        }
    }
}

// MARK: - What changes have in common

extension ActionService {
    private func key(in body: JSONDocument) throws(Problem) -> String {
        guard let key = body.root["action_key"]?.stringValue else {
            throw Problem.actionNotFound
        }
        return key
    }

    private static func keyDetail(_ key: String) -> String {
        guard ActionKey.isReserved(key) else {
            return "An action's key is area.verb: letters, digits, \"_\" and \"-\", the area in small letters, "
                + "each beginning with a letter; 100 characters at most."
        }
        return "The areas \(ActionKey.reservedAreas.sorted().joined(separator: ", ")) are the engine's own."
    }

    /// Refuses a change that is based on another state, or replaces an action without saying which state it is based on.
    private func check(_ condition: String?, of current: StoredAction?) throws(Problem) {
        guard let condition else {
            guard current == nil else {
                throw Problem(
                    .preconditionRequired,
                    "Say which state the change is based on: its ETag in If-Match.",
                    detailES: "Indique en qué estado se basa el cambio: su ETag en If-Match."
                )
            }
            return
        }
        guard let current, condition == "*" || condition == current.etag else {
            throw Problem(
                .preconditionFailed,
                "The action has changed since it was read.",
                detailES: "La acción cambió desde que se leyó."
            )
        }
    }

    private func isSame(_ current: StoredAction, _ sent: JSONView) throws -> Bool {
        try JSONDocument(parsing: current.registration, limits: .wrapped).root.differences(to: sent).isEmpty
    }

    private func mayBreak(_ breaking: [BreakingAutomation], _ body: JSONDocument) throws(Problem) {
        guard breaking.isEmpty || body.root["force"]?.boolValue == true else {
            throw Problem.actionInUse(breaking)
        }
    }

    /// A fault for each place that names a secret which does not exist.
    private func requireSecrets(
        of registration: ActionRegistration,
        _ context: RequestContext,
        in transaction: ChangeTransaction
    ) async throws {
        let known = try await SecretStore.known(
            Set(registration.secrets.map(\.name)),
            tenant: context.tenant,
            in: transaction.database
        )
        let faults = registration.secrets.filter { !known.contains($0.name) }
            .map { DefinitionFault.unknownSecret($0.name, at: $0.pointer) }
        guard faults.isEmpty else {
            throw Problem.registration(faults)
        }
    }

    private func entry(
        _ change: String,
        _ action: StoredAction,
        _ before: StoredAction?,
        _ after: StoredAction?,
        _ context: RequestContext
    ) throws -> AuditDraft {
        AuditDraft(
            change,
            of: AuditObject(type: "action", id: action.key, version: Int(clamping: action.revision)),
            before: try before.map { try .json(try $0.auditValue()) } ?? .none,
            after: try after.map { try .json(try $0.auditValue()) } ?? .none,
            by: context
        )
    }

    /// The action with its ETag, and whether it was registered just now.
    private func answer(_ action: StoredAction, isNew: Bool) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("action")
        action.write(to: &writer)
        writer.member("etag", action.etag)
        writer.member("created", isNew)
        writer.endObject()
        return writer.bytes
    }
}
