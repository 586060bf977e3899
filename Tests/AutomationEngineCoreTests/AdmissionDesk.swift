import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import TestSupport

@testable import AutomationEngineCore

/// What tests of admission work with: automations, signals, people, and whoever looks at held runs.
struct AdmissionDesk: Sendable {
    let engine: TestEngine
    let driver: RunDriver
    let service: AutomationService
    let held: HeldRunRepository

    /// A step that makes a run wait, and keep its place, until it is canceled.
    static let wait = #"{"name":"wait","action_key":"flow.delay","input":{"for":"1h"}}"#

    static func with(_ body: (AdmissionDesk) async throws -> Void) async throws {
        try await TestEngine.with { engine in
            try await TestEngine.withClient { client in
                try await body(
                    AdmissionDesk(
                        engine: engine,
                        driver: engine.driver(client, committer: engine.committer()),
                        service: AutomationService(
                            database: engine.database,
                            lanes: engine.lanes,
                            registry: .builtIn
                        ),
                        held: HeldRunRepository(database: engine.database)
                    )
                )
            }
        }
    }

    var context: RequestContext {
        RequestContext(tenant: "acme", actor: AuditActor(type: .admin, id: "ada"), requestID: "r1")
    }

    var control: RunControl { RunControl(lanes: engine.lanes, driver: driver) { TestEngine.now + 1 } }

    var decisions: SignalDecisions { SignalDecisions(database: engine.database, registry: .builtIn) }

    /// What processes signals, with an index of its own as each replica has one.
    func processor() -> SignalProcessor {
        SignalProcessor(
            lanes: engine.lanes,
            catalogue: AutomationCatalogue(
                database: engine.database,
                registry: .builtIn,
                logger: ServiceDatabase.logger
            ),
            driver: driver,
            owner: engine.instance,
            now: { TestEngine.now }
        )
    }

    static func definition(_ members: String, _ steps: String...) -> String {
        #"{"trigger":{"signalType":"a.b"},"steps":[\#(steps.isEmpty ? wait : steps.joined(separator: ","))],\#(members)}"#
    }

    /// Creates an automation on `a.b`, and activates it.
    func automate(_ definition: String, key: String = "one") async throws {
        let body = #"{"automation_key":"\#(key)","name":"One","definition":\#(definition)}"#
        _ = try await service.create(try JSONDocument(parsing: body), context: context)
        _ = try await ask(service.activate, key)
    }

    /// Asks for a change of an automation; answers the automation.
    @discardableResult
    func ask(
        _ operation: (JSONDocument, RequestContext) async throws -> Reply,
        _ key: String = "one",
        more: String = ""
    ) async throws -> JSONValue {
        let reply = try await operation(try JSONDocument(parsing: #"{"automation":"\#(key)"\#(more)}"#), context)
        return try JSONValue(parsing: reply.body)
    }

    /// Cancels or resumes a run.
    func ask(_ operation: (JSONDocument, RequestContext) async throws -> Reply, run: String) async throws {
        _ = try await operation(try JSONDocument(parsing: #"{"run_id":"\#(run)"}"#), context)
    }

    /// Processes signals with these data, one after the other.
    func send(_ data: String...) async throws {
        for data in data {
            _ = try await processor().process([try Fixtures.signal(data: data)])
            // Ids are in the order of their milliseconds.
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Processes signals with these data in one batch.
    @discardableResult
    func sendTogether(_ data: String...) async throws -> SignalProcessor.Outcome {
        try await processor().process(try data.map { try Fixtures.signal(data: $0) })
    }

    /// Looks at held runs until there is nothing to do.
    func look() async throws {
        while try await held.look(deadline: .now + .seconds(20)).looked > 0 {}
    }

    /// Goes on with a run as an engine that has claimed it.
    @discardableResult
    func goOn(_ run: String, after time: Duration = .zero) async throws -> RunRecord {
        guard let id = UUID(uuidString: run),
            let loaded = try await RunRepository(database: engine.database)
                .load([id], deadline: .now + .seconds(10))[id]?.get()
        else {
            throw TestSupportError(.deadlineExceeded, "run \(run) is not stored")
        }
        let automation = try await driver.versions.version(of: loaded.record, deadline: .now + .seconds(10))
        var machine = RunMachine(automation, signal: try loaded.signal(), stored: loaded.record)
        machine.elapse(time)
        _ = machine.resumed(at: TestEngine.now)
        let update = RunUpdate(record: machine.record, change: machine.takeChange())
        try await LaneTransaction.retrying {
            try await engine.lanes.transaction { transaction in
                transaction.enqueue(RunRepository.changing([update], owner: engine.instance))
                transaction.announce([update], at: TestEngine.now)
            }
        }
        return machine.record
    }

    /// Whether the runs' timers are due, in the order of the runs.
    func due() async throws -> [String] {
        try await engine.texts("SELECT (due_at <= clock_timestamp())::text FROM engine.timers ORDER BY run_id")
    }

    /// All runs in the order of their ids: status, and what they wait for.
    func runs(of key: String = "one") async throws -> [String] {
        try await engine.texts(
            """
            SELECT concat_ws(' ', r.status, CASE WHEN r.held THEN a.stage END)
            FROM engine.automation_runs r LEFT JOIN engine.admissions a USING (run_id)
            WHERE r.automation_key = '\(key)' ORDER BY r.run_id
            """
        )
    }

    /// The ids of all runs, in their order.
    func ids() async throws -> [String] {
        try await engine.texts("SELECT run_id::text FROM engine.automation_runs ORDER BY run_id")
    }

    /// The skips, in the order of their signals: the reason, and the run in the way.
    func skips() async throws -> [String] {
        try await engine.texts(
            "SELECT concat_ws(' ', reason, run_id) FROM engine.automation_skips ORDER BY signal_id"
        )
    }

    /// Audit entries of an action: actor, status or pause before and after, and the reason.
    func entries(_ action: String) async throws -> [String] {
        try await engine.texts(
            """
            SELECT concat_ws(' ', e -> 'actor' ->> 'id', coalesce(e -> 'before' ->> 'status', e -> 'before' ->> 'paused'),
                             coalesce(e -> 'after' ->> 'status', e -> 'after' ->> 'paused'), e ->> 'reason')
            FROM engine.outbox, regexp_split_to_table(convert_from(body, 'UTF8'), '\\n') AS line,
                 LATERAL (SELECT nullif(line, '')::jsonb) AS l (e)
            WHERE destination = 'audit' AND e ->> 'action' = '\(action)'
            """
        )
    }
}
