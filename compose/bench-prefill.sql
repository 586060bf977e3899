-- Fills the tables with finished runs (psql's variable `runs` says how many), spread evenly from the oldest partition
-- until now. Each has what the gateway and the engine store of an event of 1 KB that starts a run of three pure steps;
-- one in a hundred has failed. The audit log is left as it is, because each of its entries would need its hashes.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
-- Measured is what runs in these tables later, not this.
SET synchronous_commit = off;

-- A UUIDv7 of an instant, the same for the same number.
CREATE FUNCTION pg_temp.uuid7_of(at timestamptz, number text) RETURNS uuid LANGUAGE sql IMMUTABLE
AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(number), 1, 3) || '8'
            || substr(md5(number), 4, 15))::uuid
$$;

CREATE TEMPORARY TABLE run AS
SELECT number, at, at + interval '2 milliseconds' AS finished_at,
       pg_temp.uuid7_of(at, 'signal ' || number) AS signal_id,
       pg_temp.uuid7_of(at + interval '1 millisecond', 'run ' || number) AS run_id,
       'filled.' || number % 20 AS type, 'filled-' || number % 20 AS automation_key, 'filled-' || number AS id,
       md5('automation ' || number % 20)::uuid AS automation_id,
       CASE WHEN number % 100 = 0 THEN 'failed' ELSE 'succeeded' END AS status,
       tenant
FROM (
    SELECT number, tenant,
           date_trunc('week', now(), 'UTC') - interval '7 days'
               + (now() - date_trunc('week', now(), 'UTC') + interval '7 days') * (number - 1) / :runs AS at
    FROM generate_series(1, :runs) AS number, (SELECT tenant FROM gateway.tenants ORDER BY tenant LIMIT 1) AS t
) AS numbered;

INSERT INTO gateway.signal_keys (tenant, source, id, signal_id, digest)
SELECT tenant, '/bench', id, signal_id, sha256(convert_to(id, 'UTF8')) FROM run;

INSERT INTO gateway.signals (signal_id, tenant, type, source, id, epoch, event)
SELECT signal_id, tenant, type, '/bench', id, 1,
       format('{"specversion":"1.0","id":"%s","source":"/bench","type":"%s","batutasignalid":"%s","data":{"note":"%s"}}',
              id, type, signal_id, repeat(md5(id), 28))
FROM run;

INSERT INTO engine.signals (signal_id, tenant, event) SELECT signal_id, tenant, event FROM gateway.signals
WHERE type LIKE 'filled.%';

INSERT INTO engine.inbox (signal_id, tenant, generation, signal_type)
SELECT signal_id, tenant, 1, type FROM run;

INSERT INTO engine.automation_dedup (signal_id, automation_key, tenant, run_id)
SELECT signal_id, automation_key, tenant, run_id FROM run;

INSERT INTO engine.automation_runs (run_id, tenant, automation_id, automation_key, automation_version, signal_id, type,
                                    subtype, status, summary, error, started_at, finished_at)
SELECT run_id, tenant, automation_id, automation_key, 1, signal_id, 'automation', 'automation:' || automation_key, status,
       automation_key || ' for ' || type,
       CASE WHEN status = 'failed' THEN '{"code":"filled","title":"Made to fail","status":500}' END, at, finished_at
FROM run;

INSERT INTO engine.automation_run_steps (run_id, position, name, action_key, status, attempt, input, output, started_at,
                                         finished_at)
SELECT run_id, position, 'step-' || position, 'data.transform', 'succeeded', 1,
       '{"area":"orders","keep_for":"90d","priority":2}', '{"area":"orders","keep_for":"90d","priority":2}', at, finished_at
FROM run, generate_series(0, 2) AS position;

-- What autovacuum would do in its own time, which would then be measured too.
VACUUM (ANALYZE) gateway.signal_keys, gateway.signals, engine.signals, engine.inbox, engine.automation_dedup,
    engine.automation_runs, engine.automation_run_steps;
CHECKPOINT;
