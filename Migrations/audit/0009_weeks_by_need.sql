-- A week of the log is made when an entry of it comes, and arrival is by one clock.

-- Makes the weeks of entries whose ids were made by a clock that is not the database's.
--
-- A week of another age is refused: nobody's clock is wrong by so much, and a name that anybody could give would make
-- tables without end.
CREATE FUNCTION audit.ensure_weeks(ids uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    monday date;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('audit.ensure_partitions', 0));
    FOR monday IN SELECT DISTINCT date_trunc('week', audit.uuid7_time(id))::date FROM unnest(ids) AS id ORDER BY 1 LOOP
        CONTINUE WHEN to_regclass(format('audit.%I', 'entries_' || to_char(monday, 'YYYYMMDD'))) IS NOT NULL;
        IF monday NOT BETWEEN current_date - 1830 AND current_date + 366 THEN
            RAISE EXCEPTION 'an entry has an id of the week that begins on %, more than 5 years ago or a year from now; if '
                'that is right, make its partition with SELECT audit.add_week(''entries'', ''%'')', monday, monday
                USING ERRCODE = '22023';
        END IF;
        PERFORM audit.add_week('entries', monday);
    END LOOP;
END
$$;

REVOKE EXECUTE ON FUNCTION audit.ensure_weeks(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.ensure_weeks(uuid[]) TO batuta_audit;

-- A UUIDv7 of the database's clock.
CREATE FUNCTION audit.uuid7() RETURNS uuid
LANGUAGE sql VOLATILE SET search_path = pg_catalog
AS $$
    SELECT (left(audit.uuid7_floor(clock_timestamp())::text, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid
$$;
