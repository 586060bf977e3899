import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AutomationEngineCore

/// What tests of actions over the broker work with: runs of one automation, and the answers of the service.
struct AnswerDesk: Sendable {
    let engine: TestEngine
    let driver: RunDriver
    let intake: ActionAnswerIntake
    let automation: CompiledAutomation

    /// A registration that is called over the broker.
    static func body(_ more: String = "") -> String {
        #"{"title":"A","input_schema":{"type":"object"},"output_schema":true,"endpoint":{"amqp":{}}\#(more)}"#
    }

    /// Makes an engine with `student.level` and an active automation with these steps.
    static func with(_ steps: String..., body: (AnswerDesk) async throws -> Void) async throws {
        try await TestEngine.with { engine in
            try await TestEngine.withClient { client in
                let desk = RemoteActionDesk(engine)
                try await desk.put("student.level", Self.body())
                try await desk.create("one", steps.joined(separator: ","))
                try await desk.activate("one")
                let driver = engine.driver(client, committer: engine.committer())
                try await body(
                    AnswerDesk(
                        engine: engine,
                        driver: driver,
                        intake: ActionAnswerIntake(
                            lanes: engine.lanes,
                            driver: driver,
                            deadLetters: DeadLetterRepository(schema: "engine", database: engine.database),
                            now: { TestEngine.now },
                            logger: ServiceDatabase.logger
                        ),
                        automation: try #require(try await desk.awake().first)
                    )
                )
            }
        }
    }

    private var context: RequestContext {
        RequestContext(tenant: "acme", actor: AuditActor(type: .admin, id: "ada"), requestID: "r1")
    }

    // MARK: Runs

    /// A run at its first attempt, stored.
    func begin() async throws -> RunMachine { try await engine.begin(automation).0 }

    /// Stores that the first step's call is sent.
    func send(_ machine: inout RunMachine) async throws {
        _ = machine.attemptEnded(0, .sent(within: .seconds(3_600)), at: TestEngine.now, chance: 0)
        try await store(&machine)
    }

    /// Stores a step forward as a driver whose run is its own.
    func store(_ machine: inout RunMachine) async throws {
        let update = RunUpdate(record: machine.record, change: machine.takeChange())
        try await LaneTransaction.retrying {
            try await engine.lanes.transaction { transaction in
                _ = try await transaction.database.execute(RunRepository.locking([update], owner: engine.instance))
                transaction.enqueue(RunRepository.changing([update], owner: engine.instance))
            }
        }
    }

    /// Stores a step forward as the driver does; answers whether it is stored.
    func commit(_ machine: inout RunMachine) async throws -> Bool {
        let update = RunUpdate(record: machine.record, change: machine.takeChange())
        let committer = engine.committer()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await committer.run() }
            defer { group.cancelAll() }
            return try await committer.commit(update)
        }
    }

    /// Makes a run one that is driven here.
    func own(_ machine: RunMachine) async throws {
        _ = try await engine.database.execute(
            PostgresStatement(
                "UPDATE engine.automation_runs SET status = 'running', owner = $2 WHERE run_id = $1",
                [.uuid(machine.record.id), .uuid(engine.instance)]
            )
        )
    }

    /// The run as its rows have it.
    func machine(_ machine: RunMachine) async throws -> RunMachine {
        let id = machine.record.id
        let runs = try await RunRepository(database: engine.database).load([id], deadline: .now + .seconds(10))
        let run = try #require(runs[id]).get()
        let version = try await driver.versions.version(of: run.record, deadline: .now + .seconds(10))
        return RunMachine(version, signal: try run.signal(), stored: run.record)
    }

    /// Goes on with a run as an engine that has claimed it.
    func goOn(_ run: RunMachine) async throws -> RunRecord {
        var machine = try await machine(run)
        _ = machine.resumed(at: TestEngine.now)
        let record = machine.record
        try await store(&machine)
        return record
    }

    func cancel(_ machine: RunMachine) async throws {
        let control = RunControl(lanes: engine.lanes, driver: driver) { TestEngine.now + 1 }
        _ = try await control.cancel(try body(machine), context: context)
    }

    /// Decides about the step `level` as a person.
    func resolve(_ machine: RunMachine, _ decision: String) async throws {
        let decisions = RunDecisions(lanes: engine.lanes, driver: driver)
        let more = #","step":"level","decision":"\#(decision)""#
        _ = try await decisions.resolve(try body(machine, more), context: context)
    }

    private func body(_ machine: RunMachine, _ more: String = "") throws -> JSONDocument {
        try JSONDocument(parsing: #"{"run_id":"\#(machine.record.id.lowercased)"\#(more)}"#)
    }

    // MARK: Answers

    func name(_ machine: RunMachine) -> AttemptName {
        AttemptName(run: machine.record.id, position: 0, attempt: Int32(machine.record.steps[0].attempt))
    }

    func delivery(
        _ attempt: AttemptName,
        _ body: String,
        tenant: String,
        action: String = "student.level",
        headers: [String: HeaderValue] = [:]
    ) -> Delivery {
        Delivery(
            token: Delivery.Token(epoch: 1, tag: 1),
            exchange: Topology.actionsExchange,
            routingKey: "result.\(tenant).\(action)",
            isRedelivered: false,
            properties: MessageProperties(correlationID: attempt.text, headers: headers),
            body: Array(body.utf8)
        )
    }

    /// Processes answers to a run's attempt as one batch.
    func answer(
        _ machine: RunMachine,
        _ bodies: String...,
        tenant: String = "acme",
        action: String = "student.level"
    ) async throws {
        let attempt = name(machine)
        try await intake.process(bodies.map { delivery(attempt, $0, tenant: tenant, action: action) })
    }

    func answer(_ attempt: AttemptName, _ body: String) async throws {
        try await intake.process([delivery(attempt, body, tenant: "acme")])
    }

    // MARK: What is stored

    /// Whether the timers are due, in the order of their runs.
    func isDue() async throws -> [Bool] {
        try await engine.texts("SELECT (due_at <= clock_timestamp())::text FROM engine.timers ORDER BY run_id")
            .map { $0 == "true" }
    }

    /// The audit entries of an action: who, and what was decided.
    func entries(_ action: String) async throws -> [String] {
        try await engine.texts(
            """
            SELECT concat_ws(' ', e -> 'actor' ->> 'id', e -> 'after' ->> 'decision')
            FROM engine.outbox, regexp_split_to_table(convert_from(body, 'UTF8'), '\\n') AS line,
                 LATERAL (SELECT nullif(line, '')::jsonb) AS l (e)
            WHERE destination = 'audit' AND e ->> 'action' = '\(action)'
            """
        )
    }
}
