extension Invariants {
    /// What is still under way; no row when the system is at rest.
    ///
    /// `$1` is the ids of acknowledged signals.
    static let unfinished = """
        SELECT what || ': ' || n FROM (
            SELECT 'acknowledged signals without a trace in the engine' AS what, count(*) AS n
            FROM (SELECT unnest($1::uuid[]) UNION SELECT signal_id FROM gateway.signals) AS s (signal_id)
            WHERE NOT EXISTS (SELECT FROM engine.inbox i WHERE i.signal_id = s.signal_id)
              AND NOT EXISTS (SELECT FROM engine.dead_letters d WHERE d.item_id = s.signal_id)
            UNION ALL
            SELECT 'runs without an end', count(*) FROM engine.automation_runs
            -- A parked run waits for a person.
            WHERE finished_at IS NULL AND status <> 'unknown'
            UNION ALL
            SELECT 'lanes that are not verified', count(*) FROM (\(lanes)) AS l
            WHERE signals_verified < signals_last OR commands_verified < commands_last OR audit_verified < audit_last
            UNION ALL
            SELECT 'open lanes whose keeper is gone', count(*) FROM (\(lanes)) AS l
            WHERE closed_at IS NULL AND NOT EXISTS (
                SELECT FROM (SELECT * FROM gateway.instances UNION ALL SELECT * FROM engine.instances
                             UNION ALL SELECT * FROM audit.instances) AS i
                WHERE i.instance = l.keeper AND i.lease_until > now())
            UNION ALL
            SELECT 'audit entries that wait for earlier ones', count(*) FROM audit.early_entries
        ) AS counts WHERE n > 0
        """

    private static let lanes = schemas.map { "SELECT '\($0)' AS schema, * FROM \($0).lanes" }
        .joined(separator: " UNION ALL ")

    /// Those whose services have lanes.
    private static let schemas = ["gateway", "engine", "audit"]

    /// Tables of this session that the rules read.
    static let preparations = [
        "DROP TABLE IF EXISTS pg_temp.entries_read, pg_temp.lanes_read, pg_temp.expected_runs",
        """
        CREATE TEMPORARY TABLE entries_read AS
        SELECT leaf_index, tenant, entry ->> 'producer' AS producer, (entry ->> 'epoch')::bigint AS epoch,
               (entry ->> 'seq')::bigint AS seq, entry ->> 'action' AS action, entry -> 'object' ->> 'type' AS object_type,
               entry -> 'object' ->> 'id' AS object_id, entry -> 'before' AS state_before, entry -> 'after' AS after
        FROM audit.entries, LATERAL (SELECT convert_from(canonical, 'UTF8')::jsonb) AS e (entry)
        """,
        "CREATE TEMPORARY TABLE lanes_read AS \(lanes)",
        """
        CREATE TEMPORARY TABLE expected_runs AS
        SELECT i.signal_id, a.automation_key, i.tenant
        FROM engine.inbox i
        JOIN engine.automations a ON a.tenant = i.tenant
        JOIN LATERAL (
            SELECT s.status, s.signal_type, s.version FROM engine.automation_states s
            WHERE s.automation_id = a.automation_id AND s.generation <= i.generation
            ORDER BY s.generation DESC LIMIT 1
        ) AS s ON true
        JOIN engine.automation_versions v ON v.automation_id = a.automation_id AND v.version = s.version
        LEFT JOIN LATERAL (
            -- The one automation that the signal is for, where it is aimed.
            SELECT substring(g.event FROM '"batutatarget":"([^"]+)"') AS target
            FROM (SELECT signal_id, event FROM gateway.signals
                  -- What was executed by hand came through no gateway.
                  UNION ALL SELECT signal_id, event FROM engine.signals) AS g
            WHERE g.signal_id = i.signal_id
            LIMIT 1
        ) AS aim ON true
        WHERE s.status = 'active'
          -- What was skipped has its own rule.
          AND NOT EXISTS (SELECT FROM engine.automation_skips k
                          WHERE k.signal_id = i.signal_id AND k.automation_key = a.automation_key)
          -- Whether a filter matches is not judged here a second time.
          AND (v.definition::jsonb -> 'trigger' -> 'filter' IS NULL OR EXISTS (
              SELECT FROM engine.automation_runs r
              WHERE r.signal_id = i.signal_id AND r.automation_key = a.automation_key))
          AND (aim.target IS NULL OR aim.target IN (a.automation_id::text, a.automation_key))
          AND (
            aim.target IS NOT NULL OR s.signal_type = i.signal_type OR (
                right(s.signal_type, 2) = '.*' AND starts_with(i.signal_type, left(s.signal_type, -1))
                AND length(i.signal_type) > length(s.signal_type) - 1))
        """,
        // Without it the planner knows nothing of these, and takes hours where there are many rows.
        "ANALYZE entries_read, lanes_read, expected_runs",
    ]

