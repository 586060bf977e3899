-- Steps that are executed side by side, and once for each of several items.

ALTER TABLE engine.automation_run_steps
    -- The position of the step that a row is an item of, and the item's place, from 0.
    ADD COLUMN parent integer CHECK (parent >= 0),
    ADD COLUMN item integer CHECK (item >= 0),
    -- When a waiting step goes on; the timer of its run is due with the first of them.
    ADD COLUMN due_at timestamptz,
    ADD CHECK ((parent IS NULL) = (item IS NULL));
