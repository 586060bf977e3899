import Crypto
import Domain
import FoundationEssentials
import JSON
import Persistence

/// A run as its rows tell it.
struct LoadedRun: Sendable {
    var record: RunRecord
    /// What started it; nil where that is not stored.
    var event: [UInt8]?
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

    /// Reads runs with their steps and the events that started them.
    ///
    /// - Returns: By id, those that are stored; a failure where this release cannot read a run's rows.
    /// - Throws: `PostgresError`.
    func load(
        _ ids: [UUID],
        deadline: ContinuousClock.Instant
    ) async throws -> [UUID: Result<LoadedRun, any Error>] {
        try Self.loaded(from: try await database.pipeline(Self.loading(ids), deadline: deadline))
    }

    /// A run of a tenant, locked until the end of a transaction.
    ///
    /// Its timer is locked first, as whoever claims due timers does it, so that the two do not wait for each other.
    ///
    /// - Throws: `PostgresError`; what is wrong with rows that this release cannot read.
    static func lock(
        _ id: UUID,
        tenant: String,
        in transaction: PostgresTransaction
    ) async throws -> LoadedRun? {
        let locked = try await transaction.pipeline([
            PostgresStatement("SELECT FROM engine.timers WHERE run_id = $1 FOR UPDATE", [.uuid(id)]),
            PostgresStatement(
                "SELECT run_id FROM engine.automation_runs WHERE run_id = $1 AND tenant = $2 FOR UPDATE",
                [.uuid(id), .text(tenant)]
            ),
        ])
        guard !locked[1].isEmpty else {
            return nil
        }
        return try loaded(from: try await transaction.pipeline(loading([id])))[id]?.get()
    }

    private static func loading(_ ids: [UUID]) -> [PostgresStatement] {
        [
            PostgresStatement(
                """
                SELECT r.run_id, r.tenant, r.automation_id, r.automation_key, r.automation_version, r.dry_run,
                       r.status, r.summary, r.error, r.traceparent, r.started_at, r.finished_at, r.fence,
                       r.signal_id, s.event, r.metadata
                FROM engine.automation_runs r LEFT JOIN engine.signals s ON s.signal_id = r.signal_id
                WHERE r.run_id = ANY ($1)
                """,
                [.uuidArray(ids)],
                isReadOnly: true
            ),
            PostgresStatement(
                """
                SELECT s.run_id, s.name, s.action_key, s.status, s.attempt, s.input, s.output, s.error, s.started_at,
                       s.finished_at, s.attempts_before, s.parent, s.item,
                       CASE WHEN s.status = 'waiting' THEN extract(epoch FROM s.due_at - clock_timestamp())::float8 END,
                       w.run_id IS NOT NULL, CASE WHEN w.attempt IS NULL OR w.attempt = s.attempt THEN w.outcome END,
                       coalesce(w.kind = 'action' AND s.status = 'waiting', false)
                FROM engine.automation_run_steps s
                LEFT JOIN engine.step_waits w ON w.run_id = s.run_id AND w.position = s.position
                WHERE s.run_id = ANY ($1) ORDER BY s.run_id, s.position
                """,
                [.uuidArray(ids)],
                isReadOnly: true
            ),
        ]
    }

    private static func loaded(from results: [PostgresRows]) throws -> [UUID: Result<LoadedRun, any Error>] {
        var steps: [UUID: [PostgresRow]] = [:]
        for row in results[1] {
            steps[try row.decode(0), default: []].append(row)
        }
        var runs: [UUID: Result<LoadedRun, any Error>] = [:]
        for row in results[0] {
            let id = try row.decode(0, as: UUID.self)
            runs[id] = Result { try LoadedRun(row, steps: steps[id] ?? []) }
        }
        return runs
    }
}

extension LoadedRun {
    fileprivate init(_ row: PostgresRow, steps: [PostgresRow]) throws {
        event = try row.decode(14, as: [UInt8]?.self)
        record = try RunRecord(row, event: event, steps: steps.map { try RunRecord.Step($0, at: 1) })
        // Ordinary signals have none, and it is not looked for.
        let metadata = try row.decode(15, as: [UInt8].self)
        if metadata.count > 2, let root = try? JSONDocument(parsing: metadata, limits: .wrapped).root {
            record.caller = RunCaller(root, signal: record.signalID)
        }
        for parent in Set(record.steps.compactMap(\.parent)) {
            guard record.steps.indices.contains(parent) else {
                throw PostgresError(.decoding, "an item belongs to no step of its run")
            }
            record.steps[parent].isRepeated = true
            let items = record.steps[parent].input.flatMap { try? JSONDocument(parsing: $0, limits: .wrapped).root }
            record.steps[parent].itemCount = items?.count ?? 0
        }
    }

    /// The signal that started the run.
    ///
    /// - Throws: `StepError` with code `not_executable` where it is not stored, or this release cannot read it.
    func signal() throws(StepError) -> IncomingSignal {
        guard let event else {
            throw .notExecutable("The run's signal is not stored.")
        }
        do {
            return try IncomingSignal(
                try JSONDocument(parsing: event, limits: .wrapped).root,
                tenant: record.tenant
            )
        } catch {
            throw .notExecutable("This release cannot read the run's signal.")
        }
    }
}

extension RunRecord {
    fileprivate init(_ row: PostgresRow, event: [UInt8]?, steps: [Step]) throws {
        guard let status = RunStatus(rawValue: try row.decode(6)) else {
            throw PostgresError(.decoding, "a run's status is unknown to this release")
        }
        self.init(
            id: try row.decode(0),
            tenant: try row.decode(1),
            automationID: try row.decode(2),
            automationKey: try row.decode(3),
            automationVersion: try row.decode(4),
            signalID: try row.decode(13),
            eventHash: event.map { SHA256.hash(data: $0).hex } ?? "",
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
            attemptsBefore: try row.decode(column + 9),
            error: try row.decode(column + 6),
            startedAt: try row.decode(column + 7, as: PostgresTimestamp?.self)?.microsecondsSinceEpoch,
            finishedAt: try row.decode(column + 8, as: PostgresTimestamp?.self)?.microsecondsSinceEpoch,
            parent: try row.decode(column + 10, as: Int?.self),
            item: try row.decode(column + 11, as: Int?.self),
            remaining: try row.decode(column + 12, as: Double?.self).map { .seconds($0) },
            awaits: try row.decode(column + 13),
            isSent: try row.decode(column + 15),
            isLookedAt: true,
            arrival: try row.decode(column + 14, as: [UInt8]?.self)
        )
        if let input = try row.decode(column + 4, as: [UInt8]?.self) {
            setInput(input, hash: nil)
        }
        if let output = try row.decode(column + 5, as: [UInt8]?.self) {
            setOutput(output)
        }
    }
}
