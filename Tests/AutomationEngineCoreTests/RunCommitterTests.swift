import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import ServiceLifecycle
import TestSupport
import Testing

@testable import AutomationEngineCore

@Suite("Steps forward that are stored together", .requiresServers, .timeLimit(.minutes(2)))
struct RunCommitterTests {
    private static let call = #"{"name":"call","action_key":"http.request","input":{"url":"https://x.org"}}"#
    private static let tell = #"{"name":"tell","action_key":"signal.emit","input":{"type":"orders.paid"}}"#

    @Test("a run whose data cannot be stored fails alone, and those that shared its transaction are stored")
    func culprit() async throws {
        try await TestEngine.with { engine in
            let automation = try Fixtures.automation(steps: Self.call)
            var updates: [RunUpdate] = []
            for number in 0..<5 {
                // No text of the database holds a zero byte.
                let output = number == 2 ? [0x22, 0, 0x22] : Array("\"\(number)\"".utf8)
                updates.append(try await Self.ended(engine, automation, output: output))
            }
            let outcomes = try await Self.commit(updates, to: engine)
            #expect(outcomes == [true, true, nil, true, true])
            let stored = try await engine.texts(
                """
                SELECT r.status || ' ' || coalesce(s.output, '-') || ' ' || coalesce(a.outcome, '-')
                FROM engine.automation_runs r JOIN engine.automation_run_steps s USING (run_id)
                JOIN engine.step_attempts a USING (run_id) ORDER BY r.run_id
                """
            )
            let expected = (0..<5).map { $0 == 2 ? "running - -" : "succeeded \"\($0)\" succeeded" }
            #expect(stored == expected)
            #expect(try await Self.ends(engine) == 4, "each end has its entry in the audit log, and only those")
        }
    }

    @Test("what is stored under another fence or by another owner is not touched")
    func lateWriters() async throws {
        try await TestEngine.with { engine in
            let automation = try Fixtures.automation(steps: Self.call)
            var updates: [RunUpdate] = []
            for _ in 0..<3 { updates.append(try await Self.ended(engine, automation, output: Array("1".utf8))) }
            for (update, change) in zip(updates, ["fence = fence + 1", "owner = gen_random_uuid()"]) {
                _ = try await engine.database.execute(
                    PostgresStatement(
                        "UPDATE engine.automation_runs SET \(change) WHERE run_id = $1",
                        [.uuid(update.record.id)]
                    )
                )
            }
            #expect(try await Self.commit(updates, to: engine) == [false, false, true])
            let statuses = "SELECT status FROM engine.automation_runs ORDER BY run_id"
            #expect(try await engine.texts(statuses) == ["running", "running", "succeeded"])
            #expect(try await Self.ends(engine) == 1)
            // An end that is stored once more finds its run ended.
            #expect(try await Self.commit([updates[2]], to: engine) == [false])
            #expect(try await Self.ends(engine) == 1)
        }
    }

    @Test("a timer is due by the clock of the database, whatever that of the process says")
    func timer() async throws {
        try await TestEngine.with { engine in
            let automation = try Fixtures.automation(steps: Self.call)
            var (machine, _) = try await engine.begin(automation)
            let failure = AttemptOutcome.Failure(error: StepError(code: "x", detail: "?"), isRetryable: true)
            let hour: Int64 = 3_600_000_000
            let next = machine.attemptEnded(0, .failed(failure), at: TestEngine.now + hour, chance: 0)
            guard case .wait(let wait) = next else {
                Issue.record("the failure may pass: \(next)")
                return
            }
            let update = RunUpdate(record: machine.record, change: machine.takeChange())
            #expect(try await Self.commit([update], to: engine) == [true])
            let repository = RunRepository(database: engine.database)
            let left = try await repository.nextTimer(isToCome: false, deadline: .now + .seconds(5))
            #expect(try #require(left) <= wait)
            #expect(try #require(left) > .seconds(-60))
        }
    }

