import FoundationEssentials
import Messaging
import Persistence

extension AutomationRepository {
    /// Makes the runs of an automation wait, or go on, in a new generation.
    static func setPaused(
        _ isPaused: Bool,
        of automation: Automation,
        in transaction: ChangeTransaction
    ) async throws -> Automation {
        var statements = [
            ChangeStatement(nextGeneration),
            ChangeStatement(
                """
                UPDATE engine.automations SET paused = $2, revision = revision + 1, updated_at = now(),
                    changed_generation = (SELECT generation FROM engine.registry_generation)
                WHERE automation_id = $1
                RETURNING \(Automation.columns)
                """,
                [.uuid(automation.id), .bool(isPaused)]
            ),
        ]
        if !isPaused {
            statements += [
                // Whoever makes a run wait for the end of the pause has this lock: the run is seen here, or sees the end.
                ChangeStatement(
                    AdmissionRepository.locking([AdmissionGate(automation: automation.id, kind: .pause, key: "")])
                ),
                ChangeStatement(HeldRunRepository.lookingAtAll(of: automation.id)),
            ]
        }
        let results = try await transaction.pipeline(statements)
        guard let row = results[1].first else {
            throw PostgresError(.decoding, "the change of a pause has no answer")
        }
        return try Automation(row)
    }

    /// Notes the limits of the newest version, by which the runs that wait are let go.
    static func limits(of automation: UUID, _ policy: AdmissionPolicy) -> ChangeStatement {
        ChangeStatement(
            """
            UPDATE engine.automations SET place_limit = $2, rate_limit = $3, rate_window = $4 WHERE automation_id = $1
            """,
            [
                .uuid(automation), .int4(policy.concurrency.map { Int32(clamping: $0.limit) }),
                .int4(policy.rate.map { Int32(clamping: $0.limit) }),
                .int8(policy.rate.map { Int64($0.window / .microseconds(1)) }),
            ]
        )
    }
}
