import FoundationEssentials
import Persistence

extension AdmissionRepository {
    /// What a ledger has decided; the runs themselves are written before.
    static func writing(_ ledger: AdmissionLedger) -> [PostgresStatement] {
        var statements: [PostgresStatement] = []
        if !ledger.entries.isEmpty {
            statements.append(entering(ledger.entries))
            let held = ledger.entries.filter(\.value.isHeld).map(\.key)
            if !held.isEmpty {
                statements.append(
                    PostgresStatement(
                        "UPDATE engine.automation_runs SET held = true WHERE run_id = ANY ($1)",
                        [.uuidArray(held)]
                    )
                )
            }
        }
        if !ledger.starts.isEmpty { statements.append(starting(ledger.starts)) }
        if !ledger.holdings.isEmpty { statements.append(holding(Array(ledger.holdings.values))) }
        if !ledger.refusals.isEmpty { statements.append(skipping(ledger.refusals)) }
        return statements
    }

    /// What the ends of runs give back: somebody looks then whether others may go.
    static func freeing(_ runs: [UUID]) -> [PostgresStatement] {
        guard !runs.isEmpty else {
            return []
        }
        return [
            PostgresStatement(
                // A held run leaves its hold by a trigger.
                """
                UPDATE engine.admissions SET stage = 'freed', look_at = now()
                WHERE run_id = ANY ($1) AND stage = 'going'
                """,
                [.uuidArray(runs)]
            )
        ]
    }

    /// Takes the places away of runs that others have superseded, under the locks of their gates.
    static func superseding(_ runs: [UUID]) -> [PostgresStatement] {
        guard !runs.isEmpty else {
            return []
        }
        return [PostgresStatement("DELETE FROM engine.admissions WHERE run_id = ANY ($1)", [.uuidArray(runs)])]
    }

    private static func entering(_ entries: [UUID: AdmissionLedger.Entry]) -> PostgresStatement {
        let entries = entries.sorted { $0.key < $1.key }
        return PostgresStatement(
            """
            INSERT INTO engine.admissions (run_id, automation_id, stage, place_key, rate_key, look_at)
            SELECT n.run_id, r.automation_id, n.stage, n.place_key, n.rate_key,
                   clock_timestamp() + n.look_after * interval '1 microsecond'
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[])
                AS n (run_id, stage, place_key, rate_key, look_after)
            JOIN engine.automation_runs r USING (run_id)
            -- A run that goes on may have a row from its last end.
            ON CONFLICT (run_id) DO UPDATE SET stage = excluded.stage, place_key = excluded.place_key,
                rate_key = excluded.rate_key, look_at = excluded.look_at
            """,
            [
                .uuidArray(entries.map(\.key)), .textArray(entries.map(\.value.stage.rawValue)),
                .textArray(entries.map(\.value.placeKey)), .textArray(entries.map(\.value.rateKey)),
                .int8Array(entries.map { $0.value.lookAfter.map { Int64($0 / .microseconds(1)) } }),
            ]
        )
    }

    private static func starting(_ starts: [AdmissionLedger.Start]) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO engine.rate_starts (automation_id, key, started_at, run_id, expires_at)
            SELECT n.automation_id, n.key, t.now, n.run_id, t.now + n.span * interval '1 microsecond'
            FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[]) AS n (automation_id, key, run_id, span)
            -- One time for all: it is later than that by which they were counted.
            CROSS JOIN (SELECT clock_timestamp() AS now) AS t
            ON CONFLICT DO NOTHING
            """,
            [
                .uuidArray(starts.map(\.gate.automation)), .textArray(starts.map(\.gate.key)),
                .uuidArray(starts.map(\.run)), .int8Array(starts.map { Int64($0.window / .microseconds(1)) }),
            ]
        )
    }

    private static func holding(_ holdings: [AdmissionLedger.Holding]) -> PostgresStatement {
        PostgresStatement(
            """
            UPDATE engine.gates g
            SET run_id = n.run_id, until_end = n.until_end,
                expires_at = clock_timestamp() + n.span * interval '1 microsecond'
            FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::boolean[], $5::bigint[])
                AS n (automation_id, key, run_id, until_end, span)
            WHERE g.automation_id = n.automation_id AND g.kind = 'dedupe' AND g.key = n.key
            """,
            [
                .uuidArray(holdings.map(\.gate.automation)), .textArray(holdings.map(\.gate.key)),
                .uuidArray(holdings.map(\.run)), .boolArray(holdings.map(\.endsWithRun)),
                .int8Array(holdings.map { Int64($0.window / .microseconds(1)) }),
            ]
        )
    }

    private static func skipping(_ refusals: [AdmissionRefusal]) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO engine.automation_skips (signal_id, automation_key, tenant, reason, key, run_id)
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[])
            """,
            [
                .uuidArray(refusals.map(\.signalID)), .textArray(refusals.map(\.automationKey)),
                .textArray(refusals.map(\.tenant)), .textArray(refusals.map(\.reason.rawValue)),
                .textArray(refusals.map(\.key)), .uuidArray(refusals.map(\.run)),
            ]
        )
    }
}
