-- The audit log: insert-only, in one order, each entry as the bytes its producer hashed.

-- The end of the log. The one row that its writer may update, always under its lock; `fence` moves on with each new
-- active writer, so that an earlier one cannot append.
CREATE TABLE audit.head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    fence bigint NOT NULL,
    size bigint NOT NULL CHECK (size >= 0)
) WITH (fillfactor = 50);

INSERT INTO audit.head (fence, size) VALUES (0, 0);

-- First statement of every append: locks the head, or aborts when another writer has taken over.
CREATE FUNCTION audit.require_head(expected_fence bigint, expected_size bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    PERFORM FROM audit.head WHERE fence = expected_fence AND size = expected_size FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another writer has taken over the head of the log' USING ERRCODE = 'BT004';
    END IF;
END
$$;

CREATE TABLE audit.entries (
    entry_id uuid NOT NULL,
    leaf_index bigint NOT NULL CHECK (leaf_index >= 0),
    tenant text NOT NULL,
    -- The exact bytes of the producer: RFC 8785 JSON.
    canonical bytea NOT NULL,
    -- SHA-256 of 0x00 and the canonical bytes (RFC 6962).
    leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
    PRIMARY KEY (entry_id)
) PARTITION BY RANGE (entry_id);

CREATE INDEX entries_index ON audit.entries (leaf_index);
CREATE INDEX entries_tenant ON audit.entries (tenant, entry_id);

-- Which numbers of which lane stand where in the log: one row per message appended.
-- The next number of a lane is one more than its greatest `last_seq`.
CREATE TABLE audit.segments (
    segment_id uuid NOT NULL,
    producer text NOT NULL,
    epoch bigint NOT NULL,
    first_seq bigint NOT NULL CHECK (first_seq > 0),
    last_seq bigint NOT NULL CHECK (last_seq >= first_seq),
    first_index bigint NOT NULL CHECK (first_index >= 0),
    PRIMARY KEY (segment_id)
) PARTITION BY RANGE (segment_id);

CREATE INDEX segments_lane ON audit.segments (producer, epoch, last_seq DESC);

-- Entries that arrived before their turn, until the gap before them is filled. Not part of the log.
CREATE TABLE audit.early_entries (
    producer text NOT NULL,
    epoch bigint NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    canonical bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (producer, epoch, seq)
);

-- Values too large for an entry, which names them by salted hash; they can be erased without breaking the log.
CREATE TABLE audit.kept_bodies (
    body_hash bytea PRIMARY KEY CHECK (octet_length(body_hash) = 32),
    tenant text NOT NULL,
    salt bytea NOT NULL CHECK (octet_length(salt) = 16),
    body text NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT now()
);

-- Commands already carried out.
CREATE TABLE audit.inbox (
    command_id uuid PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, UPDATE ON audit.head TO batuta_audit;
GRANT SELECT, INSERT ON audit.entries, audit.segments TO batuta_audit;
GRANT SELECT, INSERT, DELETE ON audit.early_entries TO batuta_audit;
GRANT SELECT, INSERT, DELETE ON audit.kept_bodies TO batuta_audit;
GRANT SELECT, INSERT, DELETE ON audit.inbox TO batuta_audit;

-- The log keeps everything until whole partitions can be sealed: its own writer cannot drop any.
REVOKE EXECUTE ON FUNCTION audit.retire_partition(text, date, integer) FROM PUBLIC;

-- Grants end where rows of the log would change; this says so to the owner's own mistakes, too.
CREATE FUNCTION audit.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog
AS $$ BEGIN RAISE EXCEPTION 'the audit log is insert-only' USING ERRCODE = '42501'; END $$;

CREATE TRIGGER entries_insert_only BEFORE UPDATE OR DELETE ON audit.entries
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER segments_insert_only BEFORE UPDATE OR DELETE ON audit.segments
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();

SELECT audit.ensure_partitions();
