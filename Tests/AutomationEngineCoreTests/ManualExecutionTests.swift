import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import TestSupport
import Testing

@testable import AutomationEngineCore

/// The row "execute by hand" of the contract's operations, its hard rules 2, 4, 6 and 7, and the table of modes.
@Suite("Executing an automation by hand", .requiresServers, .timeLimit(.minutes(2)))
struct ManualExecutionTests {
    private struct Desk {
        let engine: TestEngine
        let execution: ManualExecution

        init(_ engine: TestEngine, _ driver: RunDriver) {
            self.engine = engine
            let catalogue = AutomationCatalogue(
                database: engine.database,
                registry: .builtIn,
                logger: ServiceDatabase.logger
            )
            execution = ManualExecution(
                database: engine.database,
                processor: SignalProcessor(
                    lanes: engine.lanes,
                    catalogue: catalogue,
                    driver: driver,
                    owner: engine.instance,
                    now: { TestEngine.now }
                ),
                lanes: engine.lanes
            )
        }

        static func with(_ body: (Desk) async throws -> Void) async throws {
            try await TestEngine.with { engine in
                try await TestEngine.withClient { client in
                    try await body(Desk(engine, engine.driver(client, committer: engine.committer())))
                }
            }
        }

        private func context(_ key: String?) -> RequestContext {
            RequestContext(
                tenant: "acme",
                actor: AuditActor(type: .admin, id: "ada"),
                requestID: "r1",
                idempotencyKey: key,
                traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            )
        }

