-- Retention: what is dropped or deleted is decided here, so that no service can drop or delete what is not finished.

-- Whether anything that is not finished needs a table's partition of a week. One snapshot decides.
CREATE FUNCTION jobs.week_is_needed(parent text, week date) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    week_from uuid := jobs.uuid7_floor(week::timestamptz);
    week_until uuid := jobs.uuid7_floor(week::timestamptz + interval '7 days');
BEGIN
    IF parent = 'outbox' THEN
        -- Messages that their consumer is not known to hold.
        RETURN EXISTS (
            SELECT FROM jobs.lanes l
            CROSS JOIN LATERAL (VALUES
                ('signals', l.signals_verified, l.signals_last), ('commands', l.commands_verified, l.commands_last),
                ('audit', l.audit_verified, l.audit_last)
            ) AS d (destination, verified, last)
            WHERE d.verified < d.last AND EXISTS (
                SELECT FROM jobs.outbox o
                WHERE o.epoch = l.epoch AND o.destination = d.destination AND o.last_seq > d.verified
                  -- A message holds far fewer items than this, so that the index leads to these alone.
                  AND o.first_seq > d.verified - 10000
                  AND o.message_id >= week_from AND o.message_id < week_until));
    END IF;
    -- A table that comes later says with its migration what needs its partitions.
    RETURN true;
END
$$;

DROP FUNCTION jobs.retire_partition(text, date, integer);

-- Drops one weekly partition that lies wholly more than `keep_days` days in the past and that nothing needs.
--
-- Says `dropped`; or why it is left: `young`, `absent`, `needed`, `busy` (another replica is at it) or `locked` (a
-- transaction uses the table). Whoever uses the table waits for the lock no longer than its time-out says.
CREATE FUNCTION jobs.retire_partition(parent text, week date, keep_days integer) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '200ms'
AS $$
DECLARE
    partition text := parent || '_' || to_char(week, 'YYYYMMDD');
BEGIN
    IF keep_days IS NULL OR keep_days < 30 THEN
        RAISE EXCEPTION 'nothing younger than 30 days is retired' USING ERRCODE = '22023';
    END IF;
    IF week IS NULL OR week + 7 + keep_days > current_date THEN
        RETURN 'young';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = to_regclass(format('jobs.%I', parent))
          AND i.inhrelid = to_regclass(format('jobs.%I', partition))
          AND pg_get_expr(c.relpartbound, c.oid) = format(
              'FOR VALUES FROM (%L) TO (%L)', jobs.uuid7_floor(week::timestamptz),
              jobs.uuid7_floor(week::timestamptz + interval '7 days'))
    ) THEN
        RETURN 'absent';
    END IF;
    IF NOT pg_try_advisory_xact_lock(hashtextextended('jobs.retire_partition', 0)) THEN
        RETURN 'busy';
    END IF;
    BEGIN
        IF jobs.week_is_needed(parent, week) THEN
            RETURN 'needed';
        END IF;
        -- What DROP takes anyway, in the order in which everybody takes it.
        EXECUTE format('LOCK TABLE ONLY jobs.%I IN ACCESS EXCLUSIVE MODE', parent);
        EXECUTE format('DROP TABLE jobs.%I', partition);
    EXCEPTION WHEN lock_not_available THEN
        RETURN 'locked';
    END;
    RETURN 'dropped';
END
$$;

-- Deletes up to `batch` lanes that were closed more than `keep_days` days ago, whose consumers hold everything, and of
-- which the outbox holds nothing any more.
CREATE FUNCTION jobs.forget_lanes(keep_days integer, batch integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms'
AS $$
DECLARE
    forgotten bigint;
BEGIN
    IF keep_days IS NULL OR keep_days < 30 OR batch IS NULL OR batch NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'lanes are forgotten after 30 days at least, and 10000 at a time at most'
            USING ERRCODE = '22023';
    END IF;
    DELETE FROM jobs.lanes WHERE epoch IN (
        SELECT l.epoch FROM jobs.lanes l
        WHERE l.closed_at < now() - make_interval(days => keep_days)
          AND l.signals_verified = l.signals_last AND l.commands_verified = l.commands_last
          AND l.audit_verified = l.audit_last
          AND NOT EXISTS (SELECT FROM jobs.outbox o WHERE o.epoch = l.epoch)
        ORDER BY l.epoch LIMIT batch FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;

-- Deletes up to `batch` dead letters that were redriven or discarded more than `keep_days` days ago.
CREATE FUNCTION jobs.forget_dead_letters(keep_days integer, batch integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms'
AS $$
DECLARE
    forgotten bigint;
BEGIN
    IF keep_days IS NULL OR keep_days < 30 OR batch IS NULL OR batch NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'dead letters are forgotten after 30 days at least, and 10000 at a time at most'
            USING ERRCODE = '22023';
    END IF;
    DELETE FROM jobs.dead_letters WHERE dead_letter_id IN (
        SELECT d.dead_letter_id FROM jobs.dead_letters d
        WHERE d.state <> 'waiting'
          AND coalesce(d.redriven_at, d.discarded_at) < now() - make_interval(days => keep_days)
        ORDER BY coalesce(d.redriven_at, d.discarded_at) LIMIT batch FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;

CREATE INDEX dead_letters_age ON jobs.dead_letters ((coalesce(redriven_at, discarded_at))) WHERE state <> 'waiting';

-- What the deletion of old answers looks for.
CREATE INDEX requests_age ON jobs.requests (created_at);
