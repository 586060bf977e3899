import Foundation
import JSON
import Persistence
import Synchronization
import TestSupport
import Testing

/// Engines that die, sleep and take over while steps call the outside, with a recording sink as the witness.
@Suite(
    .serialized,
    .requiresServers,
    .installation("effects", [.gateway: 1, .engine: 2, .auditWriter: 1]),
    .timeLimit(.minutes(10))
)
struct EffectFaultTests {
    private let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    /// A crash point, and whether the calls may be repeated.
    struct Crash: Sendable, CustomTestStringConvertible {
        var point: String
        var arrival: Int
        var isIdempotent: Bool

        var testDescription: String { "\(point), \(isIdempotent ? "idempotent" : "not idempotent")" }

        static let all = ["before_effect", "after_effect_before_record"].flatMap { point in
            [true, false].map { Crash(point: point, arrival: 6, isIdempotent: $0) }
        }
    }

    @Test(arguments: Crash.all)
    func dies(_ crash: Crash) async throws {
        try await RecordingSink.with { _, _ in
            .late(.milliseconds(20), 200)
        } _: { sink in
            let key = try await automate(sink, steps: 2, isIdempotent: crash.isIdempotent)
            let engine = try installation.replica(.engine, 0)
            try await engine.terminate()
            try await engine.start(crashingAt: "\(crash.point):\(crash.arrival)")
            let signals = try await post(40, key)
            try await engine.waitForCrash()
            try await installation.restartEnded()
            let parked = try await ended(key, signals.count)
            #expect(crash.isIdempotent ? parked.isEmpty : parked.count >= 1, "\(parked.count) runs are parked")
            try await check(sink, key, signals: signals.count)
        }
    }

    @Test func diesWhileARetryWaits() async throws {
        try await RecordingSink.with { _, earlier in
            earlier == 0 ? .answer(503, body: "{}", headers: ["retry-after": "3"]) : .answer(200)
        } _: { sink in
            let key = try await automate(sink, steps: 1, isIdempotent: false)
            let signals = try await post(10, key)
            try await eventually("every run waits") { try await count(key, "waiting") == signals.count }
            for engine in installation.replicas(of: .engine) { try await engine.kill() }
            try await installation.restartEnded()
            let parked = try await ended(key, signals.count)
            #expect(parked.isEmpty, "a wait is no attempt")
            try await check(sink, key, signals: signals.count)
            #expect(sink.calls.count == 2 * signals.count)
        }
    }

    @Test func diesDuringATakeover() async throws {
        try await RecordingSink.with { _, _ in
            .late(.milliseconds(300), 200)
        } _: { sink in
            let key = try await automate(sink, steps: 2, isIdempotent: true)
            let (first, second) = (try installation.replica(.engine, 0), try installation.replica(.engine, 1))
            try await second.terminate()
            let signals = try await post(20, key)
            try await eventually("calls are under way") { sink.calls.count >= 5 }
            try await first.kill()
            try await second.start(crashingAt: "during_takeover")
            try await second.waitForCrash()
            try await installation.restartEnded()
            let parked = try await ended(key, signals.count)
            #expect(parked.isEmpty)
            try await check(sink, key, signals: signals.count)
        }
    }

    @Test("A7: with several engines a limit holds though they die, and every held run has its turn")
    func aLimitHoldsThoughEnginesDie() async throws {
        try await RecordingSink.with { _, _ in
            .late(.milliseconds(50), 200)
        } _: { sink in
            let key = try await automate(
                sink,
                steps: 1,
                isIdempotent: true,
                admission: #","concurrency":{"limit":2,"key":"{{ signal.data.k }}"}"#
            )
            let signals = try await post(36, key)
            let over = """
                SELECT a.place_key || ': ' || count(*) FROM engine.automation_runs r JOIN engine.admissions a USING (run_id)
                WHERE r.automation_key = '\(key)' AND r.finished_at IS NULL AND NOT r.held
                GROUP BY a.place_key HAVING count(*) > 2
                """
            for number in 0..<2 {
                try await eventually("some runs have ended", within: .seconds(60)) {
                    #expect(try await installation.texts(over) == [])
                    return try await count(key, "succeeded")
                } until: {
                    $0 >= 8 * (number + 1)
                }
                try await installation.replica(.engine, number).kill()
                try await installation.restartEnded()
            }
            try await eventually("no run is left", within: .seconds(90)) {
                #expect(try await installation.texts(over) == [])
                return try await count(key, "succeeded")
            } until: {
                $0 == signals.count
            }
            try await check(sink, key, signals: signals.count)
            try await eventually("nothing is left of the limit") {
                try await installation.count("SELECT count(*) FROM engine.admissions") == 0
            }
        }
    }

