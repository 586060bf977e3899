-- Actions that administrators register: carried out by services of the tenant's own.

-- A row stays when its action is withdrawn, so that every replica learns of it and no revision comes twice.
CREATE TABLE engine.actions (
    tenant text NOT NULL,
    action_key text NOT NULL CHECK (action_key ~ '^[a-z][a-z0-9_-]*\.[A-Za-z][A-Za-z0-9_-]*$'
                                    AND octet_length(action_key) <= 100),
    -- Moves on with every change, withdrawal included: the version and the ETag.
    revision bigint NOT NULL CHECK (revision >= 1),
    -- As its author wrote it: JSON.
    registration text NOT NULL,
    -- The generation of the registry in which it last changed.
    changed_generation bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    withdrawn_at timestamptz,
    PRIMARY KEY (tenant, action_key)
);

CREATE INDEX actions_changed ON engine.actions (changed_generation);

-- Which registered actions the newest version of an automation names. A release that knows nothing of it leaves rows
-- behind, never too few: it takes no definition that names such an action.
CREATE TABLE engine.automation_actions (
    tenant text NOT NULL,
    action_key text NOT NULL,
    automation_id uuid NOT NULL REFERENCES engine.automations,
    PRIMARY KEY (tenant, action_key, automation_id)
);

CREATE INDEX automation_actions_automation ON engine.automation_actions (automation_id);

GRANT SELECT, INSERT, UPDATE ON engine.actions TO batuta_engine;
GRANT SELECT, INSERT, DELETE ON engine.automation_actions TO batuta_engine;
