import FoundationEssentials
import Persistence

extension HeldRunRepository {
    /// Puts right what a release before, which knows of no admission, has left, and deletes what is past.
    ///
    /// One replica at a time does it; another one finds nothing to do.
    ///
    /// - Throws: `PostgresError`.
    func repair(deadline: ContinuousClock.Instant) async throws {
        try await database.withTransaction(deadline: deadline) { transaction in
            let rows = try await transaction.execute(
                PostgresStatement("SELECT pg_try_advisory_xact_lock(hashtextextended('engine.held_runs', 0))")
            )
            guard try rows.first?.decode(0, as: Bool.self) == true else {
                return
            }
            _ = try await transaction.commit(Self.repairing)
        }
    }

    private static let repairing = [
        // Runs that have ended without giving their place back.
        PostgresStatement(
            """
            UPDATE engine.admissions a SET stage = 'freed', look_at = now()
            FROM (
                SELECT w.run_id FROM engine.admissions w JOIN engine.automation_runs r ON r.run_id = w.run_id
                WHERE w.stage IN ('rate', 'going') AND r.finished_at IS NOT NULL
                LIMIT 10000 FOR UPDATE OF w SKIP LOCKED
            ) AS ended
            WHERE a.run_id = ended.run_id
            """
        ),
        // Gates at which somebody waits.
        PostgresStatement(
            """
            INSERT INTO engine.gates (automation_id, kind, key, expires_at)
            SELECT DISTINCT w.automation_id, w.stage, CASE w.stage WHEN 'place' THEN w.place_key
                   WHEN 'rate' THEN w.rate_key ELSE '' END, now() + interval '1 hour'
            FROM engine.admissions w WHERE w.stage IN ('pause', 'place', 'rate')
            ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING
            """
        ),
        PostgresStatement(
            """
            UPDATE engine.admissions a SET look_at = now()
            FROM (
                SELECT w.run_id FROM engine.admissions w
                WHERE w.look_at IS NULL AND w.run_id = ANY (ARRAY(\(heads("""
                    NOT EXISTS (SELECT FROM engine.automations p WHERE p.automation_id = w.automation_id AND p.paused)
                    """))))
                FOR UPDATE SKIP LOCKED
            ) AS head
            WHERE a.run_id = head.run_id
            """
        ),
        PostgresStatement(
            """
            DELETE FROM engine.rate_starts WHERE (automation_id, key, started_at, run_id) IN (
                SELECT automation_id, key, started_at, run_id FROM engine.rate_starts
                WHERE expires_at < now() LIMIT 50000)
            """
        ),
        PostgresStatement(
            """
            DELETE FROM engine.gates WHERE (automation_id, kind, key) IN (
                SELECT g.automation_id, g.kind, g.key FROM engine.gates g
                WHERE g.expires_at < now() AND NOT EXISTS (
                    SELECT FROM engine.admissions a WHERE a.automation_id = g.automation_id AND (
                        g.kind = 'pause' AND a.stage IN ('pause', 'left') OR g.kind = 'place' AND a.place_key = g.key
                        OR g.kind = 'rate' AND a.rate_key = g.key))
                LIMIT 50000 FOR UPDATE OF g SKIP LOCKED)
            """
        ),
    ]
}
