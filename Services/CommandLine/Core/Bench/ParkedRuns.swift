import Foundation
import JSON
import Persistence

/// Runs that wait: what they cost while they do, and how long after their time they go on.
struct ParkedRuns {
    /// How long the CPU at rest is measured.
    private static let rest = 10
    /// Over how many seconds the runs are begun, and so are due.
    private static let spread = 20
    /// How long each waits: until all have begun, and the rest was measured.
    static let pause = spread + rest + 15

    let run: BenchRun
    let database: PostgresClient
    /// How many.
    let signals: Int

    /// The figure.
    struct Report: BenchFigure {
        let figure = "parked_runs"
        var parked: Int
        /// CPU seconds a second, by process: without them, and with all of them waiting.
        var idle: [(name: String, seconds: Double)]
        var waiting: [(name: String, seconds: Double)]
        /// How long after its time a run had ended, in milliseconds.
        var p50: Double
        var p99: Double
        var longest: Double

        func write(into writer: inout JSONWriter) {
            writer.member("parked", Int64(parked))
            for (name, cpu) in [("idle_cpu", idle), ("waiting_cpu", waiting)] {
                writer.key(name)
                writer.beginObject()
                for process in cpu { writer.member(process.name, decimal: process.seconds, digits: 4) }
                writer.endObject()
            }
            writer.member("late_p50_ms", decimal: p50, digits: 1)
            writer.member("late_p99_ms", decimal: p99, digits: 1)
            writer.member("late_max_ms", decimal: longest, digits: 1)
        }
    }

    /// Measures.
    ///
    /// - Throws: ``CommandLineError`` where a run is missing at the deadline.
    func measure() async throws -> Report {
        let idle = try await cpu()
        let load = SignalLoad(
            host: run.host,
            port: run.port,
            request: run.request,
            numbers: 0..<signals,
            batch: 1,
            concurrency: run.concurrency,
            rate: max(1, signals / Self.spread),
            deadline: run.deadline
        )
        _ = try await load.post()
        try await wait(for: "waiting")
        run.tell("\(signals) runs wait.")
        let waiting = try await cpu()
        try await wait(for: "succeeded")
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY late), percentile_cont(0.99) WITHIN GROUP (ORDER BY late),
                       max(late)::float8
                FROM (
                    SELECT extract(epoch FROM r.finished_at - (s.output::jsonb ->> 'until')::timestamptz)::float8 * 1000
                    FROM engine.automation_runs r JOIN engine.automation_run_steps s USING (run_id)
                    WHERE r.automation_key = $1
                ) AS l (late)
                """,
                [.text(run.automation.key)]
            )
        )
        guard let row = rows.first else {
            throw CommandLineError(.answer, "the runs cannot be read")
        }
        return Report(
            parked: signals,
            idle: idle,
            waiting: waiting,
            p50: try row.decode(0),
            p99: try row.decode(1),
            longest: try row.decode(2)
        )
    }

    private func cpu() async throws -> [(name: String, seconds: Double)] {
        let before = ProcessTimes.now()
        try await Task.sleep(for: .seconds(Self.rest))
        return try ProcessTimes.now().seconds(since: before, of: run.processes)
            .map { ($0.0, $0.1 / Double(Self.rest)) }
    }

    private func wait(for status: String) async throws {
        let statement = PostgresStatement(
            "SELECT count(*) FROM engine.automation_runs WHERE automation_key = $1 AND status = $2",
            [.text(run.automation.key), .text(status)]
        )
        var count: Int64 = 0
        while ContinuousClock.now < run.deadline {
            count = try await database.execute(statement).first?.decode(0) ?? 0
            if count == Int64(signals) { return }
            try await Task.sleep(for: .milliseconds(500))
        }
        throw CommandLineError(.answer, "\(count) of \(signals) runs are \(status)")
    }
}
