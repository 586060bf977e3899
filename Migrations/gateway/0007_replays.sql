-- Replays: the accepted signals of a span, sent once more to one automation.

CREATE TABLE gateway.replays (
    replay_id uuid PRIMARY KEY,
    tenant text NOT NULL REFERENCES gateway.tenants,
    -- The automation as it was at the start.
    automation_id uuid NOT NULL,
    automation_key text NOT NULL,
    automation_version bigint NOT NULL,
    signal_type text NOT NULL,
    filter text,
    -- Signals accepted from the one instant on and before the other.
    from_time timestamptz NOT NULL,
    until_time timestamptz NOT NULL,
    dry_run boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('running', 'succeeded', 'canceled', 'failed')),
    -- Every signal up to this id has been considered.
    position uuid NOT NULL,
    -- The signals sent last; the next are sent once the engine has begun the runs of these.
    page uuid[] NOT NULL DEFAULT '{}',
    considered bigint NOT NULL DEFAULT 0 CHECK (considered >= 0),
    replayed bigint NOT NULL DEFAULT 0 CHECK (replayed BETWEEN 0 AND considered),
    -- Why it failed.
    failure text,
    actor_type text NOT NULL,
    actor_id text NOT NULL,
    actor_via text,
    traceparent text NOT NULL,
    -- When somebody is to go on with it; moved on by whoever does.
    due_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK (from_time < until_time),
    CHECK ((status = 'running') = (finished_at IS NULL)),
    CHECK ((status = 'failed') = (failure IS NOT NULL))
);

CREATE INDEX replays_tenant ON gateway.replays (tenant, replay_id);
CREATE INDEX replays_running ON gateway.replays (due_at) WHERE status = 'running';
CREATE INDEX replays_running_tenant ON gateway.replays (tenant) WHERE status = 'running';
CREATE INDEX replays_age ON gateway.replays (finished_at) WHERE status <> 'running';

GRANT SELECT, INSERT, UPDATE ON gateway.replays TO batuta_gateway;

-- Whether anything that is not finished needs a table's partition of a week. One snapshot decides.
CREATE OR REPLACE FUNCTION gateway.week_is_needed(parent text, week date) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    week_from uuid := gateway.uuid7_floor(week::timestamptz);
    week_until uuid := gateway.uuid7_floor(week::timestamptz + interval '7 days');
BEGIN
    IF parent = 'outbox' THEN
        -- Messages that their consumer is not known to hold.
        RETURN EXISTS (
            SELECT FROM gateway.lanes l
            CROSS JOIN LATERAL (VALUES
                ('signals', l.signals_verified, l.signals_last), ('commands', l.commands_verified, l.commands_last),
                ('audit', l.audit_verified, l.audit_last)
            ) AS d (destination, verified, last)
            WHERE d.verified < d.last AND EXISTS (
                SELECT FROM gateway.outbox o
                WHERE o.epoch = l.epoch AND o.destination = d.destination AND o.last_seq > d.verified
                  -- A message holds far fewer items than this, so that the index leads to these alone.
                  AND o.first_seq > d.verified - 10000
                  AND o.message_id >= week_from AND o.message_id < week_until));
    END IF;
    IF parent = 'signals' THEN
        -- Signals that a running replay has still to consider.
        IF EXISTS (
            SELECT FROM gateway.replays r
            WHERE r.status = 'running' AND r.position < week_until AND gateway.uuid7_floor(r.until_time) > week_from
        ) THEN
            RETURN true;
        END IF;
        -- Signals that the engine is not known to hold.
        RETURN EXISTS (
            SELECT FROM gateway.lanes l
            CROSS JOIN LATERAL (
                SELECT o.items FROM gateway.outbox o
                WHERE o.epoch = l.epoch AND o.destination = 'signals' AND o.last_seq > l.signals_verified
                  AND o.first_seq > l.signals_verified - 10000
                OFFSET 0
            ) AS message
            CROSS JOIN unnest(message.items) AS item
            WHERE l.signals_verified < l.signals_last AND item >= week_from AND item < week_until);
    END IF;
    -- A table that comes later says with its migration what needs its partitions.
    RETURN true;
END
$$;

-- Deletes up to `batch` replays that ended more than `keep_days` days ago.
CREATE FUNCTION gateway.forget_replays(keep_days integer, batch integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms'
AS $$
DECLARE
    forgotten bigint;
BEGIN
    IF keep_days IS NULL OR keep_days < 30 OR batch IS NULL OR batch NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'replays are forgotten after 30 days at least, and 10000 at a time at most'
            USING ERRCODE = '22023';
    END IF;
    DELETE FROM gateway.replays WHERE replay_id IN (
        SELECT r.replay_id FROM gateway.replays r
        WHERE r.status <> 'running' AND r.finished_at < now() - make_interval(days => keep_days)
        ORDER BY r.finished_at LIMIT batch FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;
