extension Invariants {
    /// What must not be of attempts, of their fences, and of runs that wait.
    static let attemptRules = [
        (
            "a step succeeds once",
            """
            SELECT format('step %s of %s has %s successful attempts', a.position, a.run_id, count(*))
            FROM engine.step_attempts a JOIN engine.automation_run_steps s USING (run_id, position)
            -- A branch that has its turn again succeeds again.
            WHERE a.outcome = 'succeeded' AND s.attempts_before = 0
            GROUP BY a.run_id, a.position HAVING count(*) > 1
            """
        ),
        (
            "the attempts at a step are numbered without a gap, and each has an outcome",
            """
            SELECT format('step %s of %s: %s attempts up to %s, %s without an outcome', position, run_id, count(*),
                          max(number), count(*) FILTER (WHERE outcome IS NULL))
            FROM engine.step_attempts GROUP BY run_id, position
            HAVING count(*) <> max(number) OR min(number) <> 1 OR count(*) FILTER (WHERE outcome IS NULL) > 0
            """
        ),
        (
            "an attempt at a step is followed by none under an older fence",
            """
            SELECT format('attempt %s at step %s of %s has fence %s after %s', number, position, run_id, fence, before)
            FROM (
                SELECT *, max(fence) OVER (PARTITION BY run_id, position ORDER BY number
                                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
                FROM engine.step_attempts
            ) AS a WHERE fence < before
            """
        ),
        (
            "no attempt has a fence that its run never had",
            """
            SELECT format('%s has fence %s, an attempt %s', r.run_id, r.fence, max(a.fence))
            FROM engine.automation_runs r JOIN engine.step_attempts a USING (run_id)
            GROUP BY r.run_id, r.fence HAVING max(a.fence) > r.fence
            """
        ),
        (
            "one instance works under a fence",
            """
            SELECT format('%s under fence %s: %s instances', run_id, fence, count(DISTINCT instance))
            FROM engine.step_attempts GROUP BY run_id, fence HAVING count(DISTINCT instance) > 1
            """
        ),
        (
            "a run is parked for one step, whose outcome is unknown",
            """
            SELECT format('%s is %s and has %s such steps', r.run_id, r.status, count(s.*))
            FROM engine.automation_runs r
            LEFT JOIN engine.automation_run_steps s ON s.run_id = r.run_id AND s.status = 'unknown'
            GROUP BY r.run_id, r.status
            HAVING count(s.*) <> CASE r.status WHEN 'unknown' THEN 1 ELSE 0 END
            """
        ),
        (
            "only a run that waits has a timer",
            """
            SELECT format('%s is %s', t.run_id, coalesce(r.status, 'nowhere'))
            FROM engine.timers t LEFT JOIN engine.automation_runs r USING (run_id)
            WHERE r.status IS DISTINCT FROM 'waiting'
            """
        ),
    ]
}
