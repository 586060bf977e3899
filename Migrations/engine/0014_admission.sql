-- Admission of runs: pausing an automation, limits on how many of its runs are under way at once and how many begin in a
-- time, and keys by which several signals start one run.

ALTER TABLE engine.automations
    ADD COLUMN paused boolean NOT NULL DEFAULT false,
    -- The limits of the newest version: the runs that wait go by them, whatever version they belong to.
    ADD COLUMN place_limit integer CHECK (place_limit BETWEEN 1 AND 10000),
    ADD COLUMN rate_limit integer CHECK (rate_limit BETWEEN 1 AND 10000),
    -- In microseconds.
    ADD COLUMN rate_window bigint CHECK (rate_window > 0),
    ADD CHECK ((rate_limit IS NULL) = (rate_window IS NULL));

-- A held run is queued, and nobody claims it: `engine.admissions` says what it waits for.
ALTER TABLE engine.automation_runs ADD COLUMN held boolean NOT NULL DEFAULT false;
ALTER TABLE engine.automation_runs
    ADD CONSTRAINT automation_runs_held CHECK (NOT held OR status = 'queued') NOT VALID;

-- One row per run that waits to begin, or that has a place among those that may be under way at once.
CREATE TABLE engine.admissions (
    run_id uuid PRIMARY KEY,
    automation_id uuid NOT NULL,
    -- What a held run waits for: the end of a pause, a place, its turn by the rate. A run that waits for the rate has its
    -- place already. `going` is a run with a place; `freed` one that has ended and whose place was not yet given on, and
    -- `left` one that has ended while it waited for the end of a pause.
    stage text NOT NULL CHECK (stage IN ('pause', 'place', 'rate', 'going', 'freed', 'left')),
    place_key text,
    rate_key text,
    -- When somebody is to look whether this run, or one that waits for the same, may go.
    look_at timestamptz,
    CHECK (stage NOT IN ('place', 'going') OR place_key IS NOT NULL),
    CHECK (stage <> 'rate' OR rate_key IS NOT NULL),
    CHECK (stage NOT IN ('freed', 'left') OR look_at IS NOT NULL)
) WITH (fillfactor = 70);

CREATE INDEX admissions_place ON engine.admissions (automation_id, place_key, stage, run_id) WHERE place_key IS NOT NULL;
CREATE INDEX admissions_rate ON engine.admissions (automation_id, rate_key, run_id) WHERE stage = 'rate';
CREATE INDEX admissions_pause ON engine.admissions (automation_id, run_id) WHERE stage = 'pause';
CREATE INDEX admissions_look ON engine.admissions (look_at) WHERE look_at IS NOT NULL;

-- What is decided under a lock: a row per automation, kind and key. Its lock puts the decisions into one order.
CREATE TABLE engine.gates (
    automation_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('dedupe', 'pause', 'place', 'rate')),
    key text NOT NULL,
    -- Of a dedupe key: the run that has it, until `expires_at`, or earlier until the run has ended.
    run_id uuid,
    until_end boolean NOT NULL DEFAULT false,
    -- When the row can be forgotten.
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (automation_id, kind, key)
) WITH (fillfactor = 50);

CREATE INDEX gates_expiry ON engine.gates (expires_at);

-- When runs began that a rate counts.
CREATE TABLE engine.rate_starts (
    automation_id uuid NOT NULL,
    key text NOT NULL,
    started_at timestamptz NOT NULL,
    run_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (automation_id, key, started_at, run_id)
);

CREATE INDEX rate_starts_expiry ON engine.rate_starts (expires_at);

