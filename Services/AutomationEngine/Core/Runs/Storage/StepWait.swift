import Persistence

/// What a step waits for besides a time: somebody else brings it, and the run goes on.
struct StepWait: Equatable, Sendable {
    /// Who or what brings it.
    enum Kind: String, Sendable {
        case approval
        case signal
        /// The end of a run.
        case run
        /// The answer of a service to a call that went over the broker.
        case action
    }

    var kind: Kind
    /// What is asked for, as JSON.
    var request: [UInt8]
    /// What signals are found by.
    var shape: SignalShape?
    /// What the signal that is waited for is found by, nil until the step has begun; the signal that has started the run.
    var correlation: String?
    /// Whether the row was stored before, so that signals may have come for it already.
    var isKnown = false
    /// The attempt whose answer it is.
    var attempt: Int?
}

extension RunRepository {
    private typealias Opened = (run: RunRecord, position: Int, wait: StepWait)

    /// What a batch of updates writes about what steps wait for.
    ///
    /// - Returns: No statement where no step waits for anything but a time.
    static func waiting(_ updates: [RunUpdate]) -> [PostgresStatement] {
        var statements: [PostgresStatement] = []
        let opened: [Opened] = updates.flatMap { update in
            update.change.opened.sorted { $0.key < $1.key }.map { (update.record, $0.key, $0.value) }
        }
        let known = opened.filter(\.wait.isKnown)
        let listening = opened.filter { $0.wait.kind == .signal && !$0.wait.isKnown }
        if !listening.isEmpty { statements.append(shaping(listening)) }
        if !known.isEmpty { statements.append(holding(known)) }
        if !opened.isEmpty { statements.append(opening(opened)) }
        if !known.isEmpty { statements.append(finding(known)) }
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

    /// The runs for whose steps something has come after all; the runs are locked.
    ///
    /// - Parameters:
    ///   - updates: What is to be stored of the runs.
    ///   - positions: The steps of each that are looked at.
    /// - Returns: A statement that answers their ids.
    static func arrived(_ updates: [RunUpdate], at positions: (RunUpdate) -> some Sequence<Int>) -> PostgresStatement {
        let steps = updates.flatMap { update in positions(update).map { (update.record.id, Int32($0)) } }
        return PostgresStatement(
            """
            SELECT DISTINCT w.run_id FROM engine.step_waits w
            JOIN unnest($1::uuid[], $2::integer[]) AS t (run_id, position) USING (run_id, position)
            WHERE w.outcome IS NOT NULL AND (w.attempt IS NULL OR w.attempt = (
                SELECT s.attempt FROM engine.automation_run_steps s
                WHERE s.run_id = w.run_id AND s.position = w.position))
            """,
            [.uuidArray(steps.map(\.0)), .int4Array(steps.map(\.1))]
        )
    }

    /// A signal that has come for a row before stays there, and so does an answer of the same attempt; one of an attempt
    /// before it is none any more.
    private static func opening(_ opened: [Opened]) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO engine.step_waits (run_id, position, tenant, kind, request, signal_type, paths, correlation,
                                           attempt, opened_at)
            SELECT w.run_id, w.position, w.tenant, w.kind, w.request, w.signal_type, w.paths, w.correlation, w.attempt,
                   clock_timestamp()
            FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                        $9::integer[])
                AS w (run_id, position, tenant, kind, request, signal_type, paths, correlation, attempt)
            ON CONFLICT (run_id, position) DO UPDATE
            SET request = excluded.request, correlation = excluded.correlation, attempt = excluded.attempt,
                outcome = CASE WHEN step_waits.attempt IS NOT DISTINCT FROM excluded.attempt THEN step_waits.outcome END
            """,
            [
                .uuidArray(opened.map(\.run.id)), .int4Array(opened.map { Int32($0.position) }),
                .textArray(opened.map(\.run.tenant)), .textArray(opened.map(\.wait.kind.rawValue)),
                .textBytesArray(opened.map(\.wait.request)), .textArray(opened.map(\.wait.shape?.type)),
                .textArray(opened.map(\.wait.shape?.pathsText)), .textArray(opened.map(\.wait.correlation)),
                .int4Array(opened.map { $0.wait.attempt.map { Int32($0) } }),
            ]
        )
    }

    private static func shaping(_ listening: [Opened]) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO engine.wait_shapes (tenant, signal_type, paths)
            SELECT DISTINCT * FROM unnest($1::text[], $2::text[], $3::text[]) AS s (tenant, signal_type, paths)
            ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING
            """,
            shapes(listening)
        )
    }

    /// Waits for the batches of signals under way that may have one for these steps.
    private static func holding(_ known: [Opened]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT FROM engine.wait_shapes s WHERE (s.tenant, s.signal_type, s.paths) IN (
                SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))
            ORDER BY s.tenant, s.signal_type, s.paths FOR UPDATE
            """,
            shapes(known)
        )
    }

    /// The first signal that came since the run has begun to listen.
    private static func finding(_ known: [Opened]) -> PostgresStatement {
        PostgresStatement(
            """
            UPDATE engine.step_waits w SET outcome = (
                SELECT a.event FROM engine.awaited_signals a
                WHERE a.tenant = w.tenant AND a.signal_type = w.signal_type AND a.paths = w.paths
                  AND a.correlation = w.correlation AND a.received_at >= w.opened_at
                ORDER BY a.signal_id LIMIT 1)
            FROM unnest($1::uuid[], $2::integer[]) AS n (run_id, position)
            WHERE w.run_id = n.run_id AND w.position = n.position AND w.outcome IS NULL
            """,
            [.uuidArray(known.map(\.run.id)), .int4Array(known.map { Int32($0.position) })]
        )
    }

    private static func shapes(_ opened: [Opened]) -> [PostgresValue] {
        [
            .textArray(opened.map(\.run.tenant)), .textArray(opened.map(\.wait.shape?.type)),
            .textArray(opened.map(\.wait.shape?.pathsText)),
        ]
    }
}