    /// What must not be: each query answers one text for each violation.
    static let rules = signalRules + runRules + attemptRules + logRules + laneRules

    private static let signalRules = [
        (
            "a signal is stored once",
            """
            SELECT format('%s of %s is stored %s times', id, source, count(*)) FROM gateway.signals
            GROUP BY tenant, source, id HAVING count(*) > 1
            """
        ),
        (
            "the engine processes what the gateway has accepted",
            """
            SELECT format('%s in the gateway: %s, in the engine: %s', signal_id, g.type, i.signal_type)
            FROM (SELECT signal_id, tenant, type FROM gateway.signals
                  UNION ALL SELECT signal_id, tenant, type FROM engine.signal_emissions) AS g
            FULL JOIN engine.inbox i USING (signal_id, tenant)
            WHERE g.type IS DISTINCT FROM i.signal_type
              AND NOT (g.type IS NULL AND EXISTS (SELECT FROM engine.automation_runs r
                                                  WHERE r.signal_id = i.signal_id AND r.dry_run))
              AND NOT EXISTS (SELECT FROM engine.dead_letters d WHERE d.item_id = signal_id)
            """
        ),
        (
            "the engine's copy is the event as it was accepted",
            """
            SELECT e.signal_id::text FROM engine.signals e
            LEFT JOIN (SELECT signal_id, event FROM gateway.signals
                       UNION ALL SELECT signal_id, event FROM engine.signal_emissions) AS g USING (signal_id)
            WHERE e.event IS DISTINCT FROM g.event
              AND NOT (g.event IS NULL AND EXISTS (SELECT FROM engine.automation_runs r
                                                   WHERE r.signal_id = e.signal_id AND r.dry_run))
            """
        ),
    ]

