-- Tenants, API tokens, and the signals that the gateway has accepted.

CREATE TABLE gateway.tenants (
    tenant text PRIMARY KEY CHECK (tenant ~ '^[a-z][a-z0-9-]{0,62}$'),
    name text NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE gateway.api_tokens (
    token_id uuid PRIMARY KEY,
    tenant text NOT NULL REFERENCES gateway.tenants,
    name text NOT NULL CHECK (name <> ''),
    role text NOT NULL CHECK (role IN ('sender', 'viewer', 'operator', 'author', 'admin', 'auditor')),
    -- SHA-256 of the token; the token itself is shown once and kept nowhere.
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);

CREATE INDEX api_tokens_tenant ON gateway.api_tokens (tenant, token_id);

-- Moves on with every change of tenants and tokens: what a replica holds in memory is checked against it.
CREATE TABLE gateway.identity_generation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    generation bigint NOT NULL
) WITH (fillfactor = 50);

INSERT INTO gateway.identity_generation (generation) VALUES (1);

CREATE FUNCTION gateway.require_identity_generation(expected bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF (SELECT generation FROM gateway.identity_generation) <> expected THEN
        RAISE EXCEPTION 'tenants or tokens have changed' USING ERRCODE = 'BT002';
    END IF;
END
$$;

-- Decides what is a duplicate. Unpartitioned, so that the key is unique over all time kept (30 days).
CREATE TABLE gateway.signal_keys (
    tenant text NOT NULL,
    source text NOT NULL,
    id text NOT NULL,
    signal_id uuid NOT NULL,
    -- SHA-256 of type and data: tells a repeat from a conflict.
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    PRIMARY KEY (tenant, source, id)
);

CREATE INDEX signal_keys_age ON gateway.signal_keys (signal_id);

-- Accepted signals: the CloudEvent in structured form, as it is published.
CREATE TABLE gateway.signals (
    signal_id uuid NOT NULL,
    tenant text NOT NULL,
    type text NOT NULL CHECK (octet_length(type) BETWEEN 1 AND 255),
    source text NOT NULL,
    id text NOT NULL,
    -- The lane and number under which it is published.
    epoch bigint NOT NULL,
    event text NOT NULL,
    PRIMARY KEY (signal_id)
) PARTITION BY RANGE (signal_id);

GRANT SELECT, INSERT ON gateway.tenants TO batuta_gateway;
GRANT SELECT, INSERT, UPDATE ON gateway.api_tokens TO batuta_gateway;
GRANT SELECT, UPDATE ON gateway.identity_generation TO batuta_gateway;
GRANT SELECT, INSERT, DELETE ON gateway.signal_keys TO batuta_gateway;
GRANT SELECT, INSERT ON gateway.signals TO batuta_gateway;

SELECT gateway.ensure_partitions();
