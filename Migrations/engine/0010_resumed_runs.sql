-- Runs that a person resumes: the step that had failed gets all of its attempts once more.

-- How many attempts there were before.
ALTER TABLE engine.automation_run_steps ADD COLUMN attempts_before integer NOT NULL DEFAULT 0;
