extension CheckRule {
    /// A run and what belongs to it.
    static let runs = [
        CheckRule(
            "run-signals",
            "every run has the signal that started it",
            .error,
            .weeks(of: "engine.automation_runs")
        ) { weeks in
            """
            SELECT format('run %s lacks signal %s', r.run_id, r.signal_id) FROM engine.automation_runs r
            WHERE r.run_id >= $1 AND r.run_id < $2
              AND (NOT EXISTS (SELECT FROM engine.signals s WHERE s.signal_id = r.signal_id)
                   OR NOT EXISTS (SELECT FROM engine.inbox i WHERE i.signal_id = r.signal_id))
              AND \(weeks.holds("r.signal_id", in: "engine.signals"))
              AND \(weeks.holds("r.signal_id", in: "engine.inbox"))
            """
        },
        CheckRule(
            "run-keys",
            "every run is the one that the key of its signal and automation names",
            .error,
            .weeks(of: "engine.automation_runs")
        ) { weeks in
            """
            SELECT format('run %s of signal %s and %s: the key names %s', r.run_id, r.signal_id, r.automation_key,
                          coalesce(d.run_id::text, 'none'))
            FROM engine.automation_runs r
            LEFT JOIN engine.automation_dedup d ON d.signal_id = r.signal_id AND d.automation_key = r.automation_key
            WHERE r.run_id >= $1 AND r.run_id < $2 AND d.run_id IS DISTINCT FROM r.run_id
              AND \(weeks.holds("r.signal_id", in: "engine.automation_dedup"))
            """
        },
        CheckRule(
            "key-runs",
            "every key of signal and automation names a run, or it is stored why there is none",
            .error,
            .weeks(of: "engine.automation_dedup")
        ) { weeks in
            """
            SELECT format('signal %s and %s: there is no run %s', d.signal_id, d.automation_key, d.run_id)
            FROM engine.automation_dedup d LEFT JOIN engine.automation_runs r ON r.run_id = d.run_id
            WHERE d.signal_id >= $1 AND d.signal_id < $2 AND r.run_id IS NULL
              AND \(weeks.holds("d.run_id", in: "engine.automation_runs"))
              AND \(weeks.holds("d.signal_id", in: "engine.automation_skips"))
              AND NOT EXISTS (SELECT FROM engine.automation_skips k WHERE k.signal_id = d.signal_id
                                                                    AND k.automation_key = d.automation_key)
            """
        },
        CheckRule("runs-once", "no signal has started an automation twice") { _ in
            """
            SELECT format('signal %s has started %s %s times', signal_id, automation_key, count(*))
            FROM engine.automation_runs WHERE run_id >= $1 GROUP BY signal_id, automation_key HAVING count(*) > 1
            """
        },
        CheckRule(
            "run-steps",
            "every run has the steps of its definition, and one that has ended has ended in each",
            .error,
            .weeks(of: "engine.automation_runs")
        ) { _ in
            """
            SELECT format('run %s (%s) has %s steps and %s items, %s of all not ended; its definition has %s', r.run_id,
                          r.status, s.n, s.items, s.open, coalesce(v.n::text, 'none'))
            FROM engine.automation_runs r
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE parent IS NULL) AS n, count(parent) AS items,
                       count(*) FILTER (WHERE finished_at IS NULL) AS open
                FROM engine.automation_run_steps
                WHERE run_id = r.run_id AND run_id >= $1 AND run_id < $2
            ) AS s
            LEFT JOIN (
                -- Those of the automation itself, and those of its branches.
                SELECT automation_id, version, jsonb_array_length(d.definition -> 'steps') + (
                           SELECT coalesce(sum(jsonb_array_length(b.value -> 'steps')), 0)
                           FROM jsonb_each(coalesce(d.definition -> 'branches', '{}')) AS b) AS n
                FROM engine.automation_versions, LATERAL (SELECT \(LogQueries.json("definition"))) AS d (definition)
            ) AS v ON v.automation_id = r.automation_id AND v.version = r.automation_version
            WHERE r.run_id >= $1 AND r.run_id < $2
              AND (s.n IS DISTINCT FROM v.n OR r.finished_at IS NOT NULL AND s.open > 0)
            """
        },
        CheckRule(
            "attempts",
            "a step succeeds once in each of its turns, with the last attempt of the turn, and fences never go back",
            .error,
            .weeks(of: "engine.step_attempts")
        ) { _ in
            """
            SELECT format('step %s of run %s: %s attempts up to number %s, %s of them succeeded; fences %s, the run has %s',
                          a.position, a.run_id, a.n, a.last, a.successes, a.fences, coalesce(r.fence::text, 'none'))
            FROM (
                SELECT run_id, position, count(*) AS n, max(number) AS last,
                       count(*) FILTER (WHERE outcome = 'succeeded') AS successes,
                       max(number) FILTER (WHERE outcome = 'succeeded') AS succeeded,
                       -- A step goes on after its success in another turn of its branch alone, which a resume begins.
                       bool_or(earlier = 'succeeded' AND fence <= before) AS goes_on,
                       max(fence) AS fence, array_agg(fence ORDER BY number) AS fences,
                       bool_or(fence < before) AS goes_back
                FROM (
                    SELECT *, lag(fence) OVER numbered AS before, lag(outcome) OVER numbered AS earlier
                    FROM engine.step_attempts WHERE run_id >= $1 AND run_id < $2
                    WINDOW numbered AS (PARTITION BY run_id, position ORDER BY number)
                ) AS attempts
                GROUP BY run_id, position
            ) AS a
            LEFT JOIN engine.automation_runs r ON r.run_id = a.run_id
            LEFT JOIN engine.automation_run_steps s ON s.run_id = a.run_id AND s.position = a.position
            WHERE a.goes_on OR a.n <> a.last OR a.goes_back
               OR (a.successes > 1 OR a.succeeded < a.last) AND coalesce(s.attempts_before, 0) = 0
               OR r.fence IS NULL OR a.fence > r.fence
            """
        },
        CheckRule("run-ends", "every run has one entry of each of its ends, in the log or on its way") { weeks in
            """
            WITH resumes AS (
                SELECT run::uuid AS run_id, count(DISTINCT id) AS n FROM (
                    SELECT e.entry -> 'object' ->> 'id' AS run, e.entry ->> 'id' AS id
                    FROM (\(LogQueries.entries(of: "run.resume", inOutboxOf: "engine"))) AS e (entry)
                ) AS found
                WHERE run ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' GROUP BY 1
            ), ends AS (
                SELECT e.entry -> 'object' ->> 'id' AS run, e.entry -> 'after' ->> 'status' AS status,
                       e.entry ->> 'id' AS id
                FROM (\(LogQueries.entries(of: "run.end", inOutboxOf: "engine"))) AS e (entry)
            ), counted AS (
                SELECT run::uuid AS run_id, count(DISTINCT id) AS n, array_agg(status) AS statuses FROM ends
                WHERE run ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' GROUP BY 1
            )
            SELECT format('run %s is %s and has %s entries, of the status %s', coalesce(r.run_id, c.run_id),
                          coalesce(r.status, 'not there'), coalesce(c.n, 0), coalesce(c.statuses::text, 'none'))
            FROM (SELECT run_id, status, finished_at FROM engine.automation_runs WHERE run_id >= $1) AS r
            FULL JOIN (
                SELECT * FROM counted WHERE run_id >= $1 AND \(weeks.holds("run_id", in: "engine.automation_runs"))
            ) AS c ON c.run_id = r.run_id
            LEFT JOIN resumes ON resumes.run_id = coalesce(r.run_id, c.run_id)
            WHERE r.run_id IS NULL
               OR coalesce(c.n, 0) <> coalesce(resumes.n, 0) + (r.finished_at IS NOT NULL)::integer
               OR r.finished_at IS NOT NULL AND r.status <> ALL (c.statuses)
            """
        },
    ]
}
