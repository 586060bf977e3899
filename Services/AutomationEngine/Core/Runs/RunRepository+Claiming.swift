import Domain
import FoundationEssentials
import Persistence

extension RunRepository {
    /// Claims runs that nobody works on.
    ///
    /// Those are the ones whose timer is due, those in the queue, and those whose owner is gone or does not know of them.
    /// Each has a higher fence afterwards, under which an earlier driver's writes find no row.
    ///
    /// - Parameters:
    ///   - limit: How many at most.
    ///   - owner: Who claims.
    ///   - held: The runs that the owner works on already.
    ///   - deadline: When to give up.
    /// - Returns: The ids of the claimed runs.
    /// - Throws: `PostgresError`; runs may be claimed all the same, and are found again.
    func claim(
        limit: Int,
        owner: UUID,
        held: [UUID],
        deadline: ContinuousClock.Instant
    ) async throws -> [UUID] {
        var claimed: [UUID] = []
        for statement in [Self.claimingDue, Self.claimingQueued, Self.claimingAbandoned] where claimed.count < limit {
            let rows = try await database.execute(
                PostgresStatement(
                    statement,
                    [.uuid(owner), .int(limit - claimed.count), .uuidArray(held + claimed)]
                ),
                deadline: deadline
            )
            claimed += try rows.map { try $0.decode(0) }
        }
        return claimed
    }

    /// When the next timer is due, in microseconds of Unix time; nil where there is none.
    func nextTimer(deadline: ContinuousClock.Instant) async throws -> Int64? {
        let rows = try await database.execute(
            PostgresStatement("SELECT min(due_at) FROM engine.timers", isReadOnly: true),
            deadline: deadline
        )
        return try rows.first?.decode(0, as: PostgresTimestamp?.self)?.microsecondsSinceEpoch
    }

    private static let claimingDue = """
        WITH due AS (
            -- A timer may be due before the driver that has set it has let go of the run.
            SELECT run_id FROM engine.timers WHERE due_at <= now() AND run_id <> ALL ($3::uuid[])
            ORDER BY due_at, run_id LIMIT $2 FOR UPDATE SKIP LOCKED
        ), gone AS (
            DELETE FROM engine.timers t USING due WHERE t.run_id = due.run_id
        )
        UPDATE engine.automation_runs r SET owner = $1, fence = r.fence + 1, status = 'running'
        FROM due WHERE r.run_id = due.run_id AND r.status = 'waiting'
        RETURNING r.run_id
        """

    private static let claimingQueued = """
        WITH free AS (
            SELECT run_id FROM engine.automation_runs WHERE status = 'queued' AND run_id <> ALL ($3::uuid[])
            ORDER BY run_id LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        UPDATE engine.automation_runs r SET owner = $1, fence = r.fence + 1, status = 'running'
        FROM free WHERE r.run_id = free.run_id
        RETURNING r.run_id
        """

    /// An owner that does not know of its run has lost the answer to a claim.
    private static let claimingAbandoned = """
        WITH abandoned AS (
            SELECT r.run_id FROM engine.automation_runs r
            WHERE r.finished_at IS NULL AND r.owner IS NOT NULL AND r.run_id <> ALL ($3::uuid[])
              AND (r.owner = $1 OR NOT EXISTS (
                  SELECT FROM engine.instances i WHERE i.instance = r.owner AND i.lease_until >= now()))
            ORDER BY r.run_id LIMIT $2 FOR UPDATE OF r SKIP LOCKED
        )
        UPDATE engine.automation_runs r SET owner = $1, fence = r.fence + 1, status = 'running'
        FROM abandoned WHERE r.run_id = abandoned.run_id
        RETURNING r.run_id
        """
}
