-- What is kept beside the audit log can be erased there; from the outbox nothing could erase it. So it leaves the outbox as
-- soon as the audit-writer is known to hold it.

ALTER TABLE audit.lanes
    -- Up to where the commands `audit.keep` have no body any more.
    ADD COLUMN commands_cleared bigint NOT NULL DEFAULT 0,
    ADD CHECK (commands_cleared <= commands_verified);

CREATE INDEX lanes_uncleared ON audit.lanes (epoch) WHERE commands_cleared < commands_verified;

-- Clears the bodies of the next thousand commands of one lane, where they are `audit.keep` and their consumer is known to hold
-- them. Says whether there was a lane to clear; that there was none, too, where another replica is at it.
--
-- It is the one change that there is to a row of the outbox, and the service's role can make no other. The lane's row comes
-- last: whoever commits on the lane waits for it.
CREATE FUNCTION audit.clear_kept() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    lane bigint;
    since bigint;
    until bigint;
BEGIN
    -- One replica at a time: the others would take the same lane, and wait to do its work again.
    IF NOT pg_try_advisory_xact_lock(hashtextextended('audit.clear_kept', 0)) THEN
        RETURN false;
    END IF;
    SELECT l.epoch, l.commands_cleared, least(l.commands_verified, l.commands_cleared + 1000) INTO lane, since, until
    FROM audit.lanes l WHERE l.commands_cleared < l.commands_verified ORDER BY l.epoch LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE audit.outbox o SET body = ''
    WHERE o.epoch = lane AND o.destination = 'commands' AND o.first_seq > since AND o.first_seq <= until
      AND o.message_type = 'batuta.audit.keep' AND octet_length(o.body) > 0;
    UPDATE audit.lanes l SET commands_cleared = greatest(l.commands_cleared, until) WHERE l.epoch = lane;
    RETURN true;
END
$$;

-- A value that is erased leaves its hash, so that nothing brings it back, whenever it comes. A tenant's hashes are its own:
-- nobody else's erasure stands in the way of what has not come yet.
ALTER TABLE audit.kept_bodies
    ADD COLUMN erased_at timestamptz,
    ADD CHECK ((erased_at IS NULL) = (body <> '')),
    DROP CONSTRAINT kept_bodies_pkey,
    ADD PRIMARY KEY (tenant, body_hash);

-- The service's role can do that to a row, once, and nothing else: neither bring back what was erased, nor put another value
-- under a hash, nor let a hash be forgotten.
CREATE FUNCTION audit.refuse_all_but_erasure() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF OLD.erased_at IS NOT NULL OR NEW.erased_at IS NULL
       OR NEW.body <> '' OR NEW.salt <> decode(repeat('00', 16), 'hex')
       OR (NEW.body_hash, NEW.tenant, NEW.kept_at) IS DISTINCT FROM (OLD.body_hash, OLD.tenant, OLD.kept_at) THEN
        RAISE EXCEPTION 'what is kept beside the audit log can be erased, once, and not changed' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER kept_bodies_only_erased BEFORE UPDATE ON audit.kept_bodies
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_all_but_erasure();

GRANT UPDATE (salt, body, erased_at) ON audit.kept_bodies TO batuta_audit;
REVOKE DELETE ON audit.kept_bodies FROM batuta_audit;