    @Test func anEngineThatSleptPastItsLeaseWritesNothing() async throws {
        let (isAsleep, gate) = (Flag(), RecordingSink.Gate())
        try await RecordingSink.with { _, _ in
            // What the sleeper waits for is answered in its sleep; what others do meanwhile lasts until it has woken.
            isAsleep.isSet ? .held(gate, 200) : .late(.seconds(1), 200)
        } _: { sink in
            defer { gate.open() }
            let key = try await automate(sink, steps: 2, isIdempotent: true)
            let (sleeper, other) = (try installation.replica(.engine, 0), try installation.replica(.engine, 1))
            try await other.terminate()
            let signals = try await post(20, key)
            try await eventually("calls are under way") { sink.calls.count >= 5 }
            isAsleep.set()
            try #require(sleeper.process).pause()
            let before: [String: String]
            do {
                try await installation.restartEnded()
                try await eventually("every run is under way in the other engine", within: .seconds(60)) {
                    try await underWay(key, in: other) == signals.count
                }
                before = try await rows(key)
            } catch {
                sleeper.process?.resume()
                throw error
            }
            sleeper.process?.resume()
            _ = try await installation.showingLogs {
                try await eventually("it has tried to write what it knows", within: .seconds(30)) {
                    let isRefused = sleeper.process?.log.contains("a run is no longer held here") == true
                    return try await rows(key) != before || isRefused
                }
            }
            try await eventually("it works again", within: .seconds(30)) {
                try await installation.count(
                    "SELECT count(*) FROM engine.instances WHERE replica = '\(sleeper.name)' AND lease_until > now()"
                ) > 0
            }
            #expect(try await rows(key) == before, "a late writer's updates find no row")
            gate.open()
            // What else it does late is done once it has taken part in something new.
            let more = try await post(10, key)
            let parked = try await ended(key, signals.count + more.count)
            #expect(parked.isEmpty)
            #expect(sleeper.isRunning)
            try await check(sink, key, signals: signals.count + more.count)
        }
    }

