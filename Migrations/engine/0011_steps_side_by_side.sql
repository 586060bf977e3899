-- Steps that are executed side by side, and once for each of several items.

ALTER TABLE engine.automation_run_steps
    -- The position of the step that a row is an item of, and the item's place, from 0.
    ADD COLUMN parent integer,
    ADD COLUMN item integer,
    -- When a waiting step goes on; the timer of its run is due with the first of them.
    ADD COLUMN due_at timestamptz;

-- Rows that are there already have neither, so nobody has to look at them.
ALTER TABLE engine.automation_run_steps
    ADD CONSTRAINT automation_run_steps_item
        CHECK ((parent IS NULL) = (item IS NULL) AND parent >= 0 AND item >= 0) NOT VALID;