    @Test("a step forward that is stored a second time records its attempt and its signal once")
    func repeated() async throws {
        try await TestEngine.with { engine in
            let more = Self.call.replacing("call", with: "more")
            let automation = try Fixtures.automation(steps: Self.call, Self.tell, more)
            var (machine, _) = try await engine.begin(automation)
            let next = machine.attemptEnded(0, .succeeded(output: Array("1".utf8)), at: TestEngine.now, chance: 0)
            #expect(next == .attempts([2]))
            let update = RunUpdate(record: machine.record, change: machine.takeChange())
            let emitted = try #require(update.change.emissions.first)
            for _ in 1...2 { #expect(try await Self.commit([update], to: engine) == [true]) }
            let attempts = "SELECT position || ' ' || number FROM engine.step_attempts ORDER BY 1"
            #expect(try await engine.texts(attempts) == ["0 1", "2 1"])
            let signals = try await engine.texts("SELECT signal_id::text FROM engine.signal_emissions")
            #expect(signals == [emitted.signalID.lowercased])
            let sent = try await engine.texts(
                "SELECT DISTINCT unnest(items)::text FROM engine.outbox WHERE destination = 'signals'"
            )
            #expect(sent == signals, "what is sent twice is the same signal, which its consumer knows")
        }
    }

    @Test("a committer that has ended refuses, and what had come before is stored")
    func ends() async throws {
        try await TestEngine.with { engine in
            let automation = try Fixtures.automation(steps: Self.call)
            let first = try await Self.ended(engine, automation, output: Array("1".utf8))
            let second = try await Self.ended(engine, automation, output: Array("2".utf8))
            let committer = engine.committer()
            let services = ServiceGroup(services: [committer], logger: ServiceDatabase.logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addImmediateTask {
                    let isHeld = try await committer.commit(first)
                    #expect(isHeld)
                }
                group.addTask { try await services.run() }
                try await group.next()
                await services.triggerGracefulShutdown()
                try await group.waitForAll()
            }
            let error = await #expect(throws: LaneError.self) { try await committer.commit(second) }
            #expect(error?.code == .draining)
            let statuses = "SELECT status FROM engine.automation_runs ORDER BY run_id"
            #expect(try await engine.texts(statuses) == ["succeeded", "running"])
        }
    }

    // MARK: - What the tests share

    /// A run whose one attempt has ended, with what is to be stored of that.
    private static func ended(
        _ engine: TestEngine,
        _ automation: CompiledAutomation,
        output: [UInt8]
    ) async throws -> RunUpdate {
        var (machine, next) = try await engine.begin(automation)
        #expect(next == .attempts([0]))
        next = machine.attemptEnded(0, .succeeded(output: output), at: TestEngine.now, chance: 0)
        #expect(next == .end)
        return RunUpdate(record: machine.record, change: machine.takeChange())
    }

    /// Stores updates in one batch, since all of them wait before the committer begins; nil stands for one that failed.
    private static func commit(_ updates: [RunUpdate], to engine: TestEngine) async throws -> [Bool?] {
        let committer = engine.committer()
        return try await withThrowingTaskGroup(of: (Int, Bool?).self) { group in
            for (number, update) in updates.enumerated() {
                // Runs at once up to where it waits.
                group.addImmediateTask {
                    do {
                        return (number, try await committer.commit(update))
                    } catch  where BatchConsumer.FailureKind(of: error) == .data {
                        return (number, nil)
                    }
                }
            }
            let work = Task { try await committer.run() }
            defer { work.cancel() }
            var outcomes: [Bool?] = updates.map { _ in nil }
            for try await (number, outcome) in group { outcomes[number] = outcome }
            return outcomes
        }
    }

    /// How many ends of runs the audit log is told of.
    private static func ends(_ engine: TestEngine) async throws -> Int {
        let entries = """
            SELECT count(*)::text FROM engine.outbox,
                LATERAL regexp_matches(convert_from(body, 'UTF8'), '"action":"run.end"', 'g') WHERE destination = 'audit'
            """
        return try await engine.texts(entries).first.flatMap { Int($0) } ?? 0
    }
}