    @Test func aPersonDecides() async throws {
        try await RecordingSink.with { _, earlier in
            earlier == 0 ? .drop : .answer(200)
        } _: { sink in
            let key = try await automate(sink, steps: 1, isIdempotent: false)
            let signals = try await post(2, key)
            let parked = try await ended(key, signals.count)
            try #require(parked.count == 2)
            let client = try installation.client()
            for (run, decision) in zip(parked, ["happened", "did_not_happen"]) {
                let path = "/api/runs/\(run.uuidString.lowercased())/steps/call-0/resolve"
                let answer = try await client.post(path, json: #"{"decision":"\#(decision)"}"#)
                #expect(answer.status == 200, "\(answer.text)")
                let again = try await client.post(path, json: #"{"decision":"\#(decision)"}"#)
                #expect(again.status == 409, "\(again.text)")
            }
            let left = try await ended(key, signals.count)
            #expect(left.isEmpty)
            try await check(sink, key, signals: signals.count)
            #expect(sink.calls.count == 3, "what happened is not repeated, and what did not is tried once more")
            #expect(try await count(key, "succeeded") == 2)
            let happened = try await installation.texts(
                """
                SELECT s.output || ' ' || s.attempt FROM engine.automation_run_steps s
                WHERE s.run_id = '\(parked[0].uuidString)'
                """
            )
            #expect(happened == ["null 1"])
        }
    }

    // MARK: - Work

    /// What a test tells the sink's script.
    private final class Flag: Sendable {
        private let value = Atomic(false)

        var isSet: Bool { value.load(ordering: .acquiring) }

        func set() { value.store(true, ordering: .releasing) }
    }

    /// Makes an automation whose steps call a sink; answers its key, which is its signals' type, too.
    private func automate(
        _ sink: RecordingSink,
        steps: Int,
        isIdempotent: Bool,
        admission: String = ""
    ) async throws -> String {
        let key = "effects-\(UInt32.random(in: .min ... .max))"
        let list = (0..<steps).map { number in
            """
            {"name":"call-\(number)","action_key":"http.request","idempotent":\(isIdempotent),
             "input":{"method":"POST","url":"\(sink.url)/\(key)","body":{"n":"{{ signal.data.n }}"}},
             "retry":{"max_attempts":5,"delay":"100ms"}}
            """
        }
        let created = try await installation.client().post(
            "/admin/api/automations",
            json: """
                {"automation_key":"\(key)","name":"\(key)",
                 "definition":{"trigger":{"signalType":"\(key)"},"steps":[\(list.joined(separator: ","))]\(admission)}}
                """
        )
        try #require(created.status == 201, "\(created.text)")
        try await installation.change(key, "activate")
        return key
    }

    private func post(_ number: Int, _ key: String) async throws -> [UUID] {
        var signals: [UUID] = []
        for n in 0..<number {
            let id = "\(key)-\(n)-\(UInt32.random(in: .min ... .max))"
            signals.append(try await installation.post(id: id, type: key, data: #"{"n":\#(n),"k":\#(n % 3)}"#).signalID)
        }
        return signals
    }

    private func count(_ key: String, _ status: String) async throws -> Int {
        try await installation.count(
            "SELECT count(*) FROM engine.automation_runs WHERE automation_key = '\(key)' AND status = '\(status)'"
        )
    }

    /// Waits until every run has ended or is parked; answers those that are parked.
    private func ended(_ key: String, _ number: Int) async throws -> [UUID] {
        _ = try await installation.showingLogs {
            try await eventually("\(number) runs have ended or are parked", within: .seconds(90)) {
                try await installation.count(
                    """
                    SELECT count(*) FROM engine.automation_runs
                    WHERE automation_key = '\(key)' AND status IN ('succeeded', 'failed', 'unknown')
                    """
                )
            } until: {
                $0 == number
            }
        }
        #expect(try await count(key, "failed") == 0)
        let rows = try await installation.sql.execute(
            PostgresStatement(
                "SELECT run_id FROM engine.automation_runs WHERE automation_key = $1 AND status = 'unknown' ORDER BY 1",
                [.text(key)]
            )
        )
        return try rows.map { try $0.decode(0) }
    }

    /// How many attempts an engine is making.
    private func underWay(_ key: String, in engine: Replica) async throws -> Int {
        try await installation.count(
            """
            SELECT count(*) FROM engine.step_attempts a
            JOIN engine.automation_runs r ON r.run_id = a.run_id AND r.owner = a.instance
            JOIN engine.instances i ON i.instance = a.instance
            WHERE r.automation_key = '\(key)' AND i.replica = '\(engine.name)' AND a.outcome IS NULL
            """
        )
    }

    /// What the steps of every run look like.
    private func rows(_ key: String) async throws -> [String: String] {
        let rows = try await installation.sql.execute(
            PostgresStatement(
                """
                SELECT s.run_id::text || '/' || s.position, s::text || r::text
                FROM engine.automation_run_steps s JOIN engine.automation_runs r USING (run_id)
                WHERE r.automation_key = $1
                """,
                [.text(key)]
            )
        )
        return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.decode(0), try $0.decode(1)) })
    }

    /// The witness's view: one key for each step, no call that was not recorded before, one run for each signal.
    private func check(_ sink: RecordingSink, _ key: String, signals: Int) async throws {
        let rows = try await installation.sql.execute(
            PostgresStatement(
                """
                SELECT r.run_id::text || '.' || s.name, count(a.*), s.status FROM engine.automation_runs r
                JOIN engine.automation_run_steps s USING (run_id)
                LEFT JOIN engine.step_attempts a ON a.run_id = s.run_id AND a.position = s.position
                WHERE r.automation_key = $1 GROUP BY r.run_id, s.name, s.status
                """,
                [.text(key)]
            )
        )
        var calls: [String: Int] = [:]
        for call in sink.calls { calls[call.idempotencyKey ?? "none", default: 0] += 1 }
        for row in rows {
            let step = try row.decode(0, as: String.self)
            let attempts = try row.decode(1, as: Int.self)
            let made = calls.removeValue(forKey: step) ?? 0
            #expect(made <= attempts, "\(step): \(made) calls and \(attempts) recorded attempts")
            if try row.decode(2, as: String.self) == "succeeded" { #expect(attempts >= 1, "\(step)") }
        }
        #expect(calls.isEmpty, "calls that no step has recorded: \(calls)")
        let runs = try await installation.count(
            "SELECT count(*) FROM engine.automation_runs WHERE automation_key = '\(key)'"
        )
        #expect(runs == signals, "one run for each signal")
    }
}
