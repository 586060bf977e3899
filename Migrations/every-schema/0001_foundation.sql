-- What every service owns in its own schema: partitions by time, lanes with their outbox, dead letters, requests.
-- `{{schema}}` stands for the schema and `{{role}}` for the service's role; `batuta migrate` puts them in.

-- The lowest UUIDv7 of an instant: the lower bound of the partition that begins there.
CREATE FUNCTION {{schema}}.uuid7_floor(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid $$;

-- The instant in a UUIDv7.
CREATE FUNCTION {{schema}}.uuid7_time(id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT to_timestamp(('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0) $$;

-- Makes the weekly partitions of every partitioned table from the current week to `days_ahead` days from now, and says
-- how many days ahead all of them reach. A service may call it, and no service can change the schema otherwise.
CREATE FUNCTION {{schema}}.ensure_partitions(days_ahead integer DEFAULT 37) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    parent record;
    week timestamptz;
    partition text;
BEGIN
    IF days_ahead IS NULL OR days_ahead NOT BETWEEN 1 AND 366 THEN
        RAISE EXCEPTION 'days_ahead must be between 1 and 366' USING ERRCODE = '22023';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('{{schema}}.ensure_partitions', 0));
    FOR parent IN
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = '{{schema}}' AND c.relkind = 'p' ORDER BY c.relname
    LOOP
        week := date_trunc('week', now()) - interval '7 days';
        WHILE week < now() + make_interval(days => days_ahead) LOOP
            partition := parent.relname || '_' || to_char(week, 'YYYYMMDD');
            IF to_regclass(format('{{schema}}.%I', partition)) IS NULL THEN
                -- Attached, not made in place: that would wait for every transaction that uses the table, and all
                -- others behind it.
                EXECUTE format(
                    'CREATE TABLE {{schema}}.%I (LIKE {{schema}}.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS '
                    'INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION)',
                    partition, parent.relname);
                EXECUTE format(
                    'ALTER TABLE {{schema}}.%I ATTACH PARTITION {{schema}}.%I FOR VALUES FROM (%L) TO (%L)',
                    parent.relname, partition,
                    {{schema}}.uuid7_floor(week), {{schema}}.uuid7_floor(week + interval '7 days'));
            END IF;
            week := week + interval '7 days';
        END LOOP;
    END LOOP;
    RETURN days_ahead;
END
$$;

-- Detaches and drops one weekly partition that lies wholly more than `keep_days` days in the past.
CREATE FUNCTION {{schema}}.retire_partition(parent text, week date, keep_days integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    partition text := parent || '_' || to_char(week, 'YYYYMMDD');
BEGIN
    IF keep_days IS NULL OR keep_days < 30 THEN
        RAISE EXCEPTION 'nothing younger than 30 days is retired' USING ERRCODE = '22023';
    END IF;
    IF week + 7 + keep_days > current_date THEN
        RETURN false;
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_inherits i
        WHERE i.inhparent = to_regclass(format('{{schema}}.%I', parent))
          AND i.inhrelid = to_regclass(format('{{schema}}.%I', partition))
    ) THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE {{schema}}.%I', partition);
    RETURN true;
END
$$;

-- One row per running process of the service: the lease that says it is alive.
CREATE TABLE {{schema}}.instances (
    instance uuid PRIMARY KEY,
    replica text NOT NULL CHECK (replica <> ''),
    started_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz NOT NULL
) WITH (fillfactor = 50);

-- A lane: one serial writer of one process, and how far its messages have come.
-- `…_last` is the last number committed, `…_confirmed` the last one that the broker has confirmed together with all
-- before it, `…_verified` the last one that its consumer is known to hold together with all before it.
CREATE TABLE {{schema}}.lanes (
    epoch bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    producer text NOT NULL CHECK (producer ~ '^[a-z-]+/[a-z0-9][a-z0-9.-]*/[a-z0-9]+$'),
    -- The process that sends and verifies what the lane holds: the writer while the lane is open, then whoever took it.
    keeper uuid,
    opened_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    -- Counts the lane's transactions; each states the count it expects, so a fenced writer cannot commit.
    commits bigint NOT NULL DEFAULT 0,
    signals_last bigint NOT NULL DEFAULT 0,
    signals_confirmed bigint NOT NULL DEFAULT 0,
    signals_verified bigint NOT NULL DEFAULT 0,
    commands_last bigint NOT NULL DEFAULT 0,
    commands_confirmed bigint NOT NULL DEFAULT 0,
    commands_verified bigint NOT NULL DEFAULT 0,
    audit_last bigint NOT NULL DEFAULT 0,
    audit_confirmed bigint NOT NULL DEFAULT 0,
    audit_verified bigint NOT NULL DEFAULT 0,
    CHECK (signals_verified <= signals_last AND signals_confirmed <= signals_last),
    CHECK (commands_verified <= commands_last AND commands_confirmed <= commands_last),
    CHECK (audit_verified <= audit_last AND audit_confirmed <= audit_last)
) WITH (fillfactor = 50);

CREATE INDEX lanes_unfinished ON {{schema}}.lanes (epoch)
    WHERE closed_at IS NULL OR signals_verified < signals_last
       OR commands_verified < commands_last OR audit_verified < audit_last;

-- Last statement of every lane transaction: moves the lane on, or aborts the transaction when the lane was closed or
-- settled in the meantime. The row lock is what whoever settles or closes the lane waits for.
CREATE FUNCTION {{schema}}.advance_lane(
    lane bigint, expected_commits bigint, signals bigint, commands bigint, audit bigint,
    confirmed_signals bigint, confirmed_commands bigint, confirmed_audit bigint
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    UPDATE {{schema}}.lanes SET
        commits = commits + 1,
        signals_last = signals, commands_last = commands, audit_last = audit,
        signals_confirmed = greatest(signals_confirmed, confirmed_signals),
        commands_confirmed = greatest(commands_confirmed, confirmed_commands),
        audit_confirmed = greatest(audit_confirmed, confirmed_audit)
    WHERE epoch = lane AND commits = expected_commits AND closed_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lane % was closed or settled by another process', lane USING ERRCODE = 'BT001';
    END IF;
END
$$;

-- One row per message. Append-only; progress stands in `lanes`, never in a flag here.
CREATE TABLE {{schema}}.outbox (
    message_id uuid NOT NULL,
    epoch bigint NOT NULL,
    destination text NOT NULL CHECK (destination IN ('signals', 'commands', 'audit')),
    first_seq bigint NOT NULL CHECK (first_seq > 0),
    last_seq bigint NOT NULL CHECK (last_seq >= first_seq),
    tenant text NOT NULL,
    routing_key text NOT NULL CHECK (octet_length(routing_key) <= 255),
    -- The contract of the body, as its registry knows it.
    message_type text NOT NULL,
    schema_version integer NOT NULL CHECK (schema_version > 0),
    traceparent text,
    -- Of signals: their ids, in order; the events stand in the service's own table of signals.
    items uuid[],
    -- Of all else: the bytes to send.
    body bytea,
    PRIMARY KEY (message_id),
    CHECK ((destination = 'signals') = (items IS NOT NULL)),
    CHECK ((items IS NULL) <> (body IS NULL)),
    CHECK (items IS NULL OR cardinality(items) = last_seq - first_seq + 1)
) PARTITION BY RANGE (message_id);

CREATE INDEX outbox_lane ON {{schema}}.outbox (epoch, destination, first_seq);

-- Messages and signals that could not be processed, whole, with the reason.
CREATE TABLE {{schema}}.dead_letters (
    dead_letter_id uuid PRIMARY KEY,
    tenant text,
    exchange text NOT NULL,
    routing_key text NOT NULL,
    message_type text,
    message_id text,
    -- The signal or command that failed, where it could be told.
    item_id uuid,
    headers text NOT NULL,
    body bytea NOT NULL,
    reason text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    redriven_at timestamptz
);

CREATE INDEX dead_letters_item ON {{schema}}.dead_letters (item_id) WHERE item_id IS NOT NULL;
CREATE UNIQUE INDEX dead_letters_once ON {{schema}}.dead_letters (message_id, item_id) NULLS NOT DISTINCT
    WHERE message_id IS NOT NULL;

-- Answers of changes that a caller may ask for twice; written in the transaction of the change.
CREATE TABLE {{schema}}.requests (
    tenant text NOT NULL,
    principal text NOT NULL,
    route text NOT NULL,
    idempotency_key text NOT NULL CHECK (octet_length(idempotency_key) BETWEEN 1 AND 255),
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    status integer NOT NULL,
    answer text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, principal, route, idempotency_key)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON {{schema}}.instances, {{schema}}.requests TO {{role}};
GRANT SELECT, INSERT, UPDATE ON {{schema}}.lanes, {{schema}}.dead_letters TO {{role}};
GRANT SELECT, INSERT ON {{schema}}.outbox TO {{role}};
