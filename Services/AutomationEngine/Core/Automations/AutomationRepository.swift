import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// The SQL of automations.
struct AutomationRepository: Sendable {
    let database: PostgresClient

    /// An automation by its id or its key.
    func find(_ reference: String, tenant: String) async throws -> Automation? {
        let (condition, value) = Self.condition(reference)
        return try await database.execute(
            PostgresStatement(
                """
                SELECT \(Automation.columns) FROM engine.automations
                WHERE tenant = $1 AND deleted_at IS NULL AND \(condition)
                """,
                [.text(tenant), value]
            )
        )
        .first.map(Automation.init)
    }

    /// A page of a tenant's automations, in the order of their keys.
    func list(tenant: String, status: AutomationStatus?, after key: String?, limit: Int) async throws -> [Automation] {
        try await database.execute(
            PostgresStatement(
                """
                SELECT \(Automation.columns) FROM engine.automations
                WHERE tenant = $1 AND deleted_at IS NULL
                  AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR automation_key > $3)
                ORDER BY automation_key
                LIMIT $4
                """,
                [.text(tenant), .text(status?.rawValue), .text(key), .int8(Int64(limit))]
            )
        )
        .map(Automation.init)
    }

    /// An automation, locked until the end of the transaction, with the actions of its tenant as they are.
    static func lock(
        _ reference: String,
        tenant: String,
        in transaction: PostgresTransaction
    ) async throws -> Automation? {
        let (condition, value) = condition(reference)
        let results = try await transaction.pipeline([
            // Before the row: whoever changes an action holds this, and may want the row.
            ActionRepository.relying(on: tenant),
            PostgresStatement(
                """
                SELECT \(Automation.columns) FROM engine.automations
                WHERE tenant = $1 AND deleted_at IS NULL AND \(condition) FOR UPDATE
                """,
                [.text(tenant), value]
            ),
        ])
        return try results[1].first.map(Automation.init)
    }

    /// Creates a draft in a new generation; a key that is taken is a violation of the table's unique key.
    static func insert(
        _ draft: AutomationDraft,
        id: UUID,
        tenant: String,
        by actor: String,
        in transaction: ChangeTransaction
    ) async throws -> Automation {
        let results = try await transaction.pipeline(
            [
                ChangeStatement(nextGeneration),
                ChangeStatement(
                    """
                    INSERT INTO engine.automations (automation_id, tenant, automation_key, status, version, revision, name,
                                                    description, definition, changed_generation)
                    VALUES ($1, $2, $3, 'draft', 1, 1, $4, $5, $6, 0)
                    RETURNING \(Automation.columns)
                    """,
                    [
                        .uuid(id), .text(tenant), .text(draft.key), .text(draft.name), .text(draft.description),
                        .textBytes(draft.definition),
                    ]
                ),
                ChangeStatement(
                    """
                    INSERT INTO engine.automation_versions (automation_id, version, name, description, definition, created_by)
                    VALUES ($1, 1, $2, $3, $4, $5)
                    """,
                    [
                        .uuid(id), .text(draft.name), .text(draft.description), .textBytes(draft.definition),
                        .text(actor),
                    ]
                ),
                // No signal that was processed before was judged by it.
                state(of: id, version: 1, .draft, signalType: draft.compiled.trigger.signalType),
                limits(of: id, draft.compiled.admission),
            ] + ActionRepository.noting(draft.compiled.registeredActions, in: id, tenant: tenant)
        )
        guard let row = results[1].first else {
            throw PostgresError(.decoding, "the insertion of an automation has no answer")
        }
        return try Automation(row)
    }

    /// Versions of an automation, newest first.
    func versions(of automation: UUID, before: Int?, limit: Int) async throws -> [AutomationVersion] {
        try await database.execute(
            PostgresStatement(
                """
                SELECT \(AutomationVersion.columns) FROM engine.automation_versions
                WHERE automation_id = $1 AND ($2::integer IS NULL OR version < $2)
                ORDER BY version DESC
                LIMIT $3
                """,
                [.uuid(automation), .int4(before.map { Int32(clamping: $0) }), .int8(Int64(limit))],
                isReadOnly: true
            )
        )
        .map(AutomationVersion.init)
    }

    /// One version of an automation.
    func version(_ number: Int, of automation: UUID) async throws -> AutomationVersion? {
        try await database.execute(Self.version(number, of: automation)).first.map(AutomationVersion.init)
    }

    /// One version of an automation, as a transaction sees it.
    static func version(
        _ number: Int,
        of automation: UUID,
        in transaction: PostgresTransaction
    ) async throws -> AutomationVersion? {
        try await transaction.execute(version(number, of: automation)).first.map(AutomationVersion.init)
    }