        /// Creates an automation, and activates it.
        func automate(_ key: String, on type: String = "a.b", _ steps: String...) async throws {
            let service = AutomationService(database: engine.database, lanes: engine.lanes, registry: .builtIn)
            let definition = #"{"trigger":{"signalType":"\#(type)"},"steps":[\#(steps.joined(separator: ","))]}"#
            let body = #"{"automation_key":"\#(key)","name":"One","definition":\#(definition)}"#
            _ = try await service.create(try JSONDocument(parsing: body), context: context(nil))
            _ = try await service.activate(
                try JSONDocument(parsing: #"{"automation":"\#(key)"}"#),
                context: context(nil)
            )
        }

        func execute(_ key: String, _ body: String, idempotencyKey: String? = nil) async throws -> JSONView {
            let question = try JSONDocument(parsing: #"{"automation":"\#(key)","body":\#(body)}"#)
            let reply = try await execution.execute(question, context: context(idempotencyKey))
            return try JSONDocument(parsing: reply.body).root
        }

        func problem(_ key: String, _ body: String) async throws -> Problem? {
            do {
                _ = try await execute(key, body)
                return nil
            } catch let problem as Problem {
                return problem
            }
        }

        /// The number of rows of every table of the engine.
        func rows() async throws -> [String: Int] {
            let tables = try await engine.texts(
                """
                SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'engine' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                  AND has_table_privilege(c.oid, 'SELECT')
                """
            )
            var rows: [String: Int] = [:]
            for table in tables {
                rows[table] = Int(try await engine.texts("SELECT count(*)::text FROM engine.\(table)")[0])
            }
            return rows
        }

        /// The JSON that a statement answers.
        func value(_ query: String) async throws -> JSONValue {
            try JSONValue(parsing: Array(try await engine.texts(query)[0].utf8))
        }

        /// The actions of all audit entries but those of the lanes, sorted.
        func actions() async throws -> [String] {
            try await engine.texts(
                "SELECT convert_from(body, 'UTF8') FROM engine.outbox WHERE destination = 'audit'"
            )
            .flatMap { $0.split(separator: "\n") }
            .map { try JSONValue(parsing: Array($0.utf8))["action"]?.stringValue ?? "" }
            .filter { !$0.hasPrefix("lane.") }
            .sorted()
        }
    }

    private static let transform = #"{"name":"one","action_key":"data.transform","input":{"n":"{{ signal.data.n }}"}}"#
    private static let call =
        #"{"name":"call","action_key":"http.request","input":{"method":"POST","url":"http://127.0.0.1:9/"}}"#
    private static let emit = #"{"name":"emit","action_key":"signal.emit","input":{"type":"a.c"}}"#

    @Test("Rule 2: a live run goes the way of every signal, aimed at that one automation")
    func live() async throws {
        try await Desk.with { desk in
            try await desk.automate("one", Self.transform)
            try await desk.automate("other", Self.transform)
            let answer = try await desk.execute("one", #"{"mode":"live_run","context":{"n":5}}"#)
            let run = try #require(answer["run_id"]?.stringValue)
            let signal = try #require(answer["signal_id"]?.stringValue)
            #expect(
                try await desk.engine.texts(
                    "SELECT concat_ws(' ', run_id, automation_key, signal_id, status, dry_run) FROM engine.automation_runs"
                ) == ["\(run) one \(signal) succeeded f"]
            )
            #expect(try await desk.engine.texts("SELECT output FROM engine.automation_run_steps") == [#"{"n":5}"#])
            #expect(
                try await desk.engine.texts("SELECT concat_ws(' ', signal_id, type) FROM engine.signal_emissions")
                    == ["\(signal) a.b"]
            )
            #expect(
                try await desk.engine.texts("SELECT signal_id::text FROM engine.inbox") == [signal]
            )
            #expect(
                try await desk.engine.texts(
                    "SELECT concat_ws(' ', signal_id, automation_key, run_id) FROM engine.automation_dedup"
                ) == ["\(signal) one \(run)"]
            )
            let metadata = try await desk.value("SELECT metadata FROM engine.automation_runs")
            #expect(metadata["source"]?["type"]?.stringValue == "manual")
            #expect(metadata["source"]?["actor"]?["type"]?.stringValue == "admin")
            #expect(metadata["source"]?["actor"]?["id"]?.stringValue == "ada")
            #expect(metadata["trace_id"]?.stringValue == "0af7651916cd43dd8448eb211c80319c")
            let day = try #require(metadata["day_key"]?.stringValue)
            #expect(metadata["executed_at"]?.stringValue?.hasPrefix(day) == true && day.count == 10)
            let event = try await desk.value("SELECT event FROM engine.signal_emissions")
            #expect(event["source"]?.stringValue == "/batuta/manual")
            #expect(event["data"] == ["n": 5])
            #expect(
                try await desk.actions() == ["activate", "activate", "create", "create", "execute_manual", "run.end"]
            )
            let entry = try await desk.value(
                """
                SELECT e FROM engine.outbox, regexp_split_to_table(convert_from(body, 'UTF8'), '\\n') AS e
                WHERE e LIKE '%execute_manual%'
                """
            )
            #expect(entry["actor"]?["id"]?.stringValue == "ada")
            #expect(
                entry["after"] == [
                    "mode": "live_run", "run_id": .string(run), "signal_id": .string(signal),
                ]
            )
        }
    }

    @Test("Mode dry_run: changes runs, dedupe and audit, and nothing else")
    func dry() async throws {
        try await Desk.with { desk in
            try await desk.automate("one", Self.transform, Self.call, Self.emit)
            let before = try await desk.rows()
            let answer = try await desk.execute("one", #"{"mode":"dry_run","context":{"n":5}}"#)
            let after = try await desk.rows()
            let changed = Set(after.keys.filter { after[$0] != before[$0] })
            // The inbox is part of dedupe, and the signal's copy of its run; the outbox holds the audit entries.
            #expect(
                changed == [
                    "automation_runs", "automation_run_steps", "automation_dedup", "inbox", "signals", "outbox",
                ]
            )
            #expect(after["automation_runs"] == 1 && after["automation_dedup"] == 1)
            #expect(try await desk.engine.texts("SELECT DISTINCT destination FROM engine.outbox") == ["audit"])
            let run = try #require(answer["run_id"]?.stringValue)
            #expect(
                try await desk.engine.texts(
                    "SELECT concat_ws(' ', run_id, status, dry_run, owner) FROM engine.automation_runs"
                ) == ["\(run) succeeded t"]
            )
            #expect(
                try await desk.engine.texts(
                    "SELECT status || ' ' || (simulation::json ->> 'would') FROM engine.automation_run_steps ORDER BY position"
                ) == [
                    "succeeded Output its input.", "succeeded Send POST to http://127.0.0.1:9/, without a body.",
                    "succeeded Emit a signal of the type a.c.",
                ]
            )
            #expect(try await desk.actions() == ["activate", "create", "execute_manual", "run.end"])
        }
    }

    @Test("Rule 7: only an active automation is executed by hand")
    func onlyActive() async throws {
        try await Desk.with { desk in
            try await desk.automate("one", Self.transform)
            let service = AutomationService(
                database: desk.engine.database,
                lanes: desk.engine.lanes,
                registry: .builtIn
            )
            _ = try await desk.execute("one", #"{"mode":"live_run"}"#)
            _ = try await service.deactivate(
                try JSONDocument(parsing: #"{"automation":"one"}"#),
                context: RequestContext(tenant: "acme", actor: AuditActor(type: .admin, id: "ada"), requestID: "r")
            )
            let before = try await desk.rows()
            for mode in ["dry_run", "live_run"] {
                let problem = try await desk.problem("one", #"{"mode":"\#(mode)"}"#)
                #expect(problem?.code == .wrongState)
                #expect(problem?.detail == "Only active automations can be executed")
                #expect(problem?.detailES == "Solo se pueden ejecutar automatizaciones activas")
            }
            #expect(try await desk.problem("none", #"{"mode":"dry_run"}"#)?.code == .notFound)
            #expect(try await desk.rows() == before)
        }
    }

    @Test(
        "Operation execute by hand: what makes no sense is refused",
        arguments: [
            ("{}", ["/mode"]), (#"{"mode":"wet_run"}"#, ["/mode"]), (#"{"mode":1}"#, ["/mode"]),
            (#"{"mode":"dry_run","context":[]}"#, ["/context"]), (#"{"mode":"dry_run","context":null}"#, ["/context"]),
            (#"{"context":1,"steps":[]}"#, ["/steps", "/mode", "/context"]),
        ]
    )
    func refusals(body: String, pointers: [String]) async throws {
        try await Desk.with { desk in
            try await desk.automate("one", Self.transform)
            let before = try await desk.rows()
            let problem = try await desk.problem("one", body)
            #expect(problem?.code == .invalidContent)
            #expect(problem?.errors.map(\.pointer) == pointers)
            #expect(try await desk.rows() == before)
        }
    }

    @Test("a repeat with the same idempotency key answers with the first run")
    func idempotency() async throws {
        try await Desk.with { desk in
            try await desk.automate("one", Self.transform)
            let first = try await desk.execute("one", #"{"mode":"live_run"}"#, idempotencyKey: "k")
            let second = try await desk.execute("one", #"{"mode":"live_run"}"#, idempotencyKey: "k")
            #expect(first["run_id"]?.stringValue == second["run_id"]?.stringValue)
            #expect(try await desk.rows()["automation_runs"] == 1)
            _ = try await desk.execute("one", #"{"mode":"live_run"}"#)
            _ = try await desk.execute("one", #"{"mode":"live_run"}"#, idempotencyKey: "l")
            #expect(try await desk.rows()["automation_runs"] == 3)
        }
    }

    @Test("a repeat is answered whatever has become of the automation since")
    func repeatAfterDeactivation() async throws {
        try await Desk.with { desk in
            try await desk.automate("one", Self.transform)
            let first = try await desk.execute("one", #"{"mode":"live_run"}"#, idempotencyKey: "k")
            try await desk.engine.storage.executeAsSuperuser("UPDATE engine.automations SET status = 'deprecated'")
            let second = try await desk.execute("one", #"{"mode":"live_run"}"#, idempotencyKey: "k")
            #expect(first["run_id"]?.stringValue == second["run_id"]?.stringValue)
            #expect(try await desk.rows()["automation_runs"] == 1)
        }
    }

    @Test("Rule 2: the artificial signal of a family has the family's prefix as its type")
    func family() async throws {
        try await Desk.with { desk in
            try await desk.automate("one", on: "orders.*", Self.transform)
            _ = try await desk.execute("one", #"{"mode":"live_run"}"#)
            #expect(try await desk.engine.texts("SELECT type FROM engine.signal_emissions") == ["orders"])
            #expect(try await desk.engine.texts("SELECT signal_type FROM engine.inbox") == ["orders"])
        }
    }
}
