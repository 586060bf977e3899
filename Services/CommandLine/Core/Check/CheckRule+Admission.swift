extension CheckRule {
    /// Limits, and the runs that wait because of them.
    static let admission = [
        CheckRule("limits", "of no key more runs are under way than any version of the automation allows") { _ in
            """
            SELECT format('%s runs of automation %s and key %s are under way, and at most %s may be', u.n, u.automation_id,
                          u.place_key, v.most)
            FROM (
                SELECT a.automation_id, a.place_key, count(*) AS n
                FROM engine.admissions a JOIN engine.automation_runs r USING (run_id)
                WHERE a.place_key IS NOT NULL AND r.finished_at IS NULL AND NOT r.held
                GROUP BY a.automation_id, a.place_key
            ) AS u
            CROSS JOIN LATERAL (
                -- A version without a limit lets go all that wait.
                SELECT CASE WHEN bool_and(l.most IS NOT NULL) THEN max(l.most) END AS most
                FROM engine.automation_versions v
                CROSS JOIN LATERAL (
                    SELECT (\(LogQueries.json("v.definition")) -> 'concurrency' ->> 'limit')::integer
                ) AS l (most)
                WHERE v.automation_id = u.automation_id
            ) AS v
            WHERE u.n > v.most
            """
        },
        CheckRule("held-runs", "every held run waits for something, and whatever waits is held") { _ in
            """
            SELECT format('run %s is %s, %s, and waits for %s', coalesce(r.run_id, a.run_id),
                          coalesce(r.status, 'not there'), CASE WHEN r.held THEN 'held' ELSE 'not held' END,
                          coalesce(a.stage, 'nothing'))
            FROM (SELECT run_id, status, held FROM engine.automation_runs WHERE held) AS r
            FULL JOIN (SELECT run_id, stage FROM engine.admissions WHERE stage IN ('pause', 'place', 'rate')) AS a
                USING (run_id)
            WHERE r.run_id IS NULL OR a.run_id IS NULL
            """
        },
        CheckRule(
            "skips",
            "every match that was skipped has its key, and no run",
            .error,
            .weeks(of: "engine.automation_skips")
        ) { weeks in
            """
            SELECT format('signal %s was skipped by %s: %s', k.signal_id, k.automation_key,
                          CASE WHEN d.run_id IS NULL THEN 'it has no key' ELSE 'it has started run ' || d.run_id END)
            FROM engine.automation_skips k
            LEFT JOIN engine.automation_dedup d ON d.signal_id = k.signal_id AND d.automation_key = k.automation_key
            LEFT JOIN engine.automation_runs r ON r.run_id = d.run_id
            WHERE k.signal_id >= $1 AND k.signal_id < $2 AND (d.run_id IS NULL OR r.run_id IS NOT NULL)
              AND \(weeks.holds("k.signal_id", in: "engine.automation_dedup"))
            """
        },
        CheckRule("looks-due", "whatever may let runs go is looked at", .warning) { _ in
            """
            SELECT format('run %s of automation %s was to be looked at at %s', run_id, automation_id, look_at)
            FROM engine.admissions WHERE look_at < now() - interval '5 minutes'
            """
        },
    ]
}
