import FoundationEssentials
import JSON
import Persistence
import Synchronization

/// Versions of automations that runs under way were started with, compiled.
final class AutomationVersions: Sendable {
    private struct Key: Hashable {
        var automation: UUID
        var version: Int
    }

    /// How many versions are kept; with one more all are forgotten, and read again when they are needed.
    static let maximum = 2_000

    private let database: PostgresClient
    private let registry: ActionRegistry
    private let compiled = Mutex<[Key: CompiledAutomation]>([:])

    init(database: PostgresClient, registry: ActionRegistry) {
        self.database = database
        self.registry = registry
    }

    /// The version that a run was started with.
    ///
    /// - Throws: `StepError` with code `not_executable` where this release cannot execute it, `PostgresError`.
    func version(of run: RunRecord, deadline: ContinuousClock.Instant) async throws -> CompiledAutomation {
        let key = Key(automation: run.automationID, version: run.automationVersion)
        if let known = compiled.withLock({ $0[key] }) {
            return known
        }
        let rows = try await database.execute(
            PostgresStatement(
                "SELECT definition, name FROM engine.automation_versions WHERE automation_id = $1 AND version = $2",
                [.uuid(key.automation), .int(key.version)],
                isReadOnly: true
            ),
            deadline: deadline
        )
        guard let row = rows.first else {
            throw StepError.notExecutable("The run's version of its automation is not stored.")
        }
        let root = try? JSONDocument(parsing: try row.decode(0, as: [UInt8].self)).root
        let registry = try await ActionRepository(database: database)
            .registry(registry, for: root, tenant: run.tenant, deadline: deadline)
        var reader = DefinitionReader(registry: registry, from: .storage)
        guard let root, case .definition(let definition) = reader.read(root, at: JSONPointer()) else {
            throw StepError.notExecutable("This release cannot execute the run's definition.")
        }
        let automation = CompiledAutomation(
            id: run.automationID,
            tenant: run.tenant,
            key: run.automationKey,
            name: try row.decode(1),
            version: run.automationVersion,
            definition: definition
        )
        // What administrators register may change at any time.
        guard definition.registeredActions.isEmpty else {
            return automation
        }
        compiled.withLock { compiled in
            if compiled.count >= Self.maximum { compiled = [:] }
            compiled[key] = automation
        }
        return automation
    }
}
