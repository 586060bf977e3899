-- What retention drops it drops in the round trip that commits; and what a discarded message needs its letter for.

-- Deletes up to `batch` dead letters that were dealt with more than `keep_days` days ago; those that wait stay.
CREATE OR REPLACE FUNCTION engine.forget_dead_letters(keep_days integer, batch integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms'
AS $$
DECLARE
    forgotten bigint;
BEGIN
    IF keep_days IS NULL OR keep_days < 30 OR batch IS NULL OR batch NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'dead letters are forgotten after 30 days at least, and 10000 at a time at most'
            USING ERRCODE = '22023';
    END IF;
    DELETE FROM engine.dead_letters WHERE dead_letter_id IN (
        SELECT d.dead_letter_id FROM engine.dead_letters d
        WHERE d.state <> 'waiting'
          AND coalesce(d.redriven_at, d.discarded_at) < now() - make_interval(days => keep_days)
          -- The letter of a discarded signal is all that says what became of it, as long as its week is there. A
          -- message that could not even be read stays away only as long as its letter stays.
          AND (d.state = 'redriven' OR d.item_id IS NOT NULL AND to_regclass(format('engine.%I', 'inbox_' || to_char(
              date_trunc('week', engine.uuid7_time(d.item_id) AT TIME ZONE 'UTC'), 'YYYYMMDD'))) IS NULL)
        ORDER BY coalesce(d.redriven_at, d.discarded_at) LIMIT batch FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;

-- Drops a partition, or aborts the transaction with the reason: for what is written together with a drop.
CREATE FUNCTION engine.require_retired(parent text, week date, keep_days integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    outcome text := engine.retire_partition(parent, week, keep_days);
BEGIN
    IF outcome <> 'dropped' THEN
        RAISE EXCEPTION '%', outcome USING ERRCODE = 'BT005';
    END IF;
END
$$;
