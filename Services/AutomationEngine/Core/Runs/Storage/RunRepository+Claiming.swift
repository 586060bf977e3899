import Domain
import FoundationEssentials
import Persistence

/// Whose turn it is among the tenants whose runs wait: those after the one that had the last.
struct ClaimTurns: Equatable, Sendable {
    var due = ""
    var queued = ""
}

extension RunRepository {
    /// Claims runs that nobody works on, of all tenants in turn.
    ///
    /// Those are the ones whose owner is gone, whose timer is due, or that wait in the queue. Each has a higher fence
    /// afterwards, under which an earlier driver's writes find no row.
    ///
    /// - Parameters:
    ///   - room: How many at most, in all and of each tenant.
    ///   - turns: Whose turn it is; moved on.
    ///   - owner: Who claims.
    ///   - held: Runs that are not to be claimed now.
    ///   - deadline: When to give up.
    /// - Returns: The claimed runs.
    /// - Throws: `PostgresError`; runs may be claimed all the same, and are found by ``claimOrphans``.
    func claim(
        room: RunRoom,
        turns: inout ClaimTurns,
        owner: UUID,
        held: [UUID],
        deadline: ContinuousClock.Instant
    ) async throws -> [ClaimedRun] {
        var room = room
        var claimed: [ClaimedRun] = []
        func take(_ statement: String, after tenant: String? = nil) async throws -> String? {
            guard room.limit > 0 else {
                return nil
            }
            let values = Self.values(room, owner: owner, held: held + claimed.map(\.id))
            let rows = try await database.execute(
                PostgresStatement(statement, values + (tenant.map { [.text($0)] } ?? [])),
                deadline: deadline
            )
            let more = try rows.map { ClaimedRun(id: try $0.decode(0), tenant: try $0.decode(1)) }
            room.take(more)
            claimed += more
            return tenant.flatMap { Self.turn(after: $0, more) }
        }
        _ = try await take(Self.claimingAbandoned)
        turns.due = try await take(Self.claimingDue, after: turns.due) ?? turns.due
        turns.queued = try await take(Self.claimingQueued, after: turns.queued) ?? turns.queued
        return claimed
    }

    /// Claims the owner's runs that it does not drive, because the answer to a claim or a commit was lost.
    ///
    /// - Parameters:
    ///   - room: How many at most, in all and of each tenant.
    ///   - owner: Whose runs.
    ///   - held: Asked after the rows were read: a run is entered there before its row can be seen, so a row that is seen
    ///     and not held has no driver.
    ///   - deadline: When to give up.
    /// - Returns: The claimed runs.
    /// - Throws: `PostgresError`.
    func claimOrphans(
        room: RunRoom,
        owner: UUID,
        held: () -> [UUID],
        deadline: ContinuousClock.Instant
    ) async throws -> [ClaimedRun] {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT run_id, tenant, fence FROM engine.automation_runs
                WHERE owner = $1 AND finished_at IS NULL ORDER BY run_id
                """,
                [.uuid(owner)],
                isReadOnly: true
            ),
            deadline: deadline
        )
        let seen = try rows.map { ClaimedRun(id: try $0.decode(0), tenant: try $0.decode(1)) }
        let fences = Dictionary(uniqueKeysWithValues: zip(seen, try rows.map { try $0.decode(2, as: Int64.self) }))
        let driven = Set(held())
        let orphans = room.choose(seen.filter { !driven.contains($0.id) })
        guard !orphans.isEmpty else {
            return []
        }
        let claimed = try await database.execute(
            PostgresStatement(
                """
                UPDATE engine.automation_runs r SET fence = r.fence + 1
                FROM unnest($2::uuid[], $3::bigint[]) AS seen (run_id, fence)
                WHERE r.run_id = seen.run_id AND r.fence = seen.fence AND r.owner = $1 AND r.finished_at IS NULL
                RETURNING r.run_id, r.tenant
                """,
                [.uuid(owner), .uuidArray(orphans.map(\.id)), .int8Array(orphans.compactMap { fences[$0] })]
            ),
            deadline: deadline
        )
        return try claimed.map { ClaimedRun(id: try $0.decode(0), tenant: try $0.decode(1)) }
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

    /// How long it is until the next timer is due, by the clock of the database; nil where there is none.
    ///
    /// - Parameters:
    ///   - isToCome: Whether timers that are due already do not count, because their runs cannot be claimed now.
    ///   - deadline: When to give up.
    /// - Returns: The time left, which is negative where a timer is due already.
    /// - Throws: `PostgresError`.
    func nextTimer(isToCome: Bool, deadline: ContinuousClock.Instant) async throws -> Duration? {
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8
                FROM engine.timers\(isToCome ? " WHERE due_at > now()" : "")
                """,
                isReadOnly: true
            ),
            deadline: deadline
        )
        return try rows.first?.decode(0, as: Double?.self).map { .seconds($0) }
    }

    private static func values(_ room: RunRoom, owner: UUID, held: [UUID]) -> [PostgresValue] {
        let busy = room.held.map { $0 }
        return [
            .uuid(owner), .int(room.limit), .uuidArray(held), .int(room.share), .textArray(busy.map(\.key)),
            .int4Array(busy.map { Int32(clamping: $0.value) }),
        ]
    }

    /// The last tenant of those claimed, in the order in which they had their turns.
    private static func turn(after tenant: String, _ claimed: [ClaimedRun]) -> String? {
        let wrapped = claimed.map(\.tenant).filter { !isAfter($0, tenant) }
        return (wrapped.isEmpty ? claimed.map(\.tenant) : wrapped).max { isAfter($1, $0) }
    }

    /// The order of the database, whose collation is that of bytes.
    private static func isAfter(_ one: String, _ other: String) -> Bool {
        other.utf8.lexicographicallyPrecedes(one.utf8)
    }
}
