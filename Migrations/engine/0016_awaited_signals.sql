-- Signals that steps wait for.

ALTER TABLE engine.step_waits
    ADD COLUMN signal_type text,
    -- The places of the event that are compared, as a JSON array of JSON Pointers in their order.
    ADD COLUMN paths text,
    -- Of the values that stand there, SHA-256 in hex; not known before the step begins.
    ADD COLUMN correlation text,
    ADD CHECK ((kind = 'signal') = (signal_type IS NOT NULL)),
    ADD CHECK ((signal_type IS NULL) = (paths IS NULL));

CREATE INDEX step_waits_signal ON engine.step_waits (tenant, signal_type, paths, correlation)
    WHERE kind = 'signal' AND outcome IS NULL;

-- What signals of a type are compared by, for all runs that ever waited for it. A batch of signals holds the rows of its
-- types, so that a step that begins to wait finds every signal of a batch before it, or is found by the batch.
CREATE TABLE engine.wait_shapes (
    tenant text NOT NULL,
    signal_type text NOT NULL,
    paths text NOT NULL,
    PRIMARY KEY (tenant, signal_type, paths)
);

-- Signals that came while a run that is to wait for their type had not got there.
CREATE TABLE engine.awaited_signals (
    tenant text NOT NULL,
    signal_type text NOT NULL,
    paths text NOT NULL,
    correlation text NOT NULL,
    signal_id uuid NOT NULL,
    event text NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, signal_type, paths, correlation, signal_id)
);

CREATE INDEX awaited_signals_age ON engine.awaited_signals (received_at);

GRANT SELECT, INSERT, UPDATE ON engine.wait_shapes TO batuta_engine;
GRANT SELECT, INSERT, DELETE ON engine.awaited_signals TO batuta_engine;