    private static let runRules = [
        (
            "one run per signal and automation in force",
            """
            SELECT format('%s and %s: %s runs, %s expected', signal_id, automation_key, coalesce(r.n, 0),
                          CASE WHEN e.tenant IS NULL THEN 0 ELSE 1 END)
            FROM pg_temp.expected_runs e FULL JOIN (
                SELECT signal_id, automation_key, count(*) AS n FROM engine.automation_runs GROUP BY 1, 2
            ) AS r USING (signal_id, automation_key)
            WHERE e.tenant IS NULL OR r.n IS DISTINCT FROM 1
            """
        ),
        (
            "a run is the one that the dedupe table names",
            """
            SELECT format('%s, %s', d.run_id, r.run_id) FROM engine.automation_dedup d
            FULL JOIN engine.automation_runs r USING (signal_id, automation_key, tenant)
            WHERE d.run_id IS DISTINCT FROM r.run_id
              AND NOT (r.run_id IS NULL AND EXISTS (
                  SELECT FROM engine.automation_skips k
                  WHERE k.signal_id = d.signal_id AND k.automation_key = d.automation_key))
            """
        ),
        (
            "nothing is left of a limit when no run is under way",
            """
            SELECT format('%s is %s', a.run_id, a.stage) FROM engine.admissions a
            LEFT JOIN engine.automation_runs r USING (run_id)
            WHERE a.stage NOT IN ('freed', 'left') AND (r.run_id IS NULL OR r.finished_at IS NOT NULL)
            """
        ),
        (
            "a run has all its steps, ended",
            """
            SELECT format('%s has %s of %s steps, and %s rows that have not ended', r.run_id, s.n, v.n, s.open)
            FROM engine.automation_runs r
            JOIN (
                SELECT automation_id, version, jsonb_array_length(definition::jsonb -> 'steps') + (
                           SELECT coalesce(sum(jsonb_array_length(b.value -> 'steps')), 0)
                           FROM jsonb_each(coalesce(definition::jsonb -> 'branches', '{}')) AS b) AS n
                FROM engine.automation_versions
            ) AS v ON v.automation_id = r.automation_id AND v.version = r.automation_version
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE parent IS NULL) AS n, count(*) FILTER (WHERE finished_at IS NULL) AS open
                FROM engine.automation_run_steps WHERE run_id = r.run_id
            ) AS s
            WHERE r.status <> 'unknown' AND (s.n <> v.n OR s.open > 0)
            """
        ),
        (
            "a run leaves exactly one entry each time that it ends",
            """
            SELECT format('%s has %s entries, and was resumed %s times', coalesce(r.run_id::text, e.object_id),
                          coalesce(e.n, 0), coalesce(e.resumed, 0))
            FROM (SELECT * FROM engine.automation_runs WHERE status <> 'unknown') AS r FULL JOIN (
                SELECT object_id, count(*) FILTER (WHERE action = 'run.end') AS n,
                       count(*) FILTER (WHERE action = 'run.resume') AS resumed,
                       array_agg(after ->> 'status') FILTER (WHERE action = 'run.end') AS statuses,
                       min(after ->> 'signal_id') FILTER (WHERE action = 'run.end') AS signal_id
                FROM pg_temp.entries_read WHERE action IN ('run.end', 'run.resume') GROUP BY 1
            ) AS e ON e.object_id = r.run_id::text
            WHERE e.n IS DISTINCT FROM 1 + e.resumed OR r.status <> ALL (e.statuses)
               OR e.signal_id IS DISTINCT FROM r.signal_id::text
            """
        ),
        (
            "every change of an automation is audited",
            """
            SELECT format('%s has %s changes and %s entries', a.automation_key, s.n, coalesce(e.n, 0))
            FROM engine.automations a
            JOIN LATERAL (
                SELECT count(*) AS n FROM engine.automation_states WHERE automation_id = a.automation_id
            ) AS s ON true
            LEFT JOIN (
                SELECT object_id, count(*) FILTER (WHERE action IN ('activate', 'deactivate', 'break', 'update', 'delete',
                                                                   'pause', 'resume')) AS n,
                       count(*) FILTER (WHERE action = 'create') AS creations
                FROM pg_temp.entries_read WHERE object_type = 'automation' GROUP BY 1
            ) AS e ON e.object_id = a.automation_id::text
            WHERE e.creations IS DISTINCT FROM 1 OR e.n IS DISTINCT FROM a.revision - 1
            """
        ),
        (
            "a change of an automation begins where the one before has ended",
            """
            SELECT format('%s from %s to %s: %s changes, %s entries', object_id, before, after, coalesce(s.n, 0),
                          coalesce(e.n, 0))
            FROM (
                SELECT automation_id::text AS object_id, before, status AS after, count(*) AS n FROM (
                    SELECT *, lag(status) OVER (PARTITION BY automation_id ORDER BY generation) AS before
                    FROM engine.automation_states
                ) AS states WHERE before <> status GROUP BY 1, 2, 3
            ) AS s FULL JOIN (
                SELECT object_id, state_before ->> 'status' AS before, after ->> 'status' AS after, count(*) AS n
                FROM pg_temp.entries_read
                WHERE object_type = 'automation' AND action IN ('activate', 'deactivate', 'break', 'update')
                  AND after ? 'status'
                GROUP BY 1, 2, 3
            ) AS e USING (object_id, before, after)
            WHERE s.n IS DISTINCT FROM e.n
            """
        ),
    ]

