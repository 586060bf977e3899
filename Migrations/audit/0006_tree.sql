-- The Merkle tree over the entries, its signed checkpoints, and what entries are looked up by.
-- replaces: 437c6da0872592589cafe458657061f2d014bf99df5d42badd7f8249e8a37b83

-- What was last signed of the log, and as which log. `signed_size` is what every later checkpoint must extend.
ALTER TABLE audit.head
    ADD COLUMN origin text CHECK (origin <> ''),
    ADD COLUMN signed_size bigint NOT NULL DEFAULT 0 CHECK (signed_size >= 0),
    ADD COLUMN signed_root bytea CHECK (octet_length(signed_root) = 32),
    ADD CHECK (signed_size <= size),
    ADD CHECK ((signed_size = 0) = (signed_root IS NULL)),
    ADD CHECK (signed_size = 0 OR origin IS NOT NULL);

-- The head goes forward: no entry is taken back, and no size of a log is signed with two roots.
--
-- Only whoever owns the schema can begin a log of another origin, as `batuta restored` does.
CREATE FUNCTION audit.head_moves_forward() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF NEW.fence < OLD.fence OR NEW.size < OLD.size THEN
        RAISE EXCEPTION 'the head of the log does not go back' USING ERRCODE = '42501';
    END IF;
    IF NEW.origin IS DISTINCT FROM OLD.origin THEN
        IF OLD.origin IS NOT NULL AND current_user = 'batuta_audit' THEN
            RAISE EXCEPTION 'the origin of a log does not change' USING ERRCODE = '42501';
        END IF;
    ELSIF NEW.signed_size < OLD.signed_size
        OR (NEW.signed_size = OLD.signed_size AND NEW.signed_root IS DISTINCT FROM OLD.signed_root) THEN
        RAISE EXCEPTION 'what was signed of the log stays signed' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER head_moves_forward BEFORE UPDATE ON audit.head
    FOR EACH ROW EXECUTE FUNCTION audit.head_moves_forward();

-- The full tiles of the tree: 256 hashes of one level (RFC 6962, C2SP tlog-tiles), and the root over them, which is a
-- hash of the level above. The tiles at the right edge follow from these and the leaf hashes of the last entries.
CREATE TABLE audit.tiles (
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    tile_index bigint NOT NULL CHECK (tile_index >= 0),
    hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    PRIMARY KEY (level, tile_index)
);
-- Hashes cannot be compressed.
ALTER TABLE audit.tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- Every checkpoint that was signed, as it left.
CREATE TABLE audit.checkpoints (
    origin text NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    signed_at timestamptz NOT NULL,
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    note text NOT NULL,
    PRIMARY KEY (origin, size, signed_at)
);

CREATE FUNCTION audit.refuse_second_root() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF EXISTS (
        SELECT FROM audit.checkpoints c WHERE c.origin = NEW.origin AND c.size = NEW.size AND c.root <> NEW.root
    ) THEN
        RAISE EXCEPTION 'this size of the log is signed with another root' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER checkpoints_one_root BEFORE INSERT ON audit.checkpoints
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_second_root();

-- What witnesses have added to checkpoints: lines of signatures of type 0x04.
CREATE TABLE audit.cosignatures (
    origin text NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    witness text NOT NULL CHECK (witness <> ''),
    signed_at timestamptz NOT NULL,
    line text NOT NULL,
    PRIMARY KEY (origin, size, witness, signed_at)
);

GRANT SELECT, INSERT ON audit.tiles, audit.checkpoints, audit.cosignatures TO batuta_audit;

CREATE TRIGGER tiles_insert_only BEFORE UPDATE OR DELETE ON audit.tiles
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER checkpoints_insert_only BEFORE UPDATE OR DELETE ON audit.checkpoints
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER cosignatures_insert_only BEFORE UPDATE OR DELETE ON audit.cosignatures
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER segments_not_truncated BEFORE TRUNCATE ON audit.segments
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER cosignatures_not_truncated BEFORE TRUNCATE ON audit.cosignatures
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER tiles_not_truncated BEFORE TRUNCATE ON audit.tiles
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER checkpoints_not_truncated BEFORE TRUNCATE ON audit.checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

