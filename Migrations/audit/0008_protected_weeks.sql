-- Each week of the log is protected as the whole is: against TRUNCATE also where the partition itself is named.

-- Makes the partition of one week, which begins on a Monday; says whether it was missing. `ensure_partitions`
-- calls it, and so may the database's owner.
CREATE FUNCTION audit.add_week(parent text, week date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    partition text := parent || '_' || to_char(week, 'YYYYMMDD');
BEGIN
    IF week IS NULL OR date_part('isodow', week) <> 1 THEN
        RAISE EXCEPTION 'a week begins on a Monday' USING ERRCODE = '22023';
    END IF;
    IF to_regclass(format('audit.%I', partition)) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- Attached, not made in place: that would wait for every transaction that uses the table, and all others behind it.
    EXECUTE format(
        'CREATE TABLE audit.%I (LIKE audit.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED '
        'INCLUDING STORAGE INCLUDING COMPRESSION)', partition, parent);
    -- A partition gets the triggers for rows from the table that it is attached to, and none for statements.
    IF parent IN ('entries', 'segments') THEN
        EXECUTE format(
            'CREATE TRIGGER %I BEFORE TRUNCATE ON audit.%I FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change()',
            parent || '_not_truncated', partition);
    END IF;
    EXECUTE format(
        'ALTER TABLE audit.%I ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)', parent, partition,
        audit.uuid7_floor(week::timestamptz), audit.uuid7_floor(week::timestamptz + interval '7 days'));
    RETURN true;
END
$$;

REVOKE EXECUTE ON FUNCTION audit.add_week(text, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION audit.ensure_partitions(days_ahead integer DEFAULT 37) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    parent record;
    week timestamptz;
BEGIN
    IF days_ahead IS NULL OR days_ahead NOT BETWEEN 1 AND 366 THEN
        RAISE EXCEPTION 'days_ahead must be between 1 and 366' USING ERRCODE = '22023';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('audit.ensure_partitions', 0));
    FOR parent IN
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'audit' AND c.relkind = 'p' ORDER BY c.relname
    LOOP
        week := date_trunc('week', now()) - interval '7 days';
        WHILE week < now() + make_interval(days => days_ahead) LOOP
            PERFORM audit.add_week(parent.relname, week::date);
            week := week + interval '7 days';
        END LOOP;
    END LOOP;
    RETURN days_ahead;
END
$$;

-- The weeks that are there already.
DO $$
DECLARE
    partition record;
BEGIN
    FOR partition IN
        SELECT p.relname AS parent, c.relname AS name
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
        WHERE i.inhparent IN ('audit.entries'::regclass, 'audit.segments'::regclass) AND c.relkind = 'r'
    LOOP
        EXECUTE format(
            'CREATE TRIGGER %I BEFORE TRUNCATE ON audit.%I FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change()',
            partition.parent || '_not_truncated', partition.name);
    END LOOP;
END
$$;

-- The week that takes the place of a sealed one is protected, and what was sealed is not.
CREATE OR REPLACE FUNCTION audit.seal_week(week date) RETURNS TABLE (entries bigint, ranges text)
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
    EXECUTE format('DROP TRIGGER IF EXISTS entries_not_truncated ON audit.%I', partition);
    EXECUTE format('ALTER TABLE audit.%I RENAME TO %I', partition, 'sealed_' || partition);
    EXECUTE format('REVOKE ALL ON audit.%I FROM batuta_audit', 'sealed_' || partition);
    -- An entry of that week may still arrive, from a service that was away for so long.
    PERFORM audit.add_week('entries', week);
    INSERT INTO audit.seals AS s (week, entries, ranges) VALUES (seal_week.week, counted, sealed)
    ON CONFLICT ON CONSTRAINT seals_pkey DO UPDATE
        SET entries = s.entries + excluded.entries, ranges = s.ranges + excluded.ranges;
    RETURN QUERY SELECT counted, listed;
END
$$;
