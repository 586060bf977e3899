import Domain
import FoundationEssentials
import Persistence

/// The signals of a batch that runs may wait for, found by what runs compare signals of their types by.
struct AwaitedSignals: Sendable {
    private struct Found: Sendable {
        var signal: IncomingSignal
        var shape: SignalShape
        var correlation: String
    }

    private var found: [Found] = []

    var isEmpty: Bool { found.isEmpty }

    /// - Parameters:
    ///   - signals: The signals of a batch that no batch has processed before; those that are aimed wake nobody else.
    ///   - shapes: The rows that ``holding(_:)`` answers.
    /// - Throws: `PostgresError` for rows that cannot be read.
    init(_ signals: [IncomingSignal], shapes: PostgresRows) throws {
        guard !shapes.isEmpty else {
            return
        }
        struct Key: Hashable {
            var tenant: String
            var type: String
        }
        var byType: [Key: [SignalShape]] = [:]
        for row in shapes {
            let type = try row.decode(1, as: String.self)
            guard let shape = SignalShape(type: type, pathsText: try row.decode(2)) else {
                continue
            }
            byType[Key(tenant: try row.decode(0), type: type), default: []].append(shape)
        }
        for signal in signals where signal.aim == nil {
            for shape in byType[Key(tenant: signal.tenant, type: signal.type)] ?? [] {
                if let correlation = shape.correlation(of: signal.view) {
                    found.append(Found(signal: signal, shape: shape, correlation: correlation))
                }
            }
        }
    }

    /// Holds what signals of a batch are compared by, until the batch is committed.
    static func holding(_ signals: [IncomingSignal]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT s.tenant, s.signal_type, s.paths FROM engine.wait_shapes s
            WHERE (s.tenant, s.signal_type) IN (SELECT * FROM unnest($1::text[], $2::text[]))
            ORDER BY 1, 2, 3 FOR SHARE
            """,
            [.textArray(signals.map(\.tenant)), .textArray(signals.map(\.type))]
        )
    }

    /// Brings the signals to the steps that wait for them, and keeps those that a step may come to wait for.
    var statements: [PostgresStatement] {
        guard !found.isEmpty else {
            return []
        }
        let keys: [PostgresValue] = [
            .textArray(found.map(\.signal.tenant)), .textArray(found.map(\.shape.type)),
            .textArray(found.map(\.shape.pathsText)), .textArray(found.map(\.correlation)),
        ]
        let signals: [PostgresValue] = [
            .uuidArray(found.map(\.signal.id)), .textBytesArray(found.map { $0.signal.event }),
        ]
        return [
            PostgresStatement(
                """
                INSERT INTO engine.awaited_signals (tenant, signal_type, paths, correlation, signal_id, event, received_at)
                SELECT f.*, clock_timestamp()
                FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[])
                    AS f (tenant, signal_type, paths, correlation, signal_id, event)
                WHERE EXISTS (
                    SELECT FROM engine.step_waits w
                    WHERE w.tenant = f.tenant AND w.signal_type = f.signal_type AND w.paths = f.paths
                      AND w.kind = 'signal' AND w.outcome IS NULL AND w.correlation IS NULL)
                ON CONFLICT DO NOTHING
                """,
                keys + signals
            ),
            // Before what steps wait for, as by whoever changes such a run.
            PostgresStatement(
                """
                SELECT FROM engine.timers t WHERE t.run_id IN (
                    SELECT w.run_id
                    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
                        AS f (tenant, signal_type, paths, correlation)
                    JOIN engine.step_waits w USING (tenant, signal_type, paths, correlation)
                    WHERE w.kind = 'signal' AND w.outcome IS NULL)
                ORDER BY t.run_id FOR UPDATE
                """,
                keys
            ),
            PostgresStatement(
                """
                WITH met AS MATERIALIZED (
                    SELECT w.run_id, w.position, f.signal_id, f.event
                    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[])
                        AS f (tenant, signal_type, paths, correlation, signal_id, event)
                    JOIN engine.step_waits w USING (tenant, signal_type, paths, correlation)
                    WHERE w.kind = 'signal' AND w.outcome IS NULL
                    ORDER BY w.run_id, w.position, f.signal_id FOR UPDATE OF w
                )
                UPDATE engine.step_waits w SET outcome = m.event
                FROM (SELECT DISTINCT ON (run_id, position) * FROM met ORDER BY run_id, position, signal_id) m
                WHERE w.run_id = m.run_id AND w.position = m.position
                """,
                keys + signals
            ),
            // A run that is driven has no timer; it sees the outcome when it lets go of its last attempt.
            PostgresStatement(
                """
                UPDATE engine.timers t SET due_at = least(t.due_at, clock_timestamp()) FROM (
                    SELECT t.run_id FROM engine.timers t WHERE t.run_id IN (
                        SELECT w.run_id
                        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
                            AS f (tenant, signal_type, paths, correlation)
                        JOIN engine.step_waits w USING (tenant, signal_type, paths, correlation)
                        WHERE w.kind = 'signal' AND w.outcome IS NOT NULL)
                    ORDER BY t.run_id FOR UPDATE
                ) woken WHERE t.run_id = woken.run_id
                """,
                keys
            ),
        ]
    }
}
