extension CheckRule {
    /// Messages of lanes that their consumer is not known to hold, as rows of schema and items.
    static let signalsUnderWay = ["gateway", "engine"].map { schema in
        """
        SELECT item AS signal_id FROM \(schema).lanes l
        JOIN \(schema).outbox o ON o.epoch = l.epoch AND o.destination = 'signals' AND o.last_seq > l.signals_verified
        CROSS JOIN unnest(o.items) AS item
        WHERE l.signals_verified < l.signals_last
        """
    }
    .joined(separator: " UNION ALL ")

    /// Signals that were accepted or emitted in a week.
    private static let stored = """
        SELECT signal_id, tenant, type, event FROM gateway.signals WHERE signal_id >= $1 AND signal_id < $2
        UNION ALL
        SELECT signal_id, tenant, type, event FROM engine.signal_emissions WHERE signal_id >= $1 AND signal_id < $2
        """

    /// Whether a signal was made for a dry run, which emits none: only its run and the run's copy of it are stored.
    private static func isOfDryRun(_ signal: String) -> String {
        """
        EXISTS (SELECT FROM engine.automation_dedup d JOIN engine.automation_runs r USING (run_id)
                WHERE d.signal_id = \(signal) AND r.dry_run)
        """
    }

    /// From a signal to the engine.
    static let signals = [
        CheckRule(
            "signals-processed",
            "every accepted signal is processed, put away, or on its way",
            .error,
            .weeks(of: "engine.inbox")
        ) { _ in
            """
            WITH under_way AS MATERIALIZED (\(signalsUnderWay))
            SELECT format('signal %s of %s was neither processed nor put away, and is not on its way', s.signal_id, s.tenant)
            FROM (\(stored)) AS s
            WHERE NOT EXISTS (SELECT FROM engine.inbox i
                              WHERE i.signal_id = s.signal_id AND i.signal_id >= $1 AND i.signal_id < $2)
              AND NOT EXISTS (SELECT FROM engine.dead_letters d WHERE d.item_id = s.signal_id)
              AND NOT EXISTS (SELECT FROM under_way u WHERE u.signal_id = s.signal_id)
            """
        },
        CheckRule(
            "signals-accepted",
            "the engine has processed only signals that were accepted or emitted",
            .error,
            .weeks(of: "engine.inbox")
        ) { weeks in
            """
            SELECT format('signal %s of %s, type %s, is stored nowhere but in the engine', i.signal_id, i.tenant,
                          i.signal_type)
            FROM engine.inbox i LEFT JOIN (\(stored)) AS s ON s.signal_id = i.signal_id AND s.tenant = i.tenant
            WHERE i.signal_id >= $1 AND i.signal_id < $2 AND s.type IS DISTINCT FROM i.signal_type
              AND NOT (s.signal_id IS NULL AND \(isOfDryRun("i.signal_id")))
              AND \(weeks.holds("i.signal_id", in: "engine.automation_dedup"))
              AND \(weeks.holds("i.signal_id", in: "engine.automation_runs"))
              AND \(weeks.holds("i.signal_id", in: "gateway.signals"))
              AND \(weeks.holds("i.signal_id", in: "engine.signal_emissions"))
            """
        },
        CheckRule(
            "signal-copies",
            "the engine's copy of a signal is what was accepted",
            .error,
            .weeks(of: "engine.signals")
        ) { weeks in
            """
            SELECT format('signal %s of %s', e.signal_id, e.tenant)
            FROM engine.signals e LEFT JOIN (\(stored)) AS s ON s.signal_id = e.signal_id AND s.tenant = e.tenant
            WHERE e.signal_id >= $1 AND e.signal_id < $2 AND s.event IS DISTINCT FROM e.event
              AND NOT (s.signal_id IS NULL AND \(isOfDryRun("e.signal_id")))
              AND \(weeks.holds("e.signal_id", in: "engine.automation_dedup"))
              AND \(weeks.holds("e.signal_id", in: "engine.automation_runs"))
              AND \(weeks.holds("e.signal_id", in: "gateway.signals"))
              AND \(weeks.holds("e.signal_id", in: "engine.signal_emissions"))
            """
        },
        CheckRule("replays-sent", "every replay has sent each of its signals once, and as many as it says") { weeks in
            #"""
            WITH reruns AS (
                -- What the gateway itself has written comes last, and no data can end like that.
                SELECT m.found[1] AS original, m.found[2]::uuid AS replay_id
                FROM gateway.signals s
                CROSS JOIN LATERAL regexp_match(s.event, ',"batutametadata":"(?:[^"\\]|\\.)*'
                    || '\\"rerun_of\\":\\"([0-9a-f-]{36})\\",\\"replay_id\\":\\"([0-9a-f-]{36})\\"\}"\}$') AS m (found)
                WHERE s.signal_id >= $2 AND s.source = '/batuta/rerun' AND m.found IS NOT NULL
            ), sent AS (
                SELECT replay_id, count(*) AS n, count(DISTINCT original) AS distinct_n FROM reruns GROUP BY 1
            )
            SELECT format('replay %s of %s says %s signals, and has sent %s, of %s signals', r.replay_id, r.tenant,
                          r.replayed, coalesce(s.n, 0), coalesce(s.distinct_n, 0))
            FROM gateway.replays r LEFT JOIN sent s ON s.replay_id = r.replay_id
            WHERE r.replay_id >= $1 AND NOT r.dry_run
              AND (r.replayed <> coalesce(s.n, 0) OR s.n <> s.distinct_n)
              AND \#(weeks.holds("r.replay_id", in: "gateway.signals"))
            """#
        },
    ]
}
