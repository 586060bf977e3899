-- What becomes of a message that could not be processed: it waits, is processed after all, or is discarded.

ALTER TABLE gateway.dead_letters
    ADD COLUMN state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'redriven', 'discarded')),
    ADD COLUMN discarded_at timestamptz,
    ADD COLUMN discard_reason text CHECK (discard_reason <> ''),
    -- Who processes it just now, and until when nobody else may.
    ADD COLUMN claimed_by uuid,
    ADD COLUMN claimed_until timestamptz,
    ADD CHECK ((state = 'redriven') = (redriven_at IS NOT NULL)),
    ADD CHECK ((state = 'discarded') = (discarded_at IS NOT NULL)),
    ADD CHECK ((discarded_at IS NULL) = (discard_reason IS NULL)),
    ADD CHECK ((claimed_by IS NULL) = (claimed_until IS NULL)),
    ADD CHECK (claimed_by IS NULL OR state = 'waiting');

CREATE INDEX dead_letters_waiting ON gateway.dead_letters (tenant, received_at, dead_letter_id)
    WHERE state = 'waiting';
CREATE INDEX dead_letters_settled ON gateway.dead_letters (tenant, state, received_at, dead_letter_id)
    WHERE state <> 'waiting';
