import FoundationEssentials
import Persistence

/// The SQL of what runs are admitted by, for the transactions of others.
enum AdmissionRepository {}

extension AdmissionRepository {
    /// Locks gates in their order, making those that are not there.
    static func locking(_ gates: [AdmissionGate]) -> PostgresStatement {
        let gates = gates.sorted()
        return PostgresStatement(
            """
            INSERT INTO engine.gates AS g (automation_id, kind, key, expires_at)
            SELECT n.automation_id, n.kind, n.key, now() + CASE n.kind WHEN 'dedupe' THEN interval '0' ELSE interval '1 hour' END
            FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n (automation_id, kind, key)
            -- The update is the lock. It moves the end of what is in use, now and then, and leaves the keys of runs alone.
            ON CONFLICT (automation_id, kind, key) DO UPDATE SET expires_at =
                CASE WHEN g.kind <> 'dedupe' AND g.expires_at < now() + interval '30 minutes'
                     THEN now() + interval '1 hour' ELSE g.expires_at END
            """,
            values(gates)
        )
    }

    /// Which of some automations are paused, as known under the locks of their gates; and what time it is.
    static func pauses(_ automations: [UUID]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT ARRAY(SELECT automation_id FROM engine.automations WHERE automation_id = ANY ($1) AND paused),
                   clock_timestamp()
            """,
            [.uuidArray(automations)]
        )
    }

    /// For each gate of the kind `place`: how many runs are under way, the oldest of them, and how many wait.
    ///
    /// - Parameter gates: With their limits, and whether runs may have to be canceled.
    /// - Returns: A statement of one row for each, with its number.
    static func places(_ gates: [(gate: AdmissionGate, limit: Int, cancels: Bool)]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT n.number - 1,
                   (SELECT count(*) FROM engine.admissions a
                    WHERE a.automation_id = n.automation_id AND a.place_key = n.key AND a.stage IN ('rate', 'going')),
                   ARRAY(SELECT a.run_id FROM engine.admissions a
                         WHERE a.automation_id = n.automation_id AND a.place_key = n.key
                           AND a.stage IN ('rate', 'going')
                         ORDER BY a.run_id LIMIT CASE WHEN n.cancels THEN 2147483647 ELSE 1 END),
                   (SELECT count(*) FROM (
                        SELECT FROM engine.admissions a
                        WHERE a.automation_id = n.automation_id AND a.place_key = n.key AND a.stage = 'place'
                        LIMIT n.most) AS w)
            FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::boolean[])
                WITH ORDINALITY AS n (automation_id, key, most, cancels, number)
            """,
            [
                .uuidArray(gates.map(\.gate.automation)), .textArray(gates.map(\.gate.key)),
                .int4Array(gates.map { Int32(clamping: $0.limit) }), .boolArray(gates.map(\.cancels)),
            ]
        )
    }

    /// For each gate of the kind `rate`: when the newest runs have begun, which was the last, and whether one waits.
    static func starts(_ gates: [(gate: AdmissionGate, limit: Int)]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT n.number - 1,
                   ARRAY(SELECT s.started_at FROM engine.rate_starts s
                         WHERE s.automation_id = n.automation_id AND s.key = n.key
                         ORDER BY s.started_at DESC LIMIT n.most),
                   (SELECT s.run_id FROM engine.rate_starts s
                    WHERE s.automation_id = n.automation_id AND s.key = n.key ORDER BY s.started_at DESC LIMIT 1),
                   EXISTS (SELECT FROM engine.admissions a
                           WHERE a.automation_id = n.automation_id AND a.rate_key = n.key AND a.stage = 'rate')
            FROM unnest($1::uuid[], $2::text[], $3::integer[]) WITH ORDINALITY AS n (automation_id, key, most, number)
            """,
            [
                .uuidArray(gates.map(\.gate.automation)), .textArray(gates.map(\.gate.key)),
                .int4Array(gates.map { Int32(clamping: $0.limit) }),
            ]
        )
    }

    /// The gates of the kind `dedupe` whose key is held, and by which run.
    static func holders(_ gates: [AdmissionGate]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT n.number - 1, g.run_id, g.until_end
            FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS n (automation_id, kind, key, number)
            JOIN engine.gates g USING (automation_id, kind, key)
            WHERE g.run_id IS NOT NULL AND g.expires_at > clock_timestamp()
              AND (NOT g.until_end OR EXISTS (
                  SELECT FROM engine.automation_runs r WHERE r.run_id = g.run_id AND r.finished_at IS NULL))
            """,
            values(gates)
        )
    }

    /// The runs under way of a key, the oldest first.
    static func going(_ gate: AdmissionGate) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT run_id FROM engine.admissions
            WHERE automation_id = $1 AND place_key = $2 AND stage IN ('rate', 'going') ORDER BY run_id
            """,
            [.uuid(gate.automation), .text(gate.key)]
        )
    }

    /// The columns of gates as parameters: automations, kinds, keys.
    static func values(_ gates: [AdmissionGate]) -> [PostgresValue] {
        [.uuidArray(gates.map(\.automation)), .textArray(gates.map(\.kind.rawValue)), .textArray(gates.map(\.key))]
    }
}
