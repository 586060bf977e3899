-- Weeks of entries that were taken out of the log. Its tree keeps their hashes, so that what is left still verifies.

CREATE TABLE audit.seals (
    week date PRIMARY KEY,
    entries bigint NOT NULL CHECK (entries > 0),
    -- The indexes of the entries that were taken out.
    ranges int8multirange NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT ON audit.seals TO batuta_audit;

-- Detaches the entries of a week, which begins on a Monday, and leaves them as the table `audit.sealed_entries_YYYYMMDD`.
-- Says how many they are and which indexes they have, as JSON: what the entry `seal` says.
--
-- Only whoever owns the schema can do so. Everything of that week lies under a checkpoint and in full tiles, which hold its
-- hashes.
CREATE FUNCTION audit.seal_week(week date) RETURNS TABLE (entries bigint, ranges text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s'
AS $$
DECLARE
    partition text := 'entries_' || to_char(week, 'YYYYMMDD');
    head audit.head;
    sealed int8multirange;
    counted bigint;
    last bigint;
    listed text;
BEGIN
    IF week IS NULL OR week + 37 > current_date THEN
        RAISE EXCEPTION 'nothing younger than 30 days is sealed' USING ERRCODE = '22023';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_inherits i
        WHERE i.inhparent = to_regclass('audit.entries') AND i.inhrelid = to_regclass(format('audit.%I', partition))
    ) THEN
        RAISE EXCEPTION 'the log has no week that begins on %', week USING ERRCODE = '22023';
    END IF;
    -- So that nothing comes between the counting and the detaching.
    LOCK TABLE audit.entries IN ACCESS EXCLUSIVE MODE;
    SELECT * INTO STRICT head FROM audit.head;
    EXECUTE format(
        'SELECT sum(until - since), max(until) - 1, range_agg(int8range(since, until)), '
        '       json_agg(json_build_array(since, until - 1) ORDER BY since) '
        'FROM (SELECT min(leaf_index), max(leaf_index) + 1 FROM ('
        '    SELECT leaf_index, leaf_index - row_number() OVER (ORDER BY leaf_index) AS island FROM audit.%I) AS e '
        '    GROUP BY island) AS islands (since, until)', partition)
    INTO counted, last, sealed, listed;
    IF counted IS NULL THEN
        RAISE EXCEPTION 'the log has no entries of the week that begins on %', week USING ERRCODE = '22023';
    END IF;
    IF last >= head.signed_size OR last >= head.size / 256 * 256 THEN
        RAISE EXCEPTION 'the entries of the week are not all in full tiles under a checkpoint; seal it when the log has grown'
            USING ERRCODE = '22023';
    END IF;
    -- What an entry can hold.
    IF length(listed) > 8000 THEN
        RAISE EXCEPTION 'the indexes of the week have too many gaps to be stated in one entry' USING ERRCODE = '22023';
    END IF;
    EXECUTE format('ALTER TABLE audit.entries DETACH PARTITION audit.%I', partition);
    EXECUTE format('ALTER TABLE audit.%I RENAME TO %I', partition, 'sealed_' || partition);
    EXECUTE format('REVOKE ALL ON audit.%I FROM batuta_audit', 'sealed_' || partition);
    -- An entry of that week may still arrive, from a service that was away for so long.
    EXECUTE format('CREATE TABLE audit.%I (LIKE audit.entries INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
    EXECUTE format(
        'ALTER TABLE audit.entries ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)', partition,
        audit.uuid7_floor(week::timestamptz), audit.uuid7_floor(week::timestamptz + interval '7 days'));
    INSERT INTO audit.seals AS s (week, entries, ranges) VALUES (seal_week.week, counted, sealed)
    ON CONFLICT ON CONSTRAINT seals_pkey DO UPDATE
        SET entries = s.entries + excluded.entries, ranges = s.ranges + excluded.ranges;
    RETURN QUERY SELECT counted, listed;
END
$$;

REVOKE EXECUTE ON FUNCTION audit.seal_week(date) FROM PUBLIC;