-- First statement of every append and of every signature: locks the head, or aborts when another writer has taken over.
CREATE FUNCTION audit.lock_head(expected_fence bigint, expected_size bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    PERFORM FROM audit.head WHERE fence = expected_fence AND size = expected_size FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another writer has taken over the head of the log' USING ERRCODE = 'BT004';
    END IF;
END
$$;

-- A writer of the release before makes no tree. It is told that another has taken over: what it is given goes back to the
-- queue, and waits there for a writer of this release.
CREATE OR REPLACE FUNCTION audit.require_head(expected_fence bigint, expected_size bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    RAISE EXCEPTION 'a writer of a later release has taken over the head of the log' USING ERRCODE = 'BT004';
END
$$;

-- The JSON of an entry without the NULs that values of definitions may have, for text of the database holds none.
-- A backslash before `\u0000` may belong to an escaped one before it.
CREATE FUNCTION audit.entry_json(canonical bytea) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog
AS $$
    SELECT CASE WHEN position('\x5c7530303030'::bytea IN canonical) = 0 THEN convert_from(canonical, 'UTF8')
        ELSE regexp_replace(convert_from(canonical, 'UTF8'), '(?<!\\)((?:\\\\)*)\\u0000', '\1', 'g') END::jsonb
$$;

-- What entries are looked up by, out of their bytes. No row of the log is changed: each week is written anew with these
-- columns and takes the place of the one before. That reads and writes the log once, in about 12 seconds and 1 GB for a
-- million entries. Entries wait in their queue meanwhile, and nobody waits for them.
DO $$
DECLARE
    part record;
BEGIN
    LOCK TABLE audit.entries IN ACCESS EXCLUSIVE MODE;
    ALTER TABLE audit.entries RENAME TO entries_before;
    ALTER INDEX audit.entries_pkey RENAME TO entries_before_pkey;
    ALTER INDEX audit.entries_index RENAME TO entries_before_index;
    ALTER INDEX audit.entries_tenant RENAME TO entries_before_tenant;
    CREATE TABLE audit.entries (
        LIKE audit.entries_before INCLUDING CONSTRAINTS,
        action text NOT NULL,
        actor_type text NOT NULL,
        actor_id text NOT NULL,
        object_type text NOT NULL,
        object_id text NOT NULL,
        trace_id text,
        PRIMARY KEY (entry_id)
    ) PARTITION BY RANGE (entry_id);
    FOR part IN
        SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'audit.entries_before'::regclass ORDER BY c.relname
    LOOP
        EXECUTE format('ALTER TABLE audit.entries_before DETACH PARTITION audit.%I', part.name);
        EXECUTE format('ALTER TABLE audit.%I RENAME TO week_before', part.name);
        EXECUTE format(
            'CREATE TABLE audit.%I (LIKE audit.entries INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part.name);
        -- Each entry is parsed once: what has an OFFSET is not computed again for each column.
        EXECUTE format(
            'INSERT INTO audit.%I '
            'SELECT e.*, j.entry ->> ''action'', j.entry #>> ''{actor,type}'', j.entry #>> ''{actor,id}'', '
            '       j.entry #>> ''{object,type}'', j.entry #>> ''{object,id}'', j.entry ->> ''trace_id'' '
            'FROM audit.week_before e, LATERAL (SELECT audit.entry_json(e.canonical) OFFSET 0) AS j (entry)', part.name);
        DROP TABLE audit.week_before;
        EXECUTE format('ALTER TABLE audit.entries ATTACH PARTITION audit.%I %s', part.name, part.bounds);
    END LOOP;
    DROP TABLE audit.entries_before;
END
$$;

DROP FUNCTION audit.entry_json(bytea);

GRANT SELECT, INSERT ON audit.entries TO batuta_audit;

CREATE TRIGGER entries_insert_only BEFORE UPDATE OR DELETE ON audit.entries
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER entries_not_truncated BEFORE TRUNCATE ON audit.entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

CREATE INDEX entries_index ON audit.entries (leaf_index);
CREATE INDEX entries_tenant ON audit.entries (tenant, entry_id);
-- The ids of runs grow with time, so that this index grows at its end.
CREATE INDEX entries_object ON audit.entries (tenant, object_id, entry_id);
-- What people do is little beside what runs leave.
CREATE INDEX entries_actor ON audit.entries (tenant, actor_id, entry_id) WHERE actor_type <> 'system';
CREATE INDEX entries_action ON audit.entries (tenant, action, entry_id) WHERE action <> 'run.end';
-- Ids of traces are random: a filter a range of pages costs an append next to nothing, and a search reads few ranges.
CREATE INDEX entries_trace ON audit.entries USING brin (trace_id text_bloom_ops)
    WITH (pages_per_range = 32, autosummarize = on);

-- What auditors have been given to export: so many entries of a tenant, under the checkpoint of that time.
CREATE TABLE audit.exports (
    export_id uuid PRIMARY KEY,
    tenant text NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    note text NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX exports_age ON audit.exports (begun_at);

GRANT SELECT, INSERT, DELETE ON audit.exports TO batuta_audit;
