import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import TestSupport
import Testing

@testable import AutomationEngineCore

/// Canceling and resuming runs.
///
/// The acceptance test A8 of the field: a canceled run never runs, and is never tried again.
@Suite("Run control", .requiresServers, .timeLimit(.minutes(2)))
struct RunControlTests {
    private static let call = #"{"name":"call","action_key":"http.request","input":{"url":"https://x.org"}}"#
    private static let before = #"{"name":"before","action_key":"data.transform","input":{"n":1}}"#
    private static let after = #"{"name":"after","action_key":"data.transform"}"#
    private static let state = """
        SELECT concat_ws(' ', r.status, r.fence, r.owner IS NULL, r.finished_at IS NULL,
                         string_agg(s.status, ',' ORDER BY s.position))
        FROM engine.automation_runs r JOIN engine.automation_run_steps s USING (run_id) GROUP BY r.run_id
        """

    private struct Desk {
        let engine: TestEngine
        let control: RunControl

        static func with(_ body: (Desk) async throws -> Void) async throws {
            try await TestEngine.with { engine in
                try await TestEngine.withClient { client in
                    let driver = engine.driver(client, committer: engine.committer())
                    try await body(
                        Desk(
                            engine: engine,
                            control: RunControl(lanes: engine.lanes, driver: driver) { TestEngine.now + 1 }
                        )
                    )
                }
            }
        }

        func ask(
            _ operation: (JSONDocument, RequestContext) async throws -> Reply,
            _ run: UUID,
            tenant: String = "acme"
        ) async throws -> ProblemCode? {
            do {
                let body = try JSONDocument(parsing: #"{"run_id":"\#(run.lowercased)"}"#)
                let actor = AuditActor(type: .user, id: "olga")
                _ = try await operation(body, RequestContext(tenant: tenant, actor: actor, requestID: "r1"))
                return nil
            } catch let problem as Problem {
                return problem.code
            }
        }

        /// The audit entries of runs, sorted: action, and status before and after.
        func entries() async throws -> [String] {
            try await engine.texts(
                """
                SELECT concat_ws(' ', e ->> 'action', e -> 'actor' ->> 'id', e -> 'before' ->> 'status',
                                 e -> 'after' ->> 'status')
                FROM engine.outbox, regexp_split_to_table(convert_from(body, 'UTF8'), '\\n') AS line,
                     LATERAL (SELECT nullif(line, '')::jsonb) AS l (e)
                WHERE destination = 'audit' AND e -> 'object' ->> 'type' = 'run' ORDER BY 1
                """
            )
        }

        /// Stores an automation, so that what is resumed can be executed, and answers it.
        func automation(_ steps: String...) async throws -> CompiledAutomation {
            let definition = #"{"trigger":{"signalType":"a.b"},"steps":[\#(steps.joined(separator: ","))]}"#
            let automation = try Fixtures.automation(definition)
            try await engine.storage.executeAsSuperuser(
                """
                INSERT INTO engine.automations (automation_id, tenant, automation_key, status, version, revision, name,
                                                definition, changed_generation)
                VALUES ('\(automation.id.lowercased)', 'acme', 'one', 'active', 3, 3, 'One', '\(definition)', 1);
                INSERT INTO engine.automation_versions (automation_id, version, name, definition, created_by)
                VALUES ('\(automation.id.lowercased)', 3, 'One', '\(definition)', 'tests')
                """
            )
            return automation
        }
    }

