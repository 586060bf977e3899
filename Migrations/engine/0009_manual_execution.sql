-- Manual executions: what a dry run says of each step, and signals that no run has emitted.

-- A JSON object: what the step would have done. Only steps of dry runs have it.
ALTER TABLE engine.automation_run_steps ADD COLUMN simulation text;

-- A manual execution's signal comes from a person, not from a step: it has neither.
ALTER TABLE engine.signal_emissions ALTER COLUMN run_id DROP NOT NULL;
ALTER TABLE engine.signal_emissions ALTER COLUMN position DROP NOT NULL;
