-- Automations with their versions, the registry's generation, and the runs.

-- Moves on with every change that alters what a signal may start.
CREATE TABLE engine.registry_generation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    generation bigint NOT NULL
) WITH (fillfactor = 50);

INSERT INTO engine.registry_generation (generation) VALUES (1);

-- First statement of every batch: aborts it when the index it was matched by is not the newest.
CREATE FUNCTION engine.require_generation(expected bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF (SELECT generation FROM engine.registry_generation) <> expected THEN
        RAISE EXCEPTION 'the automations in force have changed' USING ERRCODE = 'BT003';
    END IF;
END
$$;

CREATE TABLE engine.automations (
    automation_id uuid PRIMARY KEY,
    tenant text NOT NULL,
    automation_key text NOT NULL CHECK (automation_key ~ '^[a-z][a-z0-9._-]{0,99}$'),
    status text NOT NULL CHECK (status IN ('draft', 'active', 'deprecated', 'broken')),
    version integer NOT NULL CHECK (version >= 1),
    -- Moves on with every change, activation included: the ETag.
    revision bigint NOT NULL CHECK (revision >= 1),
    name text NOT NULL CHECK (name <> ''),
    description text,
    definition text NOT NULL,
    -- Why the automation is broken.
    broken_reason text,
    -- The generation in which its status or active version last changed.
    changed_generation bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    -- A key is never used again, not even after a deletion.
    UNIQUE (tenant, automation_key),
    CHECK ((status = 'broken') = (broken_reason IS NOT NULL)),
    CHECK (deleted_at IS NULL OR status = 'draft')
);

CREATE INDEX automations_changed ON engine.automations (changed_generation);

-- Every version, whole.
CREATE TABLE engine.automation_versions (
    automation_id uuid NOT NULL REFERENCES engine.automations,
    version integer NOT NULL CHECK (version >= 1),
    name text NOT NULL,
    description text,
    definition text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    PRIMARY KEY (automation_id, version)
);

-- What was in force from which generation on; why a signal did or did not start an automation is derived from it.
CREATE TABLE engine.automation_states (
    automation_id uuid NOT NULL REFERENCES engine.automations,
    generation bigint NOT NULL,
    version integer NOT NULL,
    status text NOT NULL CHECK (status IN ('draft', 'active', 'deprecated', 'broken')),
    signal_type text NOT NULL,
    PRIMARY KEY (automation_id, generation)
);

-- One narrow row per signal processed: a redelivery finds it, and never widens what the signal starts.
CREATE TABLE engine.inbox (
    signal_id uuid NOT NULL,
    tenant text NOT NULL,
    generation bigint NOT NULL,
    -- Of the signal's own type, so that its decisions can be derived without its payload.
    signal_type text NOT NULL,
    PRIMARY KEY (signal_id)
) PARTITION BY RANGE (signal_id);

-- One run per signal and automation: this key decides.
CREATE TABLE engine.automation_dedup (
    signal_id uuid NOT NULL,
    automation_key text NOT NULL,
    tenant text NOT NULL,
    run_id uuid NOT NULL,
    PRIMARY KEY (signal_id, automation_key)
) PARTITION BY RANGE (signal_id);

-- The one copy of each signal that matched.
CREATE TABLE engine.signals (
    signal_id uuid NOT NULL,
    tenant text NOT NULL,
    event text NOT NULL,
    PRIMARY KEY (signal_id)
) PARTITION BY RANGE (signal_id);

CREATE TABLE engine.automation_runs (
    run_id uuid NOT NULL,
    tenant text NOT NULL,
    automation_id uuid NOT NULL,
    automation_key text NOT NULL,
    automation_version integer NOT NULL,
    signal_id uuid NOT NULL,
    type text NOT NULL,
    subtype text NOT NULL,
    dry_run boolean NOT NULL DEFAULT false,
    status text NOT NULL
        CHECK (status IN ('queued', 'running', 'waiting', 'unknown', 'succeeded', 'failed', 'canceled')),
    summary text NOT NULL,
    metadata text NOT NULL DEFAULT '{}',
    -- A problem as JSON.
    error text,
    traceparent text,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    -- The instance that works on it, and the fence that a late writer must still hold.
    owner uuid,
    fence bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (run_id),
    CHECK (left(subtype, length(type) + 1) = type || ':'),
    CHECK ((status IN ('succeeded', 'failed', 'canceled')) = (finished_at IS NOT NULL)),
    CHECK (status <> 'running' OR owner IS NOT NULL)
) PARTITION BY RANGE (run_id);

CREATE INDEX automation_runs_tenant ON engine.automation_runs (tenant, run_id);
CREATE INDEX automation_runs_unfinished ON engine.automation_runs (owner, run_id) WHERE finished_at IS NULL;

CREATE TABLE engine.automation_run_steps (
    run_id uuid NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    name text NOT NULL,
    action_key text NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'waiting', 'unknown', 'succeeded', 'failed',
                                           'skipped', 'canceled', 'not_simulated')),
    attempt integer NOT NULL CHECK (attempt >= 0),
    input text,
    output text,
    error text,
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (run_id, position),
    CHECK ((status IN ('succeeded', 'failed', 'skipped', 'canceled', 'not_simulated')) = (finished_at IS NOT NULL))
) PARTITION BY RANGE (run_id);

GRANT SELECT, UPDATE ON engine.registry_generation TO batuta_engine;
GRANT SELECT, INSERT, UPDATE ON engine.automations TO batuta_engine;
GRANT SELECT, INSERT ON engine.automation_versions, engine.automation_states TO batuta_engine;
GRANT SELECT, INSERT ON engine.inbox, engine.automation_dedup, engine.signals TO batuta_engine;
GRANT SELECT, INSERT, UPDATE ON engine.automation_runs, engine.automation_run_steps TO batuta_engine;

SELECT engine.ensure_partitions();
