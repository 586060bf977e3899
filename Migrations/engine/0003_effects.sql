-- What runs need whose steps have effects outside: attempts, timers, emitted signals, sealed secrets.

-- Every attempt of an effect, recorded before the effect.
CREATE TABLE engine.step_attempts (
    run_id uuid NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    number integer NOT NULL CHECK (number >= 1),
    -- Who made it, under which fence of the run.
    instance uuid NOT NULL,
    fence bigint NOT NULL,
    started_at timestamptz NOT NULL,
    -- `unknown` where the effect may have happened.
    outcome text CHECK (outcome IN ('succeeded', 'failed', 'unknown')),
    error text,
    finished_at timestamptz,
    PRIMARY KEY (run_id, position, number),
    CHECK ((outcome IS NULL) = (finished_at IS NULL))
) PARTITION BY RANGE (run_id);

-- When a waiting run goes on. Unpartitioned and small: a row is gone as soon as its run is claimed.
CREATE TABLE engine.timers (
    run_id uuid PRIMARY KEY,
    due_at timestamptz NOT NULL
);

CREATE INDEX timers_due ON engine.timers (due_at, run_id);

-- Signals that steps have emitted: the event in structured form, as it is published.
CREATE TABLE engine.signal_emissions (
    signal_id uuid NOT NULL,
    tenant text NOT NULL,
    type text NOT NULL CHECK (octet_length(type) BETWEEN 1 AND 255),
    run_id uuid NOT NULL,
    position integer NOT NULL,
    event text NOT NULL,
    PRIMARY KEY (signal_id)
) PARTITION BY RANGE (signal_id);

-- Values that automations use by name; sealed, with tenant, name and version as associated data.
CREATE TABLE engine.secrets (
    tenant text NOT NULL,
    name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_.-]{0,99}$'),
    version integer NOT NULL CHECK (version >= 1),
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    PRIMARY KEY (tenant, name)
);

-- The runs that wait for a replica with room, and those that wait for a person.
CREATE INDEX automation_runs_queued ON engine.automation_runs (run_id) WHERE status = 'queued';
CREATE INDEX automation_runs_unknown ON engine.automation_runs (tenant, run_id) WHERE status = 'unknown';

-- A parked run has no owner, and one that is worked on has one.
ALTER TABLE engine.automation_runs
    ADD CHECK (status = 'running' OR owner IS NULL);

GRANT SELECT, INSERT, UPDATE ON engine.step_attempts TO batuta_engine;
GRANT SELECT, INSERT, UPDATE, DELETE ON engine.timers TO batuta_engine;
GRANT SELECT, INSERT ON engine.signal_emissions TO batuta_engine;
GRANT SELECT, INSERT, UPDATE, DELETE ON engine.secrets TO batuta_engine;

SELECT engine.ensure_partitions();
