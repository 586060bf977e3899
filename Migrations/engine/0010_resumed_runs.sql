-- Runs that a person resumes: the step that had failed gets all of its attempts once more.
ALTER TABLE engine.automation_run_steps ADD COLUMN attempts_before integer NOT NULL DEFAULT 0
    CHECK (attempts_before >= 0 AND attempts_before <= attempt);
