import FoundationEssentials
import JSON
import Logging
import Persistence
import Synchronization

/// The index that batches match by, kept at the registry's newest generation.
///
/// A batch states in its transaction which generation it was matched by; where that is no longer the newest, it loads the
/// difference and is matched again. So no broadcast is needed, and no replica can miss an activation.
final class AutomationCatalogue: Sendable {
    private let database: PostgresClient
    private let registry: ActionRegistry
    private let logger: Logger
    private let state = Mutex(State())
    /// The active automations that were found to be unreadable, as they are found.
    let unreadable: AsyncStream<UnreadableDefinition>
    private let found: AsyncStream<UnreadableDefinition>.Continuation

    private struct State {
        var index = AutomationIndex()
        /// The registered actions, by tenant and key.
        var actions: [String: [String: RemoteAction]] = [:]
    }

    init(database: PostgresClient, registry: ActionRegistry, logger: Logger) {
        self.database = database
        self.registry = registry
        self.logger = logger
        (unreadable, found) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1_000))
    }

    /// The index as it stands.
    var current: AutomationIndex {
        state.withLock { $0.index }
    }

    /// Loads what has changed since the index's generation.
    func refresh() async throws {
        var (known, actions) = state.withLock { ($0.index.generation, $0.actions) }
        let results = try await database.pipeline([
            // Within one transaction both see changes of every generation up to the one read first.
            PostgresStatement("SELECT generation FROM engine.registry_generation"),
            PostgresStatement(
                """
                SELECT automation_id, tenant, automation_key, version, status, definition, changed_generation, name,
                       paused
                FROM engine.automations WHERE automation_id IN (
                    SELECT automation_id FROM engine.automations WHERE changed_generation > $1
                    -- Those too that name a registered action which has changed.
                    UNION SELECT u.automation_id FROM engine.actions x
                    JOIN engine.automation_actions u USING (tenant, action_key) WHERE x.changed_generation > $1)
                ORDER BY changed_generation
                """,
                [.int8(known)]
            ),
            PostgresStatement(
                "SELECT \(StoredAction.columns), tenant FROM engine.actions WHERE changed_generation > $1",
                [.int8(known)]
            ),
        ])
        guard let row = results[0].first else {
            return
        }
        let generation = try row.decode(0, as: Int64.self)
        guard generation >= known else {
            // The database was restored to an older state: nothing that is held can be relied on.
            logger.warning(
                "the registry's generation went back, and the index is built anew",
                metadata: ["known": "\(known)", "found": "\(generation)"]
            )
            state.withLock { $0 = State() }
            return try await refresh()
        }
        for row in results[2] {
            let action = try StoredAction(row)
            actions[try row.decode(6, as: String.self), default: [:]][action.key] = action.remote
        }
        var changes: [(id: UUID, automation: CompiledAutomation?)] = []
        for row in results[1] where try row.decode(6, as: Int64.self) <= generation {
            let id = try row.decode(0, as: UUID.self)
            let isActive = try row.decode(4, as: String.self) == "active"
            changes.append((id, isActive ? try compile(row, id: id, actions) : nil))
        }
        state.withLock { [actions] state in
            // Another task may have gone further in the meantime.
            guard state.index.generation < generation else {
                return
            }
            for change in changes {
                state.index.update(change.id, to: change.automation)
            }
            state.index.reached(generation)
            state.actions = actions
        }
    }

    private func compile(
        _ row: PostgresRow,
        id: UUID,
        _ actions: [String: [String: RemoteAction]]
    ) throws -> CompiledAutomation? {
        let tenant = try row.decode(1, as: String.self)
        let key = try row.decode(2, as: String.self)
        let definition = try JSONDocument(parsing: try row.decode(5, as: [UInt8].self))
        let named = ActionKey.registrable(in: definition.root).compactMap { actions[tenant]?[$0] }
        var reader = DefinitionReader(registry: registry.adding(named), from: .storage)
        switch reader.read(definition.root, at: JSONPointer()) {
        case .definition(let definition):
            var automation = CompiledAutomation(
                id: id,
                tenant: tenant,
                key: key,
                name: try row.decode(7, as: String.self),
                version: try row.decode(3, as: Int.self),
                definition: definition
            )
            automation.isPaused = try row.decode(8)
            return automation
        case .faults(let faults):
            let fault = faults.first.map { "\($0.pointer.text): \($0.detail)" } ?? ""
            logger.error(
                "an active automation cannot be executed by this release, and is left out",
                metadata: ["automation_key": "\(key)", "fault": "\(fault)"]
            )
            found.yield(
                UnreadableDefinition(
                    automation: id,
                    version: try row.decode(3, as: Int.self),
                    reason: "The definition can no longer be executed. \(fault)"
                )
            )
            return nil
        }
    }
}
