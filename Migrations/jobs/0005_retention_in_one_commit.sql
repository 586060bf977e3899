-- Drops a partition, or aborts the transaction with the reason: for what is written together with a drop.
CREATE FUNCTION jobs.require_retired(parent text, week date, keep_days integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    outcome text := jobs.retire_partition(parent, week, keep_days);
BEGIN
    IF outcome <> 'dropped' THEN
        RAISE EXCEPTION '%', outcome USING ERRCODE = 'BT005';
    END IF;
END
$$;
