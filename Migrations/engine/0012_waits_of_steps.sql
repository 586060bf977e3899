-- What steps wait for besides a time: the decision of a person.

CREATE TABLE engine.step_waits (
    run_id uuid NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    tenant text NOT NULL,
    kind text NOT NULL,
    -- What is asked for, as JSON: of an approval who may give it, and the form.
    request text NOT NULL,
    -- What has come, as JSON; the step takes it when its run goes on.
    outcome text,
    opened_at timestamptz NOT NULL,
    PRIMARY KEY (run_id, position)
);

CREATE INDEX step_waits_open ON engine.step_waits (tenant, kind, run_id, position) WHERE outcome IS NULL;

-- Unpartitioned and small: a row is gone as soon as its step goes on.
GRANT SELECT, INSERT, UPDATE, DELETE ON engine.step_waits TO batuta_engine;
