import FoundationEssentials
import Persistence

extension HeldRunRepository {
    /// The rows that say that it is time to look, the longest ago first.
    static let due = PostgresStatement(
        """
        SELECT run_id, automation_id, stage, place_key, rate_key FROM engine.admissions
        WHERE look_at <= clock_timestamp() ORDER BY look_at LIMIT $1 FOR UPDATE SKIP LOCKED
        """,
        [.int8(Int64(maximumLooks))]
    )

    /// Locks what nobody else has locked, and keeps the pauses of automations as they are meanwhile.
    static func locking(_ gates: [AdmissionGate]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT n.number - 1
            FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS n (automation_id, kind, key, number)
            JOIN engine.gates g ON g.automation_id = n.automation_id AND g.kind = n.kind AND g.key = n.key
            JOIN engine.automations a ON a.automation_id = n.automation_id
            FOR UPDATE OF g SKIP LOCKED FOR KEY SHARE OF a SKIP LOCKED
            """,
            AdmissionRepository.values(gates)
        )
    }

    /// What is known of locked gates: whether there is a pause, the limit, and what counts against it.
    static func reading(_ gates: [AdmissionGate]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT n.number - 1, a.paused, CASE n.kind WHEN 'place' THEN a.place_limit WHEN 'rate' THEN a.rate_limit END,
                   CASE WHEN n.kind = 'place' THEN (
                       SELECT count(*) FROM engine.admissions p
                       WHERE p.automation_id = n.automation_id AND p.place_key = n.key AND p.stage IN ('rate', 'going'))
                   ELSE 0 END,
                   a.rate_window,
                   CASE WHEN n.kind = 'rate' THEN ARRAY(
                       SELECT s.started_at FROM engine.rate_starts s
                       WHERE s.automation_id = n.automation_id AND s.key = n.key
                       ORDER BY s.started_at DESC LIMIT coalesce(a.rate_limit, 0))
                   ELSE '{}' END,
                   clock_timestamp()
            FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS n (automation_id, kind, key, number)
            JOIN engine.automations a ON a.automation_id = n.automation_id
            """,
            AdmissionRepository.values(gates)
        )
    }

    /// The oldest runs that wait at gates of a kind, as many as there is room for; those that are just being changed by
    /// somebody else are passed over.
    static func choosing(_ kind: AdmissionGate.Kind, _ rooms: [HeldRunRoom]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT n.number - 1, c.run_id, c.place_key, c.rate_key
            FROM unnest($1::uuid[], $2::text[], $3::integer[]) WITH ORDINALITY AS n (automation_id, key, room, number)
            CROSS JOIN LATERAL (
                SELECT w.run_id, w.place_key, w.rate_key
                FROM engine.admissions w JOIN engine.automation_runs r ON r.run_id = w.run_id
                WHERE \(waiting(kind)) AND r.held
                ORDER BY w.run_id LIMIT n.room FOR UPDATE OF r SKIP LOCKED
            ) AS c
            """,
            [
                .uuidArray(rooms.map(\.gate.automation)), .textArray(rooms.map(\.gate.key)),
                .int4Array(rooms.map { Int32(clamping: $0.room) }),
            ]
        )
    }

    /// What a look writes: runs that go on, and where somebody is to look next.
    static func writing(_ looked: [HeldRunNote], _ rooms: [HeldRunRoom], _ chosen: [ChosenRun]) -> [PostgresStatement] {
        let moved = chosen.compactMap { run in run.nextStage.map { (run, $0) } }
        let released = chosen.filter { $0.nextStage?.isHeld != true }
        let begun = chosen.filter { $0.gate.kind == .rate }
        let windows = Dictionary(rooms.map { ($0.gate, $0.window) }, uniquingKeysWith: { first, _ in first })
        return [
            PostgresStatement(
                "DELETE FROM engine.admissions WHERE run_id = ANY ($1)",
                [.uuidArray(looked.filter(\.hasEnded).map(\.run) + chosen.filter { $0.nextStage == nil }.map(\.id))]
            ),
            PostgresStatement(
                "UPDATE engine.admissions SET look_at = NULL WHERE run_id = ANY ($1)",
                [.uuidArray(looked.filter { !$0.hasEnded }.map(\.run))]
            ),
            PostgresStatement(
                """
                UPDATE engine.admissions w
                SET stage = n.stage, look_at = CASE WHEN n.stage = 'going' THEN NULL ELSE now() END
                FROM unnest($1::uuid[], $2::text[]) AS n (run_id, stage) WHERE w.run_id = n.run_id
                """,
                [.uuidArray(moved.map(\.0.id)), .textArray(moved.map(\.1.rawValue))]
            ),
            PostgresStatement(
                "UPDATE engine.automation_runs SET held = false WHERE run_id = ANY ($1) AND held",
                [.uuidArray(released.map(\.id))]
            ),
            PostgresStatement(
                """
                INSERT INTO engine.rate_starts (automation_id, key, started_at, run_id, expires_at)
                SELECT n.automation_id, n.key, t.now, n.run_id, t.now + n.span * interval '1 microsecond'
                FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[]) AS n (automation_id, key, run_id, span)
                CROSS JOIN (SELECT clock_timestamp() AS now) AS t
                """,
                [
                    .uuidArray(begun.map(\.gate.automation)), .textArray(begun.map(\.gate.key)),
                    .uuidArray(begun.map(\.id)),
                    .int8Array(begun.map { Int64((windows[$0.gate].flatMap { $0 } ?? .zero) / .microseconds(1)) }),
                ]
            ),
        ] + [AdmissionGate.Kind.pause, .place, .rate].compactMap { lookingAgain($0, rooms) }
    }

    /// Where any still wait, the oldest says when somebody is to look.
    private static func lookingAgain(_ kind: AdmissionGate.Kind, _ rooms: [HeldRunRoom]) -> PostgresStatement? {
        let again = rooms.filter { $0.gate.kind == kind }.compactMap { room in room.lookAfter.map { (room.gate, $0) } }
        guard !again.isEmpty else {
            return nil
        }
        return PostgresStatement(
            """
            UPDATE engine.admissions h
            SET look_at = least(h.look_at, clock_timestamp() + head.wait * interval '1 microsecond')
            FROM (
                SELECT first.run_id, n.wait FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS n (automation_id, key, wait)
                CROSS JOIN LATERAL (
                    SELECT w.run_id FROM engine.admissions w WHERE \(waiting(kind))
                    ORDER BY w.run_id LIMIT 1 FOR UPDATE SKIP LOCKED
                ) AS first
            ) AS head
            WHERE h.run_id = head.run_id
            """,
            [
                .uuidArray(again.map(\.0.automation)), .textArray(again.map(\.0.key)),
                .int8Array(again.map { Int64($0.1 / .microseconds(1)) }),
            ]
        )
    }

    /// Somebody looks at everything that waits of an automation: its pause has ended, or its limits have changed.
    static func lookingAtAll(of automation: UUID) -> PostgresStatement {
        PostgresStatement(
            "UPDATE engine.admissions SET look_at = now() WHERE run_id = ANY (ARRAY(\(heads("w.automation_id = $1"))))",
            [.uuid(automation)]
        )
    }

    /// The oldest run that waits at each gate.
    static func heads(_ condition: String) -> String {
        """
        SELECT DISTINCT ON (w.automation_id, w.stage, k.key) w.run_id
        FROM engine.admissions w
        CROSS JOIN LATERAL (SELECT CASE w.stage WHEN 'place' THEN w.place_key WHEN 'rate' THEN w.rate_key END) AS k (key)
        WHERE w.stage IN ('pause', 'place', 'rate') AND \(condition)
        ORDER BY w.automation_id, w.stage, k.key, w.run_id
        """
    }

    /// The condition that `w` waits at the gate `n`.
    private static func waiting(_ kind: AdmissionGate.Kind) -> String {
        let key =
            switch kind {
            case .place: "w.place_key = n.key AND "
            case .rate: "w.rate_key = n.key AND "
            case .pause, .dedupe: ""
            }
        return "w.automation_id = n.automation_id AND \(key)w.stage = '\(kind.rawValue)'"
    }
}
