import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// A signal that the engine itself has sent, as it is stored.
struct EmittedSignal: Sendable {
    var type: String
    /// The event in structured form.
    var event: [UInt8]
    /// When it was committed.
    var emittedAt: Timestamp
}

/// Reads the signals that the engine itself has sent, always of one tenant.
struct EmittedSignalRepository: Sendable {
    let database: PostgresClient

    /// One signal.
    func signal(_ id: UUID, of context: RequestContext) async throws -> EmittedSignal? {
        let rows = try await database.execute(
            PostgresStatement(
                """
                -- A signal is committed with the end of the step that emits it; its id has the time of the run. One that
                -- starts a run tells its own time, for its step may wait long.
                SELECT e.type, e.event, coalesce(s.action_key = 'automation.run', false),
                       coalesce(s.finished_at, engine.uuid7_time(e.signal_id))
                FROM engine.signal_emissions e
                LEFT JOIN engine.automation_run_steps s ON s.run_id = e.run_id AND s.position = e.position
                WHERE e.signal_id = $1 AND e.tenant = $2
                """,
                [.uuid(id), .text(context.tenant)],
                isReadOnly: true
            ),
            deadline: context.deadline
        )
        return try rows.first.map { row in
            let event: [UInt8] = try row.decode(1)
            let startsRun: Bool = try row.decode(2)
            let told = startsRun ? Self.time(of: event) : nil
            let ended = try row.decode(3, as: PostgresTimestamp.self)
            return EmittedSignal(
                type: try row.decode(0),
                event: event,
                emittedAt: told ?? Timestamp(microseconds: ended.microsecondsSinceEpoch)
            )
        }
    }

    /// The time that an event tells.
    private static func time(of event: [UInt8]) -> Timestamp? {
        let document = try? JSONDocument(parsing: event, limits: .wrapped)
        return document?.root["time"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
    }

    /// Whether the broker has confirmed a signal: it stands in no message past the watermark of a lane.
    func isPublished(_ id: UUID, of context: RequestContext) async throws -> Bool {
        // The message is as old as the signal or younger, by the clocks of several replicas.
        let milliseconds = max(UUIDv7.milliseconds(of: id) ?? 0, 5_000) - 5_000
        let rows = try await database.execute(
            PostgresStatement(
                """
                -- The lanes first: few have anything unconfirmed, and the index of the outbox leads to just that.
                WITH unfinished AS MATERIALIZED (
                    SELECT epoch, signals_confirmed FROM engine.lanes WHERE signals_confirmed < signals_last
                )
                SELECT NOT EXISTS (
                    SELECT FROM unfinished l
                    CROSS JOIN LATERAL (
                        SELECT o.items FROM engine.outbox o
                        WHERE o.epoch = l.epoch AND o.destination = 'signals' AND o.first_seq > l.signals_confirmed
                          AND o.tenant = $2 AND o.message_id >= $3
                        OFFSET 0
                    ) AS message
                    WHERE $1 = ANY (message.items)
                )
                """,
                [
                    .uuid(id), .text(context.tenant),
                    .uuid(UUIDv7.make(milliseconds: milliseconds, high: 0, low: 0)),
                ],
                isReadOnly: true
            ),
            deadline: context.deadline
        )
        return try rows.first?.decode(0) ?? false
    }
}
