-- Sources of webhooks, and what lists of signals are read by.

CREATE TABLE gateway.hooks (
    hook_id uuid PRIMARY KEY,
    tenant text NOT NULL REFERENCES gateway.tenants,
    -- The last part of its address, `tenant.name`: neither of the two has a full stop.
    name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{0,62}$'),
    kind text NOT NULL CHECK (kind IN ('github', 'alertmanager', 'stripe', 'standard-webhooks', 'generic')),
    type_prefix text CHECK (octet_length(type_prefix) BETWEEN 1 AND 100),
    mapping text CHECK (octet_length(mapping) <= 4096),
    -- Counts the secrets; a sealed one opens only for its hook and its number.
    secret_version bigint NOT NULL CHECK (secret_version > 0),
    secret bytea NOT NULL,
    -- The secret before, accepted until then.
    previous_secret bytea,
    previous_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    rotated_at timestamptz,
    UNIQUE (tenant, name),
    CHECK ((previous_secret IS NULL) = (previous_until IS NULL)),
    CHECK (previous_secret IS NULL OR secret_version > 1)
);

CREATE INDEX hooks_tenant ON gateway.hooks (tenant, hook_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON gateway.hooks TO batuta_gateway;

-- A tenant's newest signals, and those of a type or a family of types.
CREATE INDEX signals_tenant ON gateway.signals (tenant, signal_id);
CREATE INDEX signals_type ON gateway.signals (tenant, type COLLATE "C", signal_id);
