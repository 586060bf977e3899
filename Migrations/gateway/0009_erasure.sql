-- What is kept beside the audit log can be erased there; from the outbox nothing could erase it. So it leaves the outbox as
-- soon as the audit-writer is known to hold it.

ALTER TABLE gateway.lanes
    -- Up to where the commands `audit.keep` have no body any more.
    ADD COLUMN commands_cleared bigint NOT NULL DEFAULT 0,
    ADD CHECK (commands_cleared <= commands_verified);

CREATE INDEX lanes_uncleared ON gateway.lanes (epoch) WHERE commands_cleared < commands_verified;

-- Clears the bodies of the next thousand commands of one lane, where they are `audit.keep` and their consumer is known to hold
-- them. Says whether there was a lane to clear; that there was none, too, where another replica is at it.
--
-- It is the one change that there is to a row of the outbox, and the service's role can make no other. The lane's row comes
-- last: whoever commits on the lane waits for it.
CREATE FUNCTION gateway.clear_kept() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    lane bigint;
    since bigint;
    until bigint;
BEGIN
    -- One replica at a time: the others would take the same lane, and wait to do its work again.
    IF NOT pg_try_advisory_xact_lock(hashtextextended('gateway.clear_kept', 0)) THEN
        RETURN false;
    END IF;
    SELECT l.epoch, l.commands_cleared, least(l.commands_verified, l.commands_cleared + 1000) INTO lane, since, until
    FROM gateway.lanes l WHERE l.commands_cleared < l.commands_verified ORDER BY l.epoch LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE gateway.outbox o SET body = ''
    WHERE o.epoch = lane AND o.destination = 'commands' AND o.first_seq > since AND o.first_seq <= until
      AND o.message_type = 'batuta.audit.keep' AND octet_length(o.body) > 0;
    UPDATE gateway.lanes l SET commands_cleared = greatest(l.commands_cleared, until) WHERE l.epoch = lane;
    RETURN true;
END
$$;
