-- Retention of what stands beside the log; the log itself keeps everything.

-- Deletes up to `batch` dead letters that were redriven or discarded more than `keep_days` days ago.
CREATE FUNCTION audit.forget_dead_letters(keep_days integer, batch integer) RETURNS bigint
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
        WHERE d.state <> 'waiting'
          AND coalesce(d.redriven_at, d.discarded_at) < now() - make_interval(days => keep_days)
        ORDER BY coalesce(d.redriven_at, d.discarded_at) LIMIT batch FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;

CREATE INDEX dead_letters_age ON audit.dead_letters ((coalesce(redriven_at, discarded_at))) WHERE state <> 'waiting';

-- What the deletion of old answers looks for.
CREATE INDEX requests_age ON audit.requests (created_at);