    private static func version(_ number: Int, of automation: UUID) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT \(AutomationVersion.columns) FROM engine.automation_versions
            WHERE automation_id = $1 AND version = $2
            """,
            [.uuid(automation), .int4(Int32(clamping: number))],
            isReadOnly: true
        )
    }

    /// Changes the status in a new generation.
    static func setStatus(
        of automation: Automation,
        to status: AutomationStatus,
        signalType: String,
        in transaction: ChangeTransaction
    ) async throws -> Automation {
        let results = try await transaction.pipeline([
            ChangeStatement(nextGeneration),
            ChangeStatement(
                """
                UPDATE engine.automations SET status = $2, revision = revision + 1, updated_at = now(),
                    changed_generation = (SELECT generation FROM engine.registry_generation)
                WHERE automation_id = $1
                RETURNING \(Automation.columns)
                """,
                [.uuid(automation.id), .text(status.rawValue)]
            ),
            state(of: automation.id, version: automation.version, status, signalType: signalType),
        ])
        guard let row = results[1].first else {
            throw PostgresError(.decoding, "the change of a status has no answer")
        }
        return try Automation(row)
    }

    /// Adds a version in a new generation.
    static func revise(
        _ automation: Automation,
        to content: AutomationContent,
        status: AutomationStatus,
        definition: AutomationDefinition,
        by actor: String,
        in transaction: ChangeTransaction
    ) async throws -> Automation {
        let values: [PostgresValue] = [
            .uuid(automation.id), .int4(Int32(automation.version + 1)), .text(content.name), .text(content.description),
            .textBytes(content.definition),
        ]
        let results = try await transaction.pipeline(
            [
                ChangeStatement(nextGeneration),
                ChangeStatement(
                    """
                    UPDATE engine.automations SET version = $2, name = $3, description = $4, definition = $5, status = $6,
                        broken_reason = CASE WHEN $6 = 'broken' THEN broken_reason END, revision = revision + 1,
                        updated_at = now(),
                        changed_generation = (SELECT generation FROM engine.registry_generation)
                    WHERE automation_id = $1
                    RETURNING \(Automation.columns)
                    """,
                    values + [.text(status.rawValue)]
                ),
                ChangeStatement(
                    """
                    INSERT INTO engine.automation_versions (automation_id, version, name, description, definition, created_by)
                    VALUES ($1, $2, $3, $4, $5, $6)
                    """,
                    values + [.text(actor)]
                ),
                state(
                    of: automation.id,
                    version: automation.version + 1,
                    status,
                    signalType: definition.trigger.signalType
                ),
                limits(of: automation.id, definition.admission),
                ChangeStatement(HeldRunRepository.lookingAtAll(of: automation.id)),
            ] + ActionRepository.noting(definition.registeredActions, in: automation.id, tenant: automation.tenant)
        )
        guard let row = results[1].first else {
            throw PostgresError(.decoding, "the change of an automation has no answer")
        }
        return try Automation(row)
    }

    /// Deletes a draft in a new generation, from which on no signal is judged by it.
    static func delete(_ automation: Automation, in transaction: ChangeTransaction) async throws {
        try await transaction.pipeline([
            ChangeStatement(nextGeneration),
            ChangeStatement(
                """
                UPDATE engine.automations SET deleted_at = now(), revision = revision + 1, updated_at = now(),
                    changed_generation = (SELECT generation FROM engine.registry_generation)
                WHERE automation_id = $1
                """,
                [.uuid(automation.id)]
            ),
        ])
    }

    /// The lock on this row puts all changes of the registry into one order.
    static var nextGeneration: PostgresStatement {
        PostgresStatement("UPDATE engine.registry_generation SET generation = generation + 1")
    }

    /// Notes what is in force from the newest generation on.
    private static func state(
        of automation: UUID,
        version: Int,
        _ status: AutomationStatus,
        signalType: String
    ) -> ChangeStatement {
        ChangeStatement(
            """
            INSERT INTO engine.automation_states (automation_id, generation, version, status, signal_type)
            SELECT $1, generation, $2, $3, $4 FROM engine.registry_generation
            """,
            [.uuid(automation), .int4(Int32(version)), .text(status.rawValue), .text(signalType)]
        )
    }

    private static func condition(_ reference: String) -> (String, PostgresValue) {
        if let id = UUID(uuidString: reference) {
            return ("automation_id = $2", .uuid(id))
        }
        return ("automation_key = $2", .text(reference))
    }
}
