import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// An active automation that a change of an action breaks.
struct BreakingAutomation: Sendable {
    var automation: Automation
    /// A sentence for people.
    var reason: String
}

extension ActionRepository {
    /// The active automations that name an action, locked until the end of the transaction, in the order of their ids.
    static func users(
        of key: String,
        tenant: String,
        in transaction: PostgresTransaction
    ) async throws -> [Automation] {
        let rows = try await transaction.execute(
            PostgresStatement(
                """
                SELECT \(Automation.columns) FROM engine.automations
                WHERE automation_id IN (SELECT automation_id FROM engine.automation_actions
                                        WHERE tenant = $1 AND action_key = $2)
                  AND tenant = $1 AND status = 'active' AND deleted_at IS NULL
                ORDER BY automation_id FOR UPDATE
                """,
                [.text(tenant), .text(key)]
            )
        )
        return try rows.map(Automation.init).filter { automation in
            let definition = try? JSONDocument(parsing: automation.definition).root
            return ActionKey.registrable(in: definition).contains(key)
        }
    }

    /// The active automations that an action's new schema does not suit.
    ///
    /// Only what they say to this action is judged: the rest was taken as it is.
    static func unsuited(_ users: [Automation], to action: RemoteAction) -> [BreakingAutomation] {
        users.compactMap { automation in
            guard let definition = try? JSONDocument(parsing: automation.definition).root else {
                return nil
            }
            var reader = DefinitionReader(registry: ActionRegistry.builtIn.adding([action]), from: .author)
            _ = reader.read(definition, at: JSONPointer.root.appending("definition"))
            let places = ActionKey.steps(in: definition).filter { $0.key == action.key }
                .map { "/definition\($0.pointer)/input" }
            let fault = reader.faults.first { fault in
                places.contains { fault.pointer.text == $0 || fault.pointer.text.hasPrefix($0 + "/") }
            }
            return fault.map { fault in
                BreakingAutomation(
                    automation: automation,
                    reason:
                        "The action \"\(action.key)\" no longer takes the input at \(fault.pointer): \(fault.detail)"
                )
            }
        }
    }

    /// Marks automations broken in the newest generation, which the caller has begun.
    ///
    /// - Returns: They as they are now, in the same order.
    static func markBroken(
        _ breaking: [BreakingAutomation],
        in transaction: ChangeTransaction
    ) async throws -> [Automation] {
        guard !breaking.isEmpty else {
            return []
        }
        let ids = breaking.map(\.automation.id)
        let types = breaking.map { user in
            (try? JSONDocument(parsing: user.automation.definition).root["trigger"]?["signalType"]?.stringValue) ?? ""
        }
        let results = try await transaction.pipeline([
            ChangeStatement(
                """
                UPDATE engine.automations SET status = 'broken', broken_reason = b.reason, revision = revision + 1,
                    updated_at = now(), changed_generation = (SELECT generation FROM engine.registry_generation)
                FROM unnest($1::uuid[], $2::text[]) AS b (id, reason) WHERE automation_id = b.id
                RETURNING \(Automation.columns)
                """,
                [.uuidArray(ids), .textArray(breaking.map(\.reason))]
            ),
            ChangeStatement(
                """
                INSERT INTO engine.automation_states (automation_id, generation, version, status, signal_type)
                SELECT a.automation_id, g.generation, a.version, 'broken', b.type
                FROM unnest($1::uuid[], $2::text[]) AS b (id, type)
                JOIN engine.automations a ON a.automation_id = b.id, engine.registry_generation g
                """,
                [.uuidArray(ids), .textArray(types)]
            ),
        ])
        let broken = try results[0].map(Automation.init)
        return ids.compactMap { id in broken.first { $0.id == id } }
    }

    /// Notes which registered actions an automation names.
    static func noting(_ keys: Set<String>, in automation: UUID, tenant: String) -> [ChangeStatement] {
        [
            ChangeStatement("DELETE FROM engine.automation_actions WHERE automation_id = $1", [.uuid(automation)]),
            ChangeStatement(
                """
                INSERT INTO engine.automation_actions (tenant, action_key, automation_id)
                SELECT $1, key, $3 FROM unnest($2::text[]) AS key
                """,
                [.text(tenant), .textArray(keys.sorted()), .uuid(automation)]
            ),
        ]
    }
}
