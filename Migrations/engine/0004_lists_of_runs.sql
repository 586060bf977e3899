-- Lists of runs by automation, and of those that did not succeed.

CREATE INDEX automation_runs_key ON engine.automation_runs (tenant, automation_key, run_id);
CREATE INDEX automation_runs_failed ON engine.automation_runs (tenant, run_id) WHERE status IN ('failed', 'canceled');
