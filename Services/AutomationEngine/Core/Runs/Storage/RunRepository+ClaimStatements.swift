import Persistence

/// The statements that claim runs without a driver.
///
/// `$1` is the owner, `$2` how many runs in all, `$3` those that are not to be claimed, `$4` how many one tenant may have,
/// `$5` and `$6` how many each tenant has, and `$7`, where tenants take turns, the one that had the last turn.
extension RunRepository {
    // A timer may be due before the driver that has set it has let go of the run.
    static let claimingDue =
        candidates(named: "due", from: "engine.timers", where: "w.due_at <= now()", order: "w.due_at, w.run_id")
        + takingDue

    private static let takingDue = """
        , gone AS (
            DELETE FROM engine.timers t USING due WHERE t.run_id = due.run_id
        )
        UPDATE engine.automation_runs r SET owner = $1, fence = r.fence + 1, status = 'running'
        FROM due WHERE r.run_id = due.run_id AND r.status = 'waiting'
        RETURNING r.run_id, r.tenant
        """

    static let claimingQueued =
        candidates(
            named: "free",
            from: "engine.automation_runs",
            where: "w.status = 'queued' AND NOT w.held",
            order: "w.run_id"
        )
        + takingQueued

    private static let takingQueued = """

        UPDATE engine.automation_runs r SET owner = $1, fence = r.fence + 1, status = 'running'
        FROM free WHERE r.run_id = free.run_id
        RETURNING r.run_id, r.tenant
        """

    /// By owner first: few are gone, and in the order of ids all runs that ever were would be looked at.
    ///
    /// An owner has no more runs than it had slots, so all of them are ranked.
    static let claimingAbandoned = """
        WITH owners AS MATERIALIZED (
            SELECT DISTINCT owner FROM engine.automation_runs WHERE finished_at IS NULL AND owner IS NOT NULL
        ), gone AS MATERIALIZED (
            SELECT o.owner FROM owners o WHERE o.owner <> $1 AND NOT EXISTS (
                SELECT FROM engine.instances i WHERE i.instance = o.owner AND i.lease_until >= now())
        ), ranked AS MATERIALIZED (
            SELECT r.run_id, row_number() OVER (PARTITION BY r.tenant ORDER BY r.run_id) + coalesce(b.held, 0) AS place
            FROM engine.automation_runs r JOIN gone USING (owner)
            LEFT JOIN unnest($5::text[], $6::integer[]) AS b (tenant, held) ON b.tenant = r.tenant
            WHERE r.finished_at IS NULL AND r.run_id <> ALL ($3::uuid[])
        ), abandoned AS (
            SELECT r.run_id FROM ranked JOIN engine.automation_runs r USING (run_id) JOIN gone USING (owner)
            WHERE ranked.place <= $4::bigint AND r.finished_at IS NULL
            ORDER BY ranked.place, r.run_id LIMIT $2::bigint FOR UPDATE OF r SKIP LOCKED
        )
        UPDATE engine.automation_runs r SET owner = $1, fence = r.fence + 1, status = 'running'
        FROM abandoned WHERE r.run_id = abandoned.run_id
        RETURNING r.run_id, r.tenant
        """

    /// Locks what waits, of each tenant that has room an equal part, beginning after the one that had the last turn.
    ///
    /// The tenants are found by jumps through the index, so a tenant costs the same whether one of its runs waits or a
    /// hundred thousand; a thousand of them are looked at.
    private static func candidates(
        named name: String,
        from table: String,
        where condition: String,
        order: String
    ) -> String {
        """
        WITH RECURSIVE tenants (tenant, number) AS (
            (SELECT w.tenant, 1 FROM \(table) w WHERE \(condition) ORDER BY w.tenant LIMIT 1)
            UNION ALL
            SELECT following.tenant, t.number + 1 FROM tenants t CROSS JOIN LATERAL (
                SELECT w.tenant FROM \(table) w WHERE \(condition) AND w.tenant > t.tenant ORDER BY w.tenant LIMIT 1
            ) following
            WHERE t.number < 1000
        ), rooms AS MATERIALIZED (
            SELECT t.tenant, $4::bigint - coalesce(b.held, 0) AS room
            FROM tenants t LEFT JOIN unnest($5::text[], $6::integer[]) AS b (tenant, held) ON b.tenant = t.tenant
            WHERE coalesce(b.held, 0) < $4::bigint
        ), \(name) AS (
            SELECT c.run_id FROM rooms CROSS JOIN LATERAL (
                SELECT w.run_id FROM \(table) w
                WHERE \(condition) AND w.tenant = rooms.tenant AND w.run_id <> ALL ($3::uuid[])
                ORDER BY \(order)
                LIMIT least(rooms.room, greatest(1, $2::bigint / (SELECT count(*) FROM rooms)))
                FOR UPDATE SKIP LOCKED
            ) c
            ORDER BY rooms.tenant <= $7::text, rooms.tenant, c.run_id LIMIT $2::bigint
        )
        """
    }
}
