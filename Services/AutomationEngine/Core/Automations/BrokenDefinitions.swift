import Contracts
import Domain
import FoundationEssentials
import JSON
import Logging
import Messaging
import Persistence
import ServiceBase
import ServiceLifecycle

/// An active automation whose definition this release cannot read.
struct UnreadableDefinition: Sendable {
    var automation: UUID
    var version: Int
    /// A sentence for people.
    var reason: String
}

/// Marks active automations broken whose definitions can no longer be executed.
///
/// A release that is older than the database leaves that to the newer one, which may have written what it cannot read.
struct BrokenDefinitions: Service {
    let found: AsyncStream<UnreadableDefinition>
    let lanes: LaneGroup
    let logger: Logger

    func run() async throws {
        for await definition in found.cancelOnGracefulShutdown() {
            do {
                try await mark(definition)
            } catch {
                // It is found once more by the next replica that starts.
                logger.warning("an automation cannot be marked broken", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Marks an automation, with an audit entry, unless it has changed since.
    ///
    /// - Throws: `PostgresError`, `LaneError`.
    func mark(_ definition: UnreadableDefinition) async throws {
        try await LaneTransaction.retrying {
            try await lanes.change(deadline: .now + .seconds(30)) { transaction in
                let rows = try await transaction.database.execute(Self.locking(definition))
                guard let automation = try rows.first.map(Automation.init) else {
                    return .none(())
                }
                try await transaction.database.execute(AutomationRepository.nextGeneration)
                let breaking = BreakingAutomation(automation: automation, reason: definition.reason)
                let context = RequestContext(
                    tenant: automation.tenant,
                    actor: .engine,
                    requestID: UUID().lowercased
                )
                guard let entry = try await transaction.markBroken([breaking], by: context).first else {
                    return .none(())
                }
                return .made((), entry)
            }
        }
    }

    private static func locking(_ definition: UnreadableDefinition) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT \(Automation.columns) FROM engine.automations
            WHERE automation_id = $1 AND version = $2 AND status = 'active' AND deleted_at IS NULL
              AND (SELECT max(version) FROM engine.schema_migrations) <= $3
            FOR UPDATE
            """,
            [
                .uuid(definition.automation), .int(definition.version),
                .int(ServiceSchema.engine.requiredVersion),
            ]
        )
    }
}

extension ChangeTransaction {
    /// Marks automations broken in the newest generation, which the caller has begun; answers the entry of each.
    func markBroken(_ breaking: [BreakingAutomation], by context: RequestContext) async throws -> [AuditDraft] {
        try await ActionRepository.markBroken(breaking, in: self).map { automation in
            AuditDraft(
                "break",
                of: AuditObject(type: "automation", id: automation.id.lowercased, version: automation.version),
                before: try .json(["status": .string(AutomationStatus.active.rawValue)]),
                after: try .json([
                    "status": .string(automation.status.rawValue),
                    "broken_reason": .string(automation.brokenReason ?? ""),
                ]),
                by: context
            )
        }
    }
}