    @Test("A8: a running run is canceled, and what its driver stores later changes nothing")
    func cancelsRunning() async throws {
        try await Desk.with { desk in
            var (machine, next) = try await desk.engine.begin(
                try Fixtures.automation(steps: Self.before, Self.call, Self.after)
            )
            #expect(next == .attempts([1]))
            #expect(try await desk.ask(desk.control.cancel, machine.record.id) == nil)
            #expect(try await desk.engine.texts(Self.state) == ["canceled 2 t f succeeded,canceled,canceled"])
            #expect(
                try await desk.engine.texts(
                    "SELECT outcome || ' ' || (error::json ->> 'code') FROM engine.step_attempts"
                )
                    == ["unknown canceled"]
            )
            _ = machine.attemptEnded(1, .succeeded(output: Array("1".utf8)), at: TestEngine.now, chance: 0)
            let late = RunUpdate(record: machine.record, change: machine.takeChange())
            let committer = desk.engine.committer()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await committer.run() }
                let isHeld = try await committer.commit(late)
                #expect(!isHeld)
                group.cancelAll()
            }
            #expect(try await desk.engine.texts(Self.state) == ["canceled 2 t f succeeded,canceled,canceled"])
            #expect(
                try await desk.entries() == ["run.cancel olga running canceled", "run.end automation-engine canceled"]
            )
            #expect(try await desk.ask(desk.control.cancel, machine.record.id) == .wrongState)
            #expect(try await desk.ask(desk.control.resume, machine.record.id) == .wrongState)
            #expect(try await desk.entries().count == 2)
        }
    }

    @Test("A8: a run that waits, in the queue, for a timer or for a person, is canceled and never claimed again")
    func cancelsWaiting() async throws {
        for status in ["queued", "waiting", "unknown"] {
            try await Desk.with { desk in
                let (machine, _) = try await desk.engine.begin(try Fixtures.automation(steps: Self.call))
                let run = machine.record.id
                try await desk.engine.storage.executeAsSuperuser(
                    """
                    UPDATE engine.automation_runs SET status = '\(status)', owner = NULL;
                    UPDATE engine.automation_run_steps SET status = '\(status)';
                    INSERT INTO engine.timers (run_id, due_at, tenant) VALUES ('\(run.lowercased)', now(), 'acme')
                    """
                )
                #expect(try await desk.ask(desk.control.cancel, run) == nil)
                #expect(try await desk.engine.texts(Self.state) == ["canceled 2 t f canceled"])
                #expect(try await desk.engine.texts("SELECT run_id::text FROM engine.timers") == [])
                var turns = ClaimTurns()
                let claimed = try await RunRepository(database: desk.engine.database).claim(
                    room: RunSlots(capacity: 10).room(limit: 10),
                    turns: &turns,
                    owner: desk.engine.instance,
                    held: [],
                    deadline: .now + .seconds(10)
                )
                #expect(claimed.isEmpty)
            }
        }
    }

    @Test("a failed run goes on from the step that has failed, with all of its attempts, and keeps what succeeded")
    func resumes() async throws {
        try await Desk.with { desk in
            let automation = try await desk.automation(Self.before, Self.call, Self.after)
            var (machine, _) = try await desk.engine.begin(automation)
            let failure = AttemptOutcome.Failure(error: StepError(code: "x", detail: "X."), isRetryable: false)
            #expect(machine.attemptEnded(1, .failed(failure), at: TestEngine.now, chance: 0) == .end)
            let committer = desk.engine.committer()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await committer.run() }
                let update = RunUpdate(record: machine.record, change: machine.takeChange())
                let isHeld = try await committer.commit(update)
                #expect(isHeld)
                group.cancelAll()
            }
            let run = machine.record.id
            try await desk.engine.storage.executeAsSuperuser(
                "INSERT INTO engine.inbox SELECT signal_id, tenant, 1, 'a.b' FROM engine.automation_runs"
            )
            #expect(try await desk.engine.texts(Self.state) == ["failed 1 t f succeeded,failed,skipped"])
            #expect(try await desk.ask(desk.control.resume, run, tenant: "other") == .notFound)
            #expect(try await desk.ask(desk.control.cancel, run) == .wrongState)
            #expect(try await desk.ask(desk.control.resume, run) == nil)
            #expect(try await desk.engine.texts(Self.state) == ["queued 2 t t succeeded,queued,queued"])
            #expect(try await desk.ask(desk.control.resume, run) == .wrongState)

            // Whoever claims it makes the second attempt, and has two more.
            let repository = RunRepository(database: desk.engine.database)
            let loaded = try #require(try await repository.load([run], deadline: .now + .seconds(10))[run]?.get())
            var resumed = RunMachine(automation, signal: try loaded.signal(), stored: loaded.record)
            #expect(resumed.resumed(at: TestEngine.now) == .attempts([1]))
            #expect(resumed.record.steps[1].attempt == 2)
            let retryable = AttemptOutcome.Failure(error: failure.error, isRetryable: true)
            for attempt in 3...4 {
                guard case .wait = resumed.attemptEnded(1, .failed(retryable), at: TestEngine.now, chance: 0) else {
                    Issue.record("attempt \(attempt) is not waited for")
                    return
                }
                resumed.elapse(resumed.nextWait ?? .zero)
                #expect(resumed.resumed(at: TestEngine.now) == .attempts([1]))
                #expect(resumed.record.steps[1].attempt == attempt)
            }
            #expect(resumed.attemptEnded(1, .failed(retryable), at: TestEngine.now, chance: 0) == .end)
            #expect(
                try await desk.entries() == ["run.end automation-engine failed", "run.resume olga failed queued"]
            )
        }
    }

    @Test("a run whose signal or inbox retention has taken away is not resumed")
    func tooOld() async throws {
        for table in ["signals", "inbox"] {
            try await Desk.with { desk in
                let automation = try await desk.automation(Self.call)
                let (machine, _) = try await desk.engine.begin(automation)
                try await desk.engine.storage.executeAsSuperuser(
                    """
                    UPDATE engine.automation_runs SET status = 'failed', owner = NULL, finished_at = now();
                    UPDATE engine.automation_run_steps SET status = 'failed', finished_at = now();
                    INSERT INTO engine.inbox SELECT signal_id, tenant, 1, 'a.b' FROM engine.automation_runs
                    ON CONFLICT DO NOTHING;
                    DELETE FROM engine.\(table)
                    """
                )
                #expect(try await desk.ask(desk.control.resume, machine.record.id) == .wrongState)
                #expect(try await desk.engine.texts(Self.state) == ["failed 1 t f failed"])
                #expect(try await desk.entries() == [])
            }
        }
    }

    @Test("cancelations and claims of the same due runs do not stand in each other's way")
    func cancelsWhatIsClaimed() async throws {
        try await Desk.with { desk in
            let automation = try Fixtures.automation(steps: Self.call)
            var runs: [UUID] = []
            for _ in 0..<20 { runs.append(try await desk.engine.begin(automation).0.record.id) }
            try await desk.engine.storage.executeAsSuperuser(
                """
                UPDATE engine.automation_runs SET status = 'waiting', owner = NULL;
                UPDATE engine.automation_run_steps SET status = 'waiting';
                INSERT INTO engine.timers (run_id, due_at, tenant) SELECT run_id, now(), 'acme' FROM engine.automation_runs
                """
            )
            let repository = RunRepository(database: desk.engine.database)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for run in runs {
                    group.addTask {
                        let refusal = try await desk.ask(desk.control.cancel, run)
                        #expect(refusal == nil)
                    }
                }
                for _ in 0..<4 {
                    group.addTask {
                        var turns = ClaimTurns()
                        _ = try await repository.claim(
                            room: RunSlots(capacity: 100).room(limit: 100),
                            turns: &turns,
                            owner: desk.engine.instance,
                            held: [],
                            deadline: .now + .seconds(20)
                        )
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await desk.engine.texts("SELECT DISTINCT status FROM engine.automation_runs") == ["canceled"])
            #expect(try await desk.engine.texts("SELECT run_id::text FROM engine.timers") == [])
        }
    }

    @Test("Rule 7: a run of an automation that is no longer active is not resumed")
    func onlyActive() async throws {
        try await Desk.with { desk in
            let automation = try await desk.automation(Self.call)
            let (machine, _) = try await desk.engine.begin(automation)
            try await desk.engine.storage.executeAsSuperuser(
                """
                UPDATE engine.automation_runs SET status = 'failed', owner = NULL, finished_at = now();
                UPDATE engine.automation_run_steps SET status = 'failed', finished_at = now();
                UPDATE engine.automations SET status = 'deprecated'
                """
            )
            #expect(try await desk.ask(desk.control.resume, machine.record.id) == .wrongState)
            #expect(try await desk.engine.texts(Self.state) == ["failed 1 t f failed"])
            #expect(try await desk.ask(desk.control.resume, UUIDv7.make()) == .notFound)
            #expect(try await desk.ask(desk.control.cancel, UUIDv7.make()) == .notFound)
        }
    }
}
