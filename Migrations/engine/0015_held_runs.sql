-- Whoever claims queued runs passes over the held ones, however many there are.
CREATE INDEX automation_runs_queued ON engine.automation_runs (held, tenant, run_id) WHERE status = 'queued';
DROP INDEX engine.automation_runs_queued_tenant;
