import Persistence

/// What a step waits for besides a time: somebody else brings it, and the run goes on.
struct StepWait: Equatable, Sendable {
    /// Who or what brings it.
    enum Kind: String, Sendable {
        case approval
    }

    var position: Int
    var kind: Kind
    /// What is asked for, as JSON.
    var request: [UInt8]
}

extension RunRepository {
    /// What a batch of updates writes about what steps wait for.
    ///
    /// - Returns: No statement where no step waits for anything but a time.
    static func waiting(_ updates: [RunUpdate]) -> [PostgresStatement] {
        var statements: [PostgresStatement] = []
        let opened = updates.flatMap { update in update.change.opened.map { (update.record, $0) } }
        if !opened.isEmpty {
            statements.append(
                PostgresStatement(
                    """
                    INSERT INTO engine.step_waits (run_id, position, tenant, kind, request, opened_at)
                    SELECT w.run_id, w.position, w.tenant, w.kind, w.request, clock_timestamp()
                    FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[])
                        AS w (run_id, position, tenant, kind, request)
                    ON CONFLICT (run_id, position) DO UPDATE
                    SET request = excluded.request, outcome = NULL, opened_at = excluded.opened_at
                    """,
                    [
                        .uuidArray(opened.map(\.0.id)), .int4Array(opened.map { Int32($0.1.position) }),
                        .textArray(opened.map(\.0.tenant)), .textArray(opened.map(\.1.kind.rawValue)),
                        .textBytesArray(opened.map(\.1.request)),
                    ]
                )
            )
        }
        let closed = updates.flatMap { update in update.change.closed.sorted().map { (update.record.id, Int32($0)) } }
        if !closed.isEmpty {
            statements.append(
                PostgresStatement(
                    """
                    DELETE FROM engine.step_waits w USING unnest($1::uuid[], $2::integer[]) AS c (run_id, position)
                    WHERE w.run_id = c.run_id AND w.position = c.position
                    """,
                    [.uuidArray(closed.map(\.0)), .int4Array(closed.map(\.1))]
                )
            )
        }
        return statements
    }
}
