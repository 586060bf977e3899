/// Parts of queries over the audit log.
enum LogQueries {
    /// The expression that reads text as JSON without the NULs in it, which text of the database cannot hold.
    ///
    /// Values of definitions may have them. A backslash before `\u0000` may belong to an escaped one before it.
    static func json(_ text: String) -> String {
        #"""
        (CASE WHEN position('\u0000' IN \#(text)) = 0 THEN \#(text)
              ELSE regexp_replace(\#(text), '(?<!\\)((?:\\\\)*)\\u0000', '\1', 'g') END)::jsonb
        """#
    }

    /// The bytes of an entry as JSON.
    static let entry = json("convert_from(canonical, 'UTF8')")

    /// The entries of one action as JSON: in the log, held because they came early, and on their way.
    ///
    /// The search for the action's bytes spares all others the reading; what it finds too much of, the last condition
    /// takes away. `$2` is the least id that counts.
    static func entries(of action: String, inOutboxOf schema: String) -> String {
        let bytes = "convert_to('\"\(action)\"', 'UTF8')"
        return """
            SELECT entry FROM (
                SELECT \(entry) AS entry FROM audit.entries
                WHERE entry_id >= $2 AND position(\(bytes) IN canonical) > 0
                UNION ALL
                SELECT \(entry) FROM audit.early_entries
                WHERE position(\(bytes) IN canonical) > 0
                UNION ALL
                SELECT \(json("line"))
                FROM \(schema).lanes l
                JOIN \(schema).outbox o ON o.epoch = l.epoch AND o.destination = 'audit' AND o.last_seq > l.audit_verified
                CROSS JOIN regexp_split_to_table(convert_from(o.body, 'UTF8'), '\\n') AS line
                WHERE l.audit_verified < l.audit_last AND position('"\(action)"' IN line) > 0
            ) AS found
            WHERE entry ->> 'action' = '\(action)'
            """
    }

    /// The lanes of every service, with what they say of the audit log.
    static let lanes = ["gateway", "engine", "scheduler", "jobs", "audit"].map { schema in
        """
        SELECT '\(schema)' AS schema, epoch, producer, closed_at, audit_last, audit_verified FROM \(schema).lanes
        """
    }
    .joined(separator: " UNION ALL ")

    /// The indexes of the entries that were sealed.
    static let sealed = "(SELECT coalesce(range_agg(r), '{}') FROM audit.seals, LATERAL unnest(ranges) AS r)"

    /// The index of the first leaf that counts: that of the first entry made since `$1`.
    static let firstLeaf = """
        SELECT CASE WHEN $1 = '00000000-0000-0000-0000-000000000000' THEN 0
                    ELSE coalesce(min(leaf_index), (SELECT size FROM audit.head)) END AS leaf
        FROM audit.entries WHERE entry_id >= $1
        """
}
