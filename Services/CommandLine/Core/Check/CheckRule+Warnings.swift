import Persistence

extension CheckRule {
    /// What is no contradiction and should not stay as it is.
    static let warnings = [
        CheckRule("runs-driven", "every run under way has an engine that works on it", .warning) { _ in
            """
            SELECT format('run %s has been without one since %s', r.run_id,
                          coalesce(i.lease_until::text, 'before the memory of its engine'))
            FROM engine.automation_runs r LEFT JOIN engine.instances i ON i.instance = r.owner
            WHERE r.finished_at IS NULL AND r.status = 'running'
              AND coalesce(i.lease_until, '-infinity') < now() - interval '5 minutes'
            """
        },
        CheckRule("waits-due", "no wait is overdue", .warning) { _ in
            """
            SELECT format('run %s was to go on at %s', run_id, due_at) FROM engine.timers
            WHERE due_at < now() - interval '5 minutes'
            """
        },
        CheckRule("replays-driven", "every replay under way has a gateway that works on it", .warning) { _ in
            """
            SELECT format('replay %s of %s was to go on at %s', replay_id, tenant, due_at) FROM gateway.replays
            WHERE status = 'running' AND due_at < now() - interval '5 minutes'
            """
        },
        CheckRule("dead-letters", "nothing was put away and waits for a person", .warning) { _ in
            ServiceSchema.allCases.map { schema in
                """
                SELECT format('dead letter %s of \(schema.name), received %s: %s', dead_letter_id, received_at,
                              left(reason, 200))
                FROM \(schema.name).dead_letters WHERE state = 'waiting'
                """
            }
            .joined(separator: " UNION ALL ")
        },
        CheckRule("early-entries", "no entry of the log waits for one before it", .warning) { _ in
            """
            SELECT format('lane %s/%s: number %s has waited since %s', producer, epoch, min(seq), min(received_at))
            FROM audit.early_entries GROUP BY producer, epoch HAVING min(received_at) < now() - interval '5 minutes'
            """
        },
        CheckRule("messages-arrive", "no message has been on its way for ten minutes", .warning) { _ in
            ["gateway", "engine", "scheduler", "jobs"].map { schema in
                """
                SELECT format('%s messages of lane %s of \(schema), the oldest of %s', count(*), l.epoch,
                              min(\(schema).uuid7_time(o.message_id)))
                FROM \(schema).lanes l
                JOIN \(schema).outbox o ON o.epoch = l.epoch AND o.last_seq > CASE o.destination
                    WHEN 'signals' THEN l.signals_verified WHEN 'commands' THEN l.commands_verified
                    ELSE l.audit_verified END
                WHERE (l.signals_verified < l.signals_last OR l.commands_verified < l.commands_last
                       OR l.audit_verified < l.audit_last)
                  AND o.message_id < \(schema).uuid7_floor(now() - interval '10 minutes')
                GROUP BY l.epoch
                """
            }
            .joined(separator: " UNION ALL ")
        },
    ]
}
