import Domain
import FoundationEssentials
import Persistence

extension RunRepository {
    /// Claims runs that nobody works on.
    ///
    /// Those are the ones whose owner is gone, whose timer is due, or that wait in the queue. Each has a higher fence
    /// afterwards, under which an earlier driver's writes find no row.
    ///
    /// - Parameters:
    ///   - limit: How many at most.
    ///   - owner: Who claims.
    ///   - held: Runs that are not to be claimed now.
    ///   - deadline: When to give up.
    /// - Returns: The ids of the claimed runs.
    /// - Throws: `PostgresError`; runs may be claimed all the same, and are found by ``claimOrphans``.
    func claim(
        limit: Int,
        owner: UUID,
        held: [UUID],
        deadline: ContinuousClock.Instant
    ) async throws -> [UUID] {
        var claimed: [UUID] = []
        for statement in [Self.claimingAbandoned, Self.claimingDue, Self.claimingQueued] where claimed.count < limit {
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

    /// Claims the owner's runs that it does not drive, because the answer to a claim or a commit was lost.
    ///
    /// - Parameters:
    ///   - limit: How many at most.
    ///   - owner: Whose runs.
    ///   - held: Asked after the rows were read: a run is entered there before its row can be seen, so a row that is seen
    ///     and not held has no driver.
    ///   - deadline: When to give up.
    /// - Returns: The ids of the claimed runs.
    /// - Throws: `PostgresError`.
    func claimOrphans(
        limit: Int,
        owner: UUID,
        held: () -> [UUID],
        deadline: ContinuousClock.Instant
    ) async throws -> [UUID] {
        let rows = try await database.execute(
            PostgresStatement(
                "SELECT run_id, fence FROM engine.automation_runs WHERE owner = $1 AND finished_at IS NULL",
                [.uuid(owner)],
                isReadOnly: true
            ),
            deadline: deadline
        )
        let seen = try rows.map { (id: try $0.decode(0, as: UUID.self), fence: try $0.decode(1, as: Int64.self)) }
        let driven = Set(held())
        let orphans = seen.filter { !driven.contains($0.id) }.prefix(limit)
        guard !orphans.isEmpty else {
            return []
        }
        let claimed = try await database.execute(
            PostgresStatement(
                """
                UPDATE engine.automation_runs r SET fence = r.fence + 1
                FROM unnest($2::uuid[], $3::bigint[]) AS seen (run_id, fence)
                WHERE r.run_id = seen.run_id AND r.fence = seen.fence AND r.owner = $1 AND r.finished_at IS NULL
                RETURNING r.run_id
                """,
                [.uuid(owner), .uuidArray(orphans.map(\.id)), .int8Array(orphans.map(\.fence))]
            ),
            deadline: deadline
        )
        return try claimed.map { try $0.decode(0) }
    }

    /// Gives a claimed run back, for whoever can go on with it.
    ///
    /// - Throws: `PostgresError`.
    func release(_ run: UUID, owner: UUID, deadline: ContinuousClock.Instant) async throws {
        _ = try await database.execute(
            PostgresStatement(
                """
                UPDATE engine.automation_runs SET status = 'queued', owner = NULL
                WHERE run_id = $1 AND owner = $2 AND finished_at IS NULL
                """,
                [.uuid(run), .uuid(owner)]
            ),
            deadline: deadline
        )
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

    /// By owner first: few are gone, and in the order of ids all runs that ever were would be looked at.
    private static let claimingAbandoned = """
        WITH owners AS MATERIALIZED (
            SELECT DISTINCT owner FROM engine.automation_runs WHERE finished_at IS NULL AND owner IS NOT NULL
        ), gone AS MATERIALIZED (
            SELECT o.owner FROM owners o WHERE o.owner <> $1 AND NOT EXISTS (
                SELECT FROM engine.instances i WHERE i.instance = o.owner AND i.lease_until >= now())
        ), abandoned AS (
            SELECT r.run_id FROM engine.automation_runs r JOIN gone USING (owner)
            WHERE r.finished_at IS NULL AND r.run_id <> ALL ($3::uuid[])
            LIMIT $2 FOR UPDATE OF r SKIP LOCKED
        )
        UPDATE engine.automation_runs r SET owner = $1, fence = r.fence + 1, status = 'running'
        FROM abandoned WHERE r.run_id = abandoned.run_id
        RETURNING r.run_id
        """
}
