extension CheckRule {
    /// The audit log.
    static let log = [
        CheckRule("log-gaps", "the leaves of the log follow each other without a gap, up to its head") { _ in
            """
            WITH first AS MATERIALIZED (\(LogQueries.firstLeaf))
            SELECT format('leaf %s follows leaf %s', leaf_index, before) FROM (
                SELECT leaf_index, lag(leaf_index, 1, (SELECT leaf FROM first) - 1) OVER (ORDER BY leaf_index) AS before
                FROM audit.entries WHERE leaf_index >= (SELECT leaf FROM first)
            ) AS e
            WHERE leaf_index <> before + 1
              AND NOT (leaf_index > before + 1
                       AND int8range(before + 1, greatest(leaf_index, before + 1)) <@ \(LogQueries.sealed))
            UNION ALL
            SELECT format('the head counts %s leaves, and the last has the index %s', h.size, coalesce(m.last, -1))
            FROM audit.head h, (SELECT max(leaf_index) AS last FROM audit.entries) AS m
            WHERE h.size <> coalesce(m.last + 1, 0)
            """
        },
        CheckRule(
            "log-hashes",
            "the hash of every leaf is that of its bytes",
            .error,
            .weeks(of: "audit.entries")
        ) { _ in
            #"""
            SELECT format('leaf %s', leaf_index) FROM audit.entries
            WHERE entry_id >= $1 AND entry_id < $2 AND leaf_hash <> sha256('\x00'::bytea || canonical)
            """#
        },
        CheckRule(
            "log-columns",
            "what the entries of the log are looked up by is what their bytes say",
            .error,
            .weeks(of: "audit.entries")
        ) { _ in
            """
            SELECT format('leaf %s', leaf_index)
            FROM audit.entries,
                 LATERAL (SELECT \(LogQueries.entry)) AS j (entry)
            WHERE entry_id >= $1 AND entry_id < $2
              AND (action, actor_type, actor_id, object_type, object_id, trace_id) IS DISTINCT FROM
                  (entry ->> 'action', entry #>> '{actor,type}', entry #>> '{actor,id}', entry #>> '{object,type}',
                   entry #>> '{object,id}', entry ->> 'trace_id')
            """
        },
        CheckRule("log-tiles", "the tiles of the log's tree hold the hashes of its leaves, up to the last full one") {
            _ in
            """
            WITH first AS MATERIALIZED (\(LogQueries.firstLeaf))
            SELECT format('tile %s of level 0 does not hold the hashes of its leaves', t.tile_index)
            FROM audit.tiles t
            JOIN LATERAL (
                SELECT string_agg(leaf_hash, ''::bytea ORDER BY leaf_index) AS hashes, count(*) AS count
                FROM audit.entries e
                WHERE e.leaf_index >= t.tile_index * 256 AND e.leaf_index < (t.tile_index + 1) * 256
            ) AS l ON l.hashes <> t.hashes OR l.count <> 256
            WHERE t.level = 0 AND t.tile_index * 256 >= (SELECT leaf FROM first)
              AND NOT int8range(t.tile_index * 256, (t.tile_index + 1) * 256) && \(LogQueries.sealed)
            UNION ALL
            SELECT format('tile %s of level %s does not hold the roots of the tiles below it', t.tile_index, t.level)
            FROM audit.tiles t
            JOIN LATERAL (
                SELECT string_agg(b.root, ''::bytea ORDER BY b.tile_index) AS roots
                FROM audit.tiles b
                WHERE b.level = t.level - 1 AND b.tile_index >= t.tile_index * 256 AND b.tile_index < (t.tile_index + 1) * 256
            ) AS r ON r.roots IS DISTINCT FROM t.hashes
            WHERE t.level > 0
            UNION ALL
            SELECT format('level %s has %s tiles, and %s leaves fill %s', level, count, size, expected)
            FROM (
                SELECT level, h.size, count(t.tile_index) AS count, div(h.size, (256 ^ (level + 1))::numeric) AS expected
                FROM audit.head h CROSS JOIN generate_series(0, 6) AS level
                LEFT JOIN audit.tiles t USING (level) GROUP BY level, h.size
            ) AS levels
            WHERE count <> expected
            """
        },
        CheckRule("log-checkpoints", "what the head says of the newest checkpoint is what was signed") { _ in
            """
            SELECT format('the head of %s was signed with %s leaves, and the newest checkpoint has %s', h.origin,
                          h.signed_size, coalesce(c.size::text, 'none'))
            FROM audit.head h LEFT JOIN LATERAL (
                SELECT size, root FROM audit.checkpoints c WHERE c.origin = h.origin ORDER BY size DESC LIMIT 1
            ) AS c ON true
            WHERE (h.signed_size, h.signed_root) IS DISTINCT FROM (coalesce(c.size, 0), c.root)
            """
        },
        CheckRule("log-order", "the log has the entries of each lane in their order, and none is missing") { _ in
            """
            WITH first AS MATERIALIZED (\(LogQueries.firstLeaf))
            SELECT format('leaf %s is number %s of lane %s/%s, after number %s', leaf_index, seq, producer, epoch,
                          coalesce(before, 0))
            FROM (
                SELECT leaf_index, producer, epoch, seq, lag(seq) OVER lane AS before,
                       coalesce(lag(leaf_index) OVER lane, -1) AS index_before
                FROM (
                    SELECT leaf_index, entry ->> 'producer' AS producer, (entry ->> 'epoch')::bigint AS epoch,
                           (entry ->> 'seq')::bigint AS seq
                    FROM audit.entries, LATERAL (SELECT \(LogQueries.entry)) AS e (entry)
                    WHERE leaf_index >= (SELECT leaf FROM first)
                ) AS entries
                WINDOW lane AS (PARTITION BY producer, epoch ORDER BY leaf_index)
            ) AS numbered
            -- The beginning of a lane may lie before what is looked at.
            WHERE seq <> coalesce(before + 1, CASE WHEN (SELECT leaf FROM first) = 0 THEN 1 ELSE seq END)
              AND NOT (seq > coalesce(before, 0) + 1
                       AND int8range(index_before + 1, greatest(leaf_index, index_before + 1)) && \(LogQueries.sealed))
            """
        },
        CheckRule("log-segments", "the segments say which entries of which lane stand where in the log") { _ in
            """
            SELECT format('segment %s: numbers %s to %s of lane %s/%s from leaf %s on; before it number %s and leaf %s',
                          segment_id, first_seq, last_seq, producer, epoch, first_index, last_before, index_before - 1)
            FROM (
                SELECT *, lag(last_seq) OVER (PARTITION BY producer, epoch ORDER BY first_index) AS last_before,
                       lag(first_index + last_seq - first_seq + 1) OVER (ORDER BY first_index) AS index_before
                FROM audit.segments WHERE segment_id >= $1
            ) AS s
            WHERE first_seq <> coalesce(last_before + 1, first_seq) OR first_index <> coalesce(index_before, first_index)
            UNION ALL
            SELECT format('leaf %s is number %s of lane %s/%s, and segment %s says otherwise', e.leaf_index, e.seq,
                          e.producer, e.epoch, s.segment_id)
            FROM audit.segments s
            JOIN LATERAL (
                SELECT leaf_index, entry ->> 'producer' AS producer, (entry ->> 'epoch')::bigint AS epoch,
                       (entry ->> 'seq')::bigint AS seq
                FROM audit.entries, LATERAL (SELECT \(LogQueries.entry)) AS j (entry)
                WHERE leaf_index = s.first_index
            ) AS e ON (e.producer, e.epoch, e.seq) IS DISTINCT FROM (s.producer, s.epoch, s.first_seq)
            WHERE s.segment_id >= $1
            """
        },
        CheckRule("log-lanes", "the log has of each lane no more than the lane has sent, and of no lane that never was")
        {
            _ in
            """
            WITH logged AS MATERIALIZED (
                SELECT producer, epoch, max(last_seq) AS last FROM audit.segments WHERE segment_id >= $1 GROUP BY 1, 2
            ), lanes AS MATERIALIZED (\(LogQueries.lanes)),
            unknown AS MATERIALIZED (
                SELECT g.* FROM logged g
                WHERE NOT EXISTS (SELECT FROM lanes l WHERE l.producer = g.producer AND l.epoch = g.epoch)
            )
            SELECT format('lane %s/%s: the log has %s entries, the lane has sent %s', g.producer, g.epoch, g.last,
                          l.audit_last)
            FROM logged g JOIN lanes l ON l.producer = g.producer AND l.epoch = g.epoch WHERE g.last > l.audit_last
            UNION ALL
            SELECT format('lane %s/%s: the log has %s entries, and there never was such a lane', u.producer, u.epoch, u.last)
            FROM unknown u
            -- Retention forgets lanes, but only those whose end is in the log.
            WHERE NOT EXISTS (
                SELECT FROM audit.entries, LATERAL (SELECT \(LogQueries.entry)) AS j (entry)
                WHERE entry_id >= $2 AND position(convert_to('"lane.closed"', 'UTF8') IN canonical) > 0
                  AND entry ->> 'action' = 'lane.closed'
                  AND entry -> 'object' ->> 'id' = u.producer || '/' || u.epoch)
            """
        },
    ]
}