    private static let logRules = [
        (
            "the log has no hole",
            """
            SELECT format('%s entries from %s to %s, the head says %s', count(*), min(leaf_index), max(leaf_index), h.size)
            FROM audit.head h LEFT JOIN audit.entries ON true GROUP BY h.size
            HAVING count(leaf_index) <> h.size OR count(DISTINCT leaf_index) <> h.size
                OR (h.size > 0 AND (min(leaf_index) <> 0 OR max(leaf_index) <> h.size - 1))
            """
        ),
        (
            "a leaf's hash is that of its bytes",
            """
            SELECT format('leaf %s', leaf_index) FROM audit.entries
            WHERE leaf_hash <> sha256('\\x00'::bytea || canonical)
            """
        ),
        (
            "the log stands in the order of its lanes",
            """
            SELECT format('leaf %s is number %s of %s/%s after %s', leaf_index, seq, producer, epoch, before) FROM (
                SELECT *, lag(seq, 1, 0::bigint) OVER (PARTITION BY producer, epoch ORDER BY leaf_index) AS before
                FROM pg_temp.entries_read
            ) AS e WHERE seq <> before + 1
            """
        ),
        (
            "the log holds what the lanes have committed",
            """
            SELECT format('%s/%s: the log has %s, the lane %s', producer, epoch, e.n, l.audit_last)
            FROM (SELECT * FROM pg_temp.lanes_read WHERE audit_last > 0) AS l FULL JOIN (
                SELECT producer, epoch, count(*) AS n FROM pg_temp.entries_read GROUP BY 1, 2
            ) AS e USING (producer, epoch)
            WHERE e.n IS DISTINCT FROM l.audit_last
            """
        ),
        (
            "a closed lane ends where its closing entry says",
            """
            SELECT format('%s/%s: %s entries say %s, the lane %s', l.producer, l.epoch, count(e.*), min(e.after::text),
                          l.numbers)
            FROM (
                SELECT producer, epoch, jsonb_build_object('signals', signals_last, 'commands', commands_last, 'audit',
                                                           audit_last) AS numbers
                FROM pg_temp.lanes_read WHERE closed_at IS NOT NULL
            ) AS l
            LEFT JOIN pg_temp.entries_read e
              ON e.action = 'lane.closed' AND e.object_id = l.producer || '/' || l.epoch
            GROUP BY l.producer, l.epoch, l.numbers
            HAVING count(e.*) <> 1 OR min(e.after::text)::jsonb IS DISTINCT FROM l.numbers
            """
        ),
        (
            "the segments cover the log",
            """
            SELECT format('%s/%s: %s numbers in segments, %s entries', producer, epoch, s.n, e.n)
            FROM (SELECT producer, epoch, sum(last_seq - first_seq + 1) AS n FROM audit.segments GROUP BY 1, 2) AS s
            FULL JOIN (SELECT producer, epoch, count(*) AS n FROM pg_temp.entries_read GROUP BY 1, 2) AS e
                USING (producer, epoch)
            WHERE s.n IS DISTINCT FROM e.n
            """
        ),
    ]

    private static let laneRules = schemas.flatMap { schema in
        ["signals", "commands", "audit"].map { destination in
            (
                "the outbox of \(schema) has no gap in \(destination)",
                """
                SELECT format('lane %s: %s items up to %s, the lane says %s', l.epoch, o.n, o.last, l.\(destination)_last)
                FROM \(schema).lanes l LEFT JOIN (
                    SELECT epoch, sum(last_seq - first_seq + 1) AS n, max(last_seq) AS last, min(first_seq) AS first
                    FROM \(schema).outbox WHERE destination = '\(destination)' GROUP BY 1
                ) AS o USING (epoch)
                WHERE coalesce(o.n, 0) <> l.\(destination)_last OR coalesce(o.last, 0) <> l.\(destination)_last
                   OR coalesce(o.first, 1) <> 1
                """
            )
        }
    }
}
