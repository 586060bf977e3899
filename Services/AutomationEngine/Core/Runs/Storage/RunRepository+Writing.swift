import Domain
import FoundationEssentials
import Persistence

/// The SQL of runs, their steps, and the signals that started them.
struct RunRepository: Sendable {
    let database: PostgresClient
}

extension RunRepository {
    /// What one batch claims: its signals in the inbox, and its matches in the dedupe table.
    struct Claim: Sendable {
        var signals: [IncomingSignal]
        var matches: [(signalID: UUID, automationKey: String, tenant: String, runID: UUID)]
        var generation: Int64
    }

    /// The first round trip of a batch: the generation guard, and one statement that claims.
    ///
    /// A signal that is in the inbox already is skipped whole: a redelivery never widens what it starts. Rows are inserted
    /// in the order of their keys, so that two batches with the same signals wait for each other and do not deadlock.
    static func claiming(_ claim: Claim) -> [PostgresStatement] {
        let signals = claim.signals.sorted { $0.id < $1.id }
        return [
            PostgresStatement("SELECT engine.require_generation($1)", [.int8(claim.generation)]),
            AwaitedSignals.holding(claim.signals),
            PostgresStatement(
                """
                WITH fresh AS (
                    INSERT INTO engine.inbox (signal_id, tenant, generation, signal_type)
                    SELECT s.signal_id, s.tenant, $1, s.signal_type
                    FROM unnest($2::uuid[], $3::text[], $4::text[]) AS s (signal_id, tenant, signal_type)
                    ON CONFLICT (signal_id) DO NOTHING
                    RETURNING signal_id
                ), claimed AS (
                    INSERT INTO engine.automation_dedup (signal_id, automation_key, tenant, run_id)
                    SELECT m.signal_id, m.automation_key, m.tenant, m.run_id
                    FROM unnest($5::uuid[], $6::text[], $7::text[], $8::uuid[])
                        AS m (signal_id, automation_key, tenant, run_id)
                    JOIN fresh USING (signal_id)
                    ON CONFLICT (signal_id, automation_key) DO NOTHING
                    RETURNING run_id
                )
                SELECT ARRAY(SELECT signal_id FROM fresh), ARRAY(SELECT run_id FROM claimed)
                """,
                [
                    .int8(claim.generation),
                    .uuidArray(signals.map(\.id)),
                    .textArray(signals.map(\.tenant)),
                    .textArray(signals.map(\.type)),
                    .uuidArray(claim.matches.map(\.signalID)),
                    .textArray(claim.matches.map(\.automationKey)),
                    .textArray(claim.matches.map(\.tenant)),
                    .uuidArray(claim.matches.map(\.runID)),
                ]
            ),
        ]
    }

    /// The rows of a batch's runs, for its last round trip.
    ///
    /// - Parameters:
    ///   - runs: As they stand at the end of the batch.
    ///   - signals: Those that started them, each once.
    ///   - owner: Who works on those that are running.
    /// - Returns: None where there is no run.
    static func insertion(of runs: [RunRecord], signals: [IncomingSignal], owner: UUID) -> [PostgresStatement] {
        guard !runs.isEmpty else {
            return []
        }
        return [insertion(of: signals), insertion(of: runs, owner: owner), stepInsertion(of: runs)]
    }

    /// What runs of aimed signals say about where these come from; no statement where there are none.
    static func describing(_ metadata: [(runID: UUID, metadata: [UInt8])]) -> [PostgresStatement] {
        guard !metadata.isEmpty else {
            return []
        }
        return [
            PostgresStatement(
                """
                UPDATE engine.automation_runs r SET metadata = m.metadata
                FROM unnest($1::uuid[], $2::text[]) AS m (run_id, metadata) WHERE r.run_id = m.run_id
                """,
                [.uuidArray(metadata.map(\.runID)), .textBytesArray(metadata.map(\.metadata))]
            )
        ]
    }

