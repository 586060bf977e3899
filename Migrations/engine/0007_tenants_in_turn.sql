-- Runs that wait are found tenant by tenant, so that one with very many of them does not stand before all others.

CREATE INDEX automation_runs_queued_tenant ON engine.automation_runs (tenant, run_id) WHERE status = 'queued';
DROP INDEX engine.automation_runs_queued;

ALTER TABLE engine.timers ADD COLUMN tenant text;
UPDATE engine.timers t SET tenant = r.tenant FROM engine.automation_runs r WHERE r.run_id = t.run_id;
-- A timer without a run has nobody to wake.
DELETE FROM engine.timers WHERE tenant IS NULL;
ALTER TABLE engine.timers ALTER COLUMN tenant SET NOT NULL;
CREATE INDEX timers_tenant ON engine.timers (tenant, due_at, run_id);

-- The release before names no tenant.
CREATE FUNCTION engine.tenant_of_timer() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    NEW.tenant := (SELECT r.tenant FROM engine.automation_runs r WHERE r.run_id = NEW.run_id);
    RETURN NEW;
END
$$;

CREATE TRIGGER tenant_of_timer BEFORE INSERT ON engine.timers
    FOR EACH ROW WHEN (NEW.tenant IS NULL) EXECUTE FUNCTION engine.tenant_of_timer();
