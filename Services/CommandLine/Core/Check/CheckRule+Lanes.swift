extension CheckRule {
    private static let senders = ["gateway", "engine", "scheduler", "jobs"]

    /// Lanes, and what their consumers hold.
    static let lanes = [
        CheckRule("outbox", "the outbox holds every message that its consumer is not known to hold") { _ in
            senders.flatMap { schema in
                ["signals", "commands", "audit"].map { destination in
                    """
                    SELECT format('lane %s of \(schema), \(destination): %s of the numbers from %s to %s', l.epoch, m.n,
                                  l.\(destination)_verified + 1, l.\(destination)_last)
                    FROM \(schema).lanes l
                    CROSS JOIN LATERAL (
                        SELECT coalesce(sum(o.last_seq - greatest(o.first_seq, l.\(destination)_verified + 1) + 1), 0) AS n,
                               bool_or(o.first_seq <= o.before OR o.last_seq > l.\(destination)_last) AS is_wrong
                        FROM (
                            SELECT first_seq, last_seq, lag(last_seq) OVER (ORDER BY first_seq) AS before
                            FROM \(schema).outbox
                            WHERE epoch = l.epoch AND destination = '\(destination)'
                              AND last_seq > l.\(destination)_verified
                        ) AS o
                    ) AS m
                    WHERE m.n <> l.\(destination)_last - l.\(destination)_verified OR m.is_wrong
                    """
                }
            }
            .joined(separator: " UNION ALL ")
        },
        verifiedSignals("gateway"), verifiedSignals("engine"),
        CheckRule("verified-entries", "the log holds every entry that a lane counts as arrived") { _ in
            """
            SELECT format('lane %s of %s (%s): %s are counted as arrived, the log holds %s', l.epoch, l.schema, l.producer,
                          l.audit_verified, s.last)
            FROM (\(LogQueries.lanes)) AS l
            CROSS JOIN LATERAL (
                SELECT coalesce(max(last_seq), 0) AS last FROM audit.segments
                WHERE producer = l.producer AND epoch = l.epoch
            ) AS s
            WHERE l.audit_verified > s.last + (
                SELECT count(*) FROM audit.early_entries e
                WHERE e.producer = l.producer AND e.epoch = l.epoch AND e.seq > s.last AND e.seq <= l.audit_verified)
            """
        },
        CheckRule("verified-commands", "the audit-writer holds every command that a lane counts as arrived") { _ in
            senders.map { schema in
                """
                SELECT format('command %s of lane %s of \(schema)', o.message_id, o.epoch)
                FROM \(schema).outbox o LEFT JOIN \(schema).lanes l ON l.epoch = o.epoch
                -- The audit-writer remembers the commands of 30 days at least.
                WHERE o.message_id >= greatest($1, \(schema).uuid7_floor(now() - interval '29 days'))
                  AND o.destination = 'commands' AND starts_with(o.routing_key, 'audit.')
                  AND (l.epoch IS NULL OR o.last_seq <= l.commands_verified)
                  AND NOT EXISTS (SELECT FROM audit.inbox i WHERE i.command_id = o.message_id)
                  AND NOT EXISTS (SELECT FROM audit.dead_letters d WHERE d.message_id = o.message_id::text)
                """
            }
            .joined(separator: " UNION ALL ")
        },
    ]

    private static func verifiedSignals(_ schema: String) -> CheckRule {
        CheckRule(
            "verified-signals-\(schema)",
            "the engine holds every signal that a lane of \(schema) counts as arrived",
            .error,
            .weeks(of: "\(schema).outbox")
        ) { weeks in
            """
            SELECT format('signal %s in message %s of lane %s', item, o.message_id, o.epoch)
            FROM \(schema).outbox o
            LEFT JOIN \(schema).lanes l ON l.epoch = o.epoch
            CROSS JOIN unnest(o.items) AS item
            WHERE o.message_id >= $1 AND o.message_id < $2 AND o.destination = 'signals'
              -- A lane that is forgotten had nothing left.
              AND (l.epoch IS NULL OR o.last_seq <= l.signals_verified)
              AND NOT EXISTS (SELECT FROM engine.inbox i WHERE i.signal_id = item)
              AND NOT EXISTS (SELECT FROM engine.dead_letters d WHERE d.item_id = item)
              AND \(weeks.holds("item", in: "engine.inbox"))
            """
        }
    }
}