    /// What the steps of dry runs say that they would have done; no statement where there are none.
    static func simulating(_ runs: [RunRecord]) -> [PostgresStatement] {
        let steps = runs.filter(\.isDryRun).flatMap { run in
            run.steps.enumerated().compactMap { position, step in step.simulation.map { (run.id, position, $0) } }
        }
        guard !steps.isEmpty else {
            return []
        }
        return [
            PostgresStatement(
                """
                UPDATE engine.automation_run_steps s SET simulation = n.simulation
                FROM unnest($1::uuid[], $2::integer[], $3::text[]) AS n (run_id, position, simulation)
                WHERE s.run_id = n.run_id AND s.position = n.position
                """,
                [
                    .uuidArray(steps.map(\.0)), .int4Array(steps.map { Int32($0.1) }), .textBytesArray(steps.map(\.2)),
                ]
            )
        ]
    }

    /// Keeps a signal that a person has made, for those who ask for it.
    static func keeping(_ signal: IncomingSignal) -> PostgresStatement {
        PostgresStatement(
            "INSERT INTO engine.signal_emissions (signal_id, tenant, type, event) VALUES ($1, $2, $3, $4)",
            [.uuid(signal.id), .text(signal.tenant), .text(signal.type), .textBytes(signal.event)]
        )
    }

    private static func insertion(of signals: [IncomingSignal]) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO engine.signals (signal_id, tenant, event)
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])
            """,
            [
                .uuidArray(signals.map(\.id)),
                .textArray(signals.map(\.tenant)),
                .textBytesArray(signals.map { $0.event }),
            ]
        )
    }

    private static func insertion(of runs: [RunRecord], owner: UUID) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO engine.automation_runs (run_id, tenant, automation_id, automation_key, automation_version,
                signal_id, type, subtype, dry_run, status, summary, error, traceparent, started_at, finished_at, fence,
                owner)
            SELECT r.run_id, r.tenant, r.automation_id, r.automation_key, r.automation_version, r.signal_id,
                   'automation', 'automation:' || r.automation_key, r.dry_run, r.status, r.summary, r.error,
                   r.traceparent, r.started_at, r.finished_at, r.fence, CASE WHEN r.status = 'running' THEN $15::uuid END
            FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::integer[], $6::uuid[], $7::boolean[],
                        $8::text[], $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[],
                        $14::bigint[])
                AS r (run_id, tenant, automation_id, automation_key, automation_version, signal_id, dry_run,
                      status, summary, error, traceparent, started_at, finished_at, fence)
            """,
            [
                .uuidArray(runs.map(\.id)),
                .textArray(runs.map(\.tenant)),
                .uuidArray(runs.map(\.automationID)),
                .textArray(runs.map(\.automationKey)),
                .int4Array(runs.map { Int32($0.automationVersion) }),
                .uuidArray(runs.map(\.signalID)),
                .boolArray(runs.map(\.isDryRun)),
                .textArray(runs.map(\.status.rawValue)),
                .textArray(runs.map(\.summary)),
                .textBytesArray(runs.map(\.error)),
                .textArray(runs.map(\.traceparent)),
                .timestampArray(microseconds: runs.map(\.startedAt)),
                .timestampArray(microseconds: runs.map(\.finishedAt)),
                .int8Array(runs.map(\.fence)),
                .uuid(owner),
            ]
        )
    }

    private static func stepInsertion(of runs: [RunRecord]) -> PostgresStatement {
        let steps = runs.flatMap { run in
            // Items come with what the batch records of a run's first steps.
            run.steps.enumerated().lazy.filter { $0.element.parent == nil }
                .map { (runID: run.id, position: Int32($0.offset), step: $0.element) }
        }
        return PostgresStatement(
            """
            INSERT INTO engine.automation_run_steps (run_id, position, name, action_key, status, attempt, input, output,
                                                     error, started_at, finished_at)
            SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::integer[],
                                 $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[])
            """,
            [
                .uuidArray(steps.map(\.runID)),
                .int4Array(steps.map(\.position)),
                .textArray(steps.map(\.step.name)),
                .textArray(steps.map(\.step.actionKey)),
                .textArray(steps.map(\.step.status.rawValue)),
                .int4Array(steps.map { Int32($0.step.attempt) }),
                .textBytesArray(steps.map(\.step.input)),
                .textBytesArray(steps.map(\.step.output)),
                .textBytesArray(steps.map(\.step.error)),
                .timestampArray(microseconds: steps.map(\.step.startedAt)),
                .timestampArray(microseconds: steps.map(\.step.finishedAt)),
            ]
        )
    }
}