-- Signals that started no run of an automation although they match it. `automation_dedup` has their key as well, with an id
-- that no run has.
CREATE TABLE engine.automation_skips (
    signal_id uuid NOT NULL,
    automation_key text NOT NULL,
    tenant text NOT NULL,
    reason text NOT NULL CHECK (reason IN ('deduplicated', 'concurrency', 'rate_limit')),
    -- The key of the limit, as JSON; empty where it has none.
    key text NOT NULL,
    -- The run that stood in the way.
    run_id uuid,
    skipped_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (signal_id, automation_key),
    CHECK (reason <> 'deduplicated' OR run_id IS NOT NULL)
) PARTITION BY RANGE (signal_id);

-- A held run leaves its hold with its status, whoever changes that, and what it had is given on. The release before knows of
-- no hold: what it claims stays as it is.
CREATE FUNCTION engine.leave_hold() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF NEW.status = 'running' THEN
        RETURN NULL;
    END IF;
    NEW.held := false;
    UPDATE engine.admissions SET stage = CASE stage WHEN 'pause' THEN 'left' ELSE 'freed' END, look_at = now()
    WHERE run_id = NEW.run_id;
    RETURN NEW;
END
$$;

CREATE TRIGGER leave_hold BEFORE UPDATE OF status ON engine.automation_runs
    FOR EACH ROW WHEN (OLD.held AND NEW.held AND NEW.status <> 'queued') EXECUTE FUNCTION engine.leave_hold();

GRANT SELECT, INSERT, UPDATE, DELETE ON engine.admissions, engine.gates TO batuta_engine;
GRANT SELECT, INSERT, DELETE ON engine.rate_starts TO batuta_engine;
GRANT SELECT, INSERT ON engine.automation_skips TO batuta_engine;

-- What a signal's skips are needed for is what its dedupe key is needed for.
CREATE OR REPLACE FUNCTION engine.week_is_needed(parent text, week date) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    week_from uuid := engine.uuid7_floor(week::timestamptz);
    week_until uuid := engine.uuid7_floor(week::timestamptz + interval '7 days');
BEGIN
    IF parent = 'outbox' THEN
        -- Messages that their consumer is not known to hold.
        RETURN EXISTS (
            SELECT FROM engine.lanes l
            CROSS JOIN LATERAL (VALUES
                ('signals', l.signals_verified, l.signals_last), ('commands', l.commands_verified, l.commands_last),
                ('audit', l.audit_verified, l.audit_last)
            ) AS d (destination, verified, last)
            WHERE d.verified < d.last AND EXISTS (
                SELECT FROM engine.outbox o
                WHERE o.epoch = l.epoch AND o.destination = d.destination AND o.last_seq > d.verified
                  -- A message holds far fewer items than this, so that the index leads to these alone.
                  AND o.first_seq > d.verified - 10000
                  AND o.message_id >= week_from AND o.message_id < week_until));
    END IF;
    -- The inbox goes first: with it ends what can still refer to the week. All else follows.
    IF parent <> 'inbox'
       AND to_regclass(format('engine.%I', 'inbox_' || to_char(week, 'YYYYMMDD'))) IS NOT NULL THEN
        RETURN true;
    END IF;
    IF parent IN ('inbox', 'automation_dedup', 'automation_skips', 'signals', 'automation_runs', 'automation_run_steps',
                  'step_attempts', 'signal_emissions') THEN
        RETURN
            -- Runs that go on, and the signals that they go on with; a run emits signals with its own time.
            EXISTS (
                SELECT FROM engine.automation_runs r
                WHERE r.finished_at IS NULL
                  AND (r.run_id >= week_from AND r.run_id < week_until
                       OR r.signal_id >= week_from AND r.signal_id < week_until))
            -- Signals that were put away, and that a person may send again.
            OR EXISTS (
                SELECT FROM engine.dead_letters d
                WHERE d.state = 'waiting' AND d.item_id >= week_from AND d.item_id < week_until)
            -- Signals that runs have emitted, and that are on their way.
            OR EXISTS (
                SELECT FROM engine.lanes l
                CROSS JOIN LATERAL (
                    SELECT o.items FROM engine.outbox o
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

SELECT engine.ensure_partitions();
