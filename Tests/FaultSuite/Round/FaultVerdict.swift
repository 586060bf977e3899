import Foundation
import Persistence
import TestSupport

/// What the rows of a system at rest say about one round: how its signals ended, and what the witness outside has seen.
///
/// It shares no code with what it judges; `Invariants` holds the rules that are the same for every system.
struct FaultVerdict: Sendable {
    let installation: Installation
    let workload: FaultWorkload
    let sink: RecordingSink

    /// Fills in a record's counts, and adds what does not hold.
    func judge(_ record: inout FaultRecord) async throws {
        let history = installation.history
        let acknowledged = history.acknowledged.filter { $0.key.hasPrefix(workload.prefix) }
        let pending = history.unknown.filter { $0.hasPrefix(workload.prefix) }
        let stored = try await storedIDs()
        record.acknowledged = acknowledged.count
        record.attempted = acknowledged.count + pending.count
        record.unknown = pending.count
        record.recovered = pending.intersection(stored.keys).count
        record.unexpected = stored.keys.filter { acknowledged[$0] == nil && !pending.contains($0) }.count
        record.duplicated = stored.values.reduce(0) { $0 + max(0, $1 - 1) }
        record.ok = try await processed(Array(acknowledged.values))
        record.lost = acknowledged.count - record.ok
        if record.lost > 0 { record.violations.append("\(record.lost) acknowledged signals are lost") }
        if record.duplicated > 0 { record.violations.append("\(record.duplicated) signals are there twice") }
        if record.unexpected > 0 { record.violations.append("\(record.unexpected) signals were sent by nobody") }
        let doubled = try await witness(&record)
        record.duplicated += doubled
        record.violations += try await installation.texts(Self.failedRuns(workload.prefix)).map {
            "a run failed: \($0)"
        }
    }

    /// How often each of the round's ids is stored.
    private func storedIDs() async throws -> [String: Int] {
        let rows = try await installation.sql.execute(
            PostgresStatement(
                "SELECT id, count(*) FROM gateway.signals WHERE starts_with(id, $1) GROUP BY id",
                [.text(workload.prefix)]
            )
        )
        return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.decode(0), try $0.decode(1)) })
    }

    /// How many of the signals are stored, processed by the engine, and have a run of every automation that is always
    /// active and waits for them.
    private func processed(_ signals: [UUID]) async throws -> Int {
        let rows = try await installation.sql.execute(
            PostgresStatement(
                """
                SELECT count(*) FROM unnest($1::uuid[]) AS said (signal_id)
                JOIN gateway.signals s USING (signal_id) JOIN engine.inbox i USING (signal_id)
                WHERE EXISTS (SELECT FROM engine.automation_runs r
                              WHERE r.signal_id = said.signal_id AND r.automation_key = $2 || '-every')
                """,
                [.uuidArray(signals), .text(workload.prefix)]
            )
        )
        return try rows.first?.decode(0, as: Int.self) ?? 0
    }

    private static func failedRuns(_ prefix: String) -> String {
        """
        SELECT run_id || ' of ' || automation_key || ': ' || coalesce(error, '') FROM engine.automation_runs
        WHERE status = 'failed' AND starts_with(automation_key, '\(prefix)') LIMIT 5
        """
    }

    // MARK: - The witness

    /// Compares what the sink has seen with what is recorded; answers how many steps have acted under two keys.
    ///
    /// One key for each step and signal; no call that no attempt was recorded for; and a step that succeeded has one
    /// attempt that did.
    private func witness(_ record: inout FaultRecord) async throws -> Int {
        var keys: [String: Set<String>] = [:]
        var calls: [String: Int] = [:]
        for call in sink.calls where call.path == "/\(workload.prefix)" {
            keys[call.body, default: []].insert(call.idempotencyKey ?? "none")
            calls[call.idempotencyKey ?? "none", default: 0] += 1
        }
        let doubled = keys.filter { $0.value.count > 1 }
        for (step, keys) in doubled.prefix(5) {
            record.violations.append("the step “\(step)” has acted under the keys \(keys.sorted())")
        }
        for row in try await installation.sql.execute(PostgresStatement(Self.steps, [.text(workload.prefix)])) {
            let step: String = try row.decode(0)
            let (status, attempts): (String, Int) = (try row.decode(1), try row.decode(2))
            let (successes, unknowns): (Int, Int) = (try row.decode(3), try row.decode(4))
            let made = calls.removeValue(forKey: step) ?? 0
            if made > attempts { record.violations.append("\(step): \(made) calls, \(attempts) recorded attempts") }
            if status == "succeeded", successes != 1 || made == 0 {
                record.violations.append("\(step) succeeded with \(successes) such attempts and \(made) calls")
            }
            if status == "unknown", unknowns == 0 {
                record.violations.append("\(step) is parked without an attempt of unknown outcome")
            }
        }
        for (key, made) in calls.prefix(5) { record.violations.append("\(made) calls as \(key), which no step has") }
        return doubled.count
    }

    private static let steps = """
        SELECT r.run_id::text || '.' || s.name, s.status, count(a.*), count(*) FILTER (WHERE a.outcome = 'succeeded'),
               count(*) FILTER (WHERE a.outcome = 'unknown')
        FROM engine.automation_runs r
        JOIN engine.automation_run_steps s USING (run_id)
        LEFT JOIN engine.step_attempts a ON a.run_id = s.run_id AND a.position = s.position
        WHERE starts_with(r.automation_key, $1) AND s.action_key = 'http.request'
        GROUP BY r.run_id, s.name, s.status
        """
}
