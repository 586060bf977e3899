import Domain
import FoundationEssentials
import JSON
import Persistence

/// A run as its rows tell it.
struct LoadedRun: Sendable {
    var record: RunRecord
    var signal: IncomingSignal
}

extension RunRepository {
    /// The events of emitted signals, by id, for those that are sent again.
    func emissions(_ ids: [UUID]) async throws -> [UUID: [UInt8]] {
        let rows = try await database.execute(
            PostgresStatement(
                "SELECT signal_id, event FROM engine.signal_emissions WHERE signal_id = ANY ($1)",
                [.uuidArray(ids)],
                isReadOnly: true
            )
        )
        var events: [UUID: [UInt8]] = [:]
        for row in rows {
            events[try row.decode(0)] = try row.decode(1, as: [UInt8].self)
        }
        return events
    }

    /// Reads runs with their steps and their signals.
    ///
    /// - Throws: `PostgresError`; `UnreadableDelivery` where a stored event cannot be read by this release.
    func load(_ ids: [UUID], deadline: ContinuousClock.Instant) async throws -> [LoadedRun] {
        let results = try await database.pipeline(
            [
                PostgresStatement(
                    """
                    SELECT r.run_id, r.tenant, r.automation_id, r.automation_key, r.automation_version, r.dry_run,
                           r.status, r.summary, r.error, r.traceparent, r.started_at, r.finished_at, r.fence, s.event
                    FROM engine.automation_runs r JOIN engine.signals s ON s.signal_id = r.signal_id
                    WHERE r.run_id = ANY ($1)
                    """,
                    [.uuidArray(ids)],
                    isReadOnly: true
                ),
                PostgresStatement(
                    """
                    SELECT run_id, name, action_key, status, attempt, input, output, error, started_at, finished_at
                    FROM engine.automation_run_steps WHERE run_id = ANY ($1) ORDER BY run_id, position
                    """,
                    [.uuidArray(ids)],
                    isReadOnly: true
                ),
            ],
            deadline: deadline
        )
        var steps: [UUID: [RunRecord.Step]] = [:]
        for row in results[1] {
            steps[try row.decode(0), default: []].append(try RunRecord.Step(row, at: 1))
        }
        return try results[0].map { row in
            let document = try JSONDocument(parsing: try row.decode(13, as: [UInt8].self), limits: .wrapped)
            let signal = try IncomingSignal(document.root, tenant: try row.decode(1))
            let id = try row.decode(0, as: UUID.self)
            return LoadedRun(record: try RunRecord(row, signal: signal, steps: steps[id] ?? []), signal: signal)
        }
    }
}

extension RunRecord {
    fileprivate init(_ row: PostgresRow, signal: IncomingSignal, steps: [Step]) throws {
        guard let status = RunStatus(rawValue: try row.decode(6)) else {
            throw PostgresError(.decoding, "a run's status is unknown to this release")
        }
        self.init(
            id: try row.decode(0),
            tenant: try row.decode(1),
            automationID: try row.decode(2),
            automationKey: try row.decode(3),
            automationVersion: try row.decode(4),
            signalID: signal.id,
            eventHash: signal.hash,
            isDryRun: try row.decode(5),
            status: status,
            summary: try row.decode(7),
            error: try row.decode(8),
            traceparent: try row.decode(9),
            startedAt: try row.decode(10, as: PostgresTimestamp.self).microsecondsSinceEpoch,
            finishedAt: try row.decode(11, as: PostgresTimestamp?.self)?.microsecondsSinceEpoch,
            fence: try row.decode(12),
            steps: steps
        )
    }
}

extension RunRecord.Step {
    fileprivate init(_ row: PostgresRow, at column: Int) throws {
        guard let status = StepStatus(rawValue: try row.decode(column + 2)) else {
            throw PostgresError(.decoding, "a step's status is unknown to this release")
        }
        self.init(
            name: try row.decode(column),
            actionKey: try row.decode(column + 1),
            status: status,
            attempt: try row.decode(column + 3),
            error: try row.decode(column + 6),
            startedAt: try row.decode(column + 7, as: PostgresTimestamp?.self)?.microsecondsSinceEpoch,
            finishedAt: try row.decode(column + 8, as: PostgresTimestamp?.self)?.microsecondsSinceEpoch
        )
        if let input = try row.decode(column + 4, as: [UInt8]?.self) {
            setInput(input, hash: nil)
        }
        if let output = try row.decode(column + 5, as: [UInt8]?.self) {
            setOutput(output)
        }
    }
}
