-- Steps that wait for the answer of a service to a call that went over the broker.

-- Of kind 'action': the attempt whose answer is waited for. The outcome may be there before the engine has stored that the
-- call was sent.
ALTER TABLE engine.step_waits
    ADD COLUMN attempt integer CHECK (attempt >= 1),
    ADD CHECK ((kind = 'action') = (attempt IS NOT NULL));
