-- Retention of the outbox and the lanes that the audit-writer has like every service. The log keeps everything.

-- Whether the outbox of a week holds messages that their consumer is not known to hold. One snapshot decides.
CREATE FUNCTION audit.outbox_is_needed(week date) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    week_from uuid := audit.uuid7_floor(week::timestamptz);
    week_until uuid := audit.uuid7_floor(week::timestamptz + interval '7 days');
BEGIN
    RETURN EXISTS (
        SELECT FROM audit.lanes l
        CROSS JOIN LATERAL (VALUES
            ('signals', l.signals_verified, l.signals_last), ('commands', l.commands_verified, l.commands_last),
            ('audit', l.audit_verified, l.audit_last)
        ) AS d (destination, verified, last)
        WHERE d.verified < d.last AND EXISTS (
            SELECT FROM audit.outbox o
            WHERE o.epoch = l.epoch AND o.destination = d.destination AND o.last_seq > d.verified
              -- A message holds far fewer items than this, so that the index leads to these alone.
              AND o.first_seq > d.verified - 10000
              AND o.message_id >= week_from AND o.message_id < week_until));
END
$$;

DROP FUNCTION audit.retire_partition(text, date, integer);

-- Drops one weekly partition of the outbox that lies wholly more than `keep_days` days in the past and that nothing
-- needs. It refuses every other table: nothing in this schema can drop a partition of the log.
--
-- Says `dropped`; or why it is left: `young`, `absent`, `needed`, `busy` (another replica is at it) or `locked` (a
-- transaction uses the table). Whoever uses the table waits for the lock no longer than its time-out says.
CREATE FUNCTION audit.retire_partition(parent text, week date, keep_days integer) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '200ms'
AS $$
DECLARE
    partition text := 'outbox_' || to_char(week, 'YYYYMMDD');
BEGIN
    IF parent IS DISTINCT FROM 'outbox' THEN
        RAISE EXCEPTION 'the audit log is kept for ever' USING ERRCODE = '42501';
    END IF;
    IF keep_days IS NULL OR keep_days < 30 THEN
        RAISE EXCEPTION 'nothing younger than 30 days is retired' USING ERRCODE = '22023';
    END IF;
    IF week IS NULL OR week + 7 + keep_days > current_date THEN
        RETURN 'young';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = to_regclass('audit.outbox') AND i.inhrelid = to_regclass(format('audit.%I', partition))
          AND pg_get_expr(c.relpartbound, c.oid) = format(
              'FOR VALUES FROM (%L) TO (%L)', audit.uuid7_floor(week::timestamptz),
              audit.uuid7_floor(week::timestamptz + interval '7 days'))
    ) THEN
        RETURN 'absent';
    END IF;
    IF NOT pg_try_advisory_xact_lock(hashtextextended('audit.retire_partition', 0)) THEN
        RETURN 'busy';
    END IF;
    BEGIN
        IF audit.outbox_is_needed(week) THEN
            RETURN 'needed';
        END IF;
        -- What DROP takes anyway, in the order in which everybody takes it.
        LOCK TABLE ONLY audit.outbox IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('DROP TABLE audit.%I', partition);
    EXCEPTION WHEN lock_not_available THEN
        RETURN 'locked';
    END;
    RETURN 'dropped';
END
$$;

-- Drops a partition, or aborts the transaction with the reason: for what is written together with a drop.
CREATE FUNCTION audit.require_retired(parent text, week date, keep_days integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    outcome text := audit.retire_partition(parent, week, keep_days);
BEGIN
    IF outcome <> 'dropped' THEN
        RAISE EXCEPTION '%', outcome USING ERRCODE = 'BT005';
    END IF;
END
$$;

-- Deletes up to `batch` lanes that were closed more than `keep_days` days ago, whose consumers hold everything, and of
-- which the outbox holds nothing any more.
CREATE FUNCTION audit.forget_lanes(keep_days integer, batch integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms'
AS $$
DECLARE
    forgotten bigint;
BEGIN
    IF keep_days IS NULL OR keep_days < 30 OR batch IS NULL OR batch NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'lanes are forgotten after 30 days at least, and 10000 at a time at most'
            USING ERRCODE = '22023';
    END IF;
    DELETE FROM audit.lanes WHERE epoch IN (
        SELECT l.epoch FROM audit.lanes l
        WHERE l.closed_at < now() - make_interval(days => keep_days)
          AND l.signals_verified = l.signals_last AND l.commands_verified = l.commands_last
          AND l.audit_verified = l.audit_last
          AND NOT EXISTS (SELECT FROM audit.outbox o WHERE o.epoch = l.epoch)
        ORDER BY l.epoch LIMIT batch FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;

-- Deletes up to `batch` dead letters that were redriven more than `keep_days` days ago.
--
-- A discarded one stays: its entries are a gap in their lane, which sends them again and again, and without the letter
-- they would be put away anew.
CREATE OR REPLACE FUNCTION audit.forget_dead_letters(keep_days integer, batch integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms'
AS $$
DECLARE
    forgotten bigint;
BEGIN
    IF keep_days IS NULL OR keep_days < 30 OR batch IS NULL OR batch NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'dead letters are forgotten after 30 days at least, and 10000 at a time at most'
            USING ERRCODE = '22023';
    END IF;
    DELETE FROM audit.dead_letters WHERE dead_letter_id IN (
        SELECT d.dead_letter_id FROM audit.dead_letters d
        WHERE d.redriven_at < now() - make_interval(days => keep_days)
        ORDER BY d.redriven_at LIMIT batch FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;

DROP INDEX audit.dead_letters_age;
CREATE INDEX dead_letters_redriven ON audit.dead_letters (redriven_at) WHERE redriven_at IS NOT NULL;
