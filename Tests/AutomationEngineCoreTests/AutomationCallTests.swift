import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AutomationEngineCore
@testable import ServiceBase

@Suite("Runs that run other automations", .requiresServers, .timeLimit(.minutes(3)))
struct AutomationCallTests {
    private static func call(_ more: String = "", data: String = #"{"x":"{{ signal.data.k }}"}"#) -> String {
        #"{"name":"call","action_key":"automation.run","input":{"automation":"two","data":\#(data)\#(more)}}"#
    }

    private static let after =
        #"{"name":"after","action_key":"data.transform","input":{"sum":"{{ steps.call.output.output.sum }}"}}"#
    /// What the automation that is called does: it ends in the batch of its signal.
    private static let add = #"{"name":"add","action_key":"data.transform","input":{"sum":"{{ signal.data.x }}"}}"#

    private static func definition(_ steps: [String], on type: String = "a.b", more: String = "") -> String {
        #"{"trigger":{"signalType":"\#(type)"},"steps":[\#(steps.joined(separator: ","))]\#(more)}"#
    }

    /// Two automations of which the first runs the second.
    private func automate(
        _ desk: AdmissionDesk,
        _ steps: String...,
        calling called: String = Self.add,
        more: String = ""
    ) async throws {
        try await desk.automate(Self.definition(steps))
        try await desk.automate(Self.definition([called], on: "c.d", more: more), key: "two")
    }

    /// The signals that runs have emitted and nobody has processed, as they are stored.
    private func emitted(_ desk: AdmissionDesk) async throws -> [IncomingSignal] {
        try await desk.engine.texts(
            """
            SELECT event FROM engine.signal_emissions e
            WHERE NOT EXISTS (SELECT FROM engine.inbox i WHERE i.signal_id = e.signal_id) ORDER BY signal_id, position
            """
        )
        .map { try IncomingSignal(try JSONDocument(parsing: $0).root, tenant: "acme") }
    }

    /// Takes what was emitted to where all signals go.
    private func deliver(_ desk: AdmissionDesk) async throws {
        for signal in try await emitted(desk) { _ = try await desk.processor().process([signal]) }
    }

    private func run(of key: String, _ desk: AdmissionDesk) async throws -> String {
        let runs = try await desk.engine.texts(
            "SELECT run_id::text FROM engine.automation_runs WHERE automation_key = '\(key)' ORDER BY run_id DESC LIMIT 1"
        )
        return try #require(runs.first)
    }

    private func error(of step: RunRecord.Step) throws -> (code: String?, run: String?) {
        let root = try JSONDocument(parsing: try #require(step.error)).root
        return (root["code"]?.stringValue, root["run_id"]?.stringValue)
    }

    @Test("the caller waits for the end of the run that it calls, and reads what its last step has output")
    func succeeds() async throws {
        try await AdmissionDesk.with { desk in
            try await automate(desk, Self.call(), Self.after)
            try await desk.send(#"{"k":5}"#)
            let caller = try await run(of: "one", desk)
            #expect(try await desk.due() == ["false"])
            let signal = try #require(try await emitted(desk).first)
            #expect(signal.aim?.target == .key("two"))
            #expect(signal.depth == 1)
            #expect(
                try await desk.engine.texts(
                    "SELECT schema_version::text FROM engine.outbox WHERE destination = 'signals'"
                ) == ["2"]
            )
            try await deliver(desk)
            let called = try await run(of: "two", desk)
            #expect(
                try await desk.engine.texts(
                    "SELECT metadata::json ->> 'called_by_run' FROM engine.automation_runs WHERE run_id = '\(called)'"
                ) == [caller]
            )
            #expect(try await desk.due() == ["true"])
            let ended = try await desk.goOn(caller)
            #expect(ended.status == .succeeded)
            #expect(ended.steps[1].output == Array(#"{"sum":5}"#.utf8))
            let output = try JSONDocument(parsing: try #require(ended.steps[0].output)).root
            #expect(output["run_id"]?.stringValue == called)
            #expect(try await desk.engine.texts("SELECT run_id::text FROM engine.step_waits") == [])
        }
    }

    @Test("the signal that calls a run tells its own time, whatever its data hold", arguments: [#"5"#, #""\u0000""#])
    func signalIsRead(value: String) async throws {
        try await AdmissionDesk.with { desk in
            try await automate(desk, Self.call())
            try await desk.send(#"{"k":\#(value)}"#)
            let rows = try await desk.engine.texts("SELECT signal_id || ' ' || event FROM engine.signal_emissions")
            let parts = try #require(rows.first).split(separator: " ", maxSplits: 1)
            let answer = try await desk.decisions.get(
                JSONDocument(parsing: #"{"signal_id":"\#(parts[0])"}"#),
                context: desk.context
            )
            let told = try JSONDocument(parsing: Array(parts[1].utf8)).root["time"]?.stringValue
            #expect(told != nil)
            #expect(try JSONValue(parsing: answer.body)["accepted_at"]?.stringValue == told)
        }
    }

    @Test("a run that fails fails the step that waits for it, with its id and its error")
    func fails() async throws {
        try await AdmissionDesk.with { desk in
            let missing = #"{"name":"add","action_key":"data.transform","input":{"sum":"{{ signal.data.none }}"}}"#
            try await automate(desk, Self.call(), calling: missing)
            try await desk.send(#"{"k":5}"#)
            try await deliver(desk)
            let ended = try await desk.goOn(try await run(of: "one", desk))
            #expect(ended.status == .failed)
            let error = try error(of: ended.steps[0])
            #expect(error.code == "run_failed")
            #expect(error.run == (try await run(of: "two", desk)))
        }
    }

    @Test("a person who cancels the run that is waited for, or one that takes its place, ends the wait")
    func canceled() async throws {
        try await AdmissionDesk.with { desk in
            try await automate(
                desk,
                Self.call(),
                calling: AdmissionDesk.wait,
                more: #","concurrency":{"limit":1,"on_limit":"cancel_running"}"#
            )
            for (place, cancel) in [true, false].enumerated() {
                try await desk.send(#"{"k":\#(place)}"#)
                let caller = try await run(of: "one", desk)
                try await deliver(desk)
                #expect(try await desk.goOn(caller).status == .waiting)
                let called = try await run(of: "two", desk)
                if cancel {
                    try await desk.ask(desk.control.cancel, run: called)
                } else {
                    _ = try await desk.processor().process([try Fixtures.signal("c.d", data: #"{"x":1}"#)])
                }
                let ended = try await desk.goOn(caller)
                #expect(try error(of: ended.steps[0]).code == "run_canceled")
                #expect(try error(of: ended.steps[0]).run == called)
            }
        }
    }

    @Test("an automation that is not active, does not exist, or whose limit holds the run off fails the step at once")
    func refused() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(Self.definition([Self.call()]))
            try await desk.send(#"{"k":1}"#)
            try await deliver(desk)
            #expect(try error(of: try await desk.goOn(try await run(of: "one", desk)).steps[0]).code == "not_active")

            let dedupe = #","dedupe":{"key":"{{ signal.data.x }}","window":"1h"}"#
            try await desk.automate(Self.definition([Self.add], on: "c.d", more: dedupe), key: "two")
            try await desk.send(#"{"k":1}"#)
            try await deliver(desk)
            #expect(try await desk.goOn(try await run(of: "one", desk)).status == .succeeded)
            let first = try await run(of: "two", desk)
            try await desk.send(#"{"k":1}"#)
            try await deliver(desk)
            let again = try error(of: try await desk.goOn(try await run(of: "one", desk)).steps[0])
            #expect(again.code == "deduplicated")
            #expect(again.run == first)

            try await desk.ask(desk.service.deactivate, "two")
            try await desk.send(#"{"k":2}"#)
            try await deliver(desk)
            #expect(try error(of: try await desk.goOn(try await run(of: "one", desk)).steps[0]).code == "not_active")
        }
    }

    @Test("a run that ends after the time of the step changes nothing any more")
    func late() async throws {
        try await AdmissionDesk.with { desk in
            try await automate(desk, Self.call(#","within":"1h""#))
            try await desk.send(#"{"k":5}"#)
            let caller = try await run(of: "one", desk)
            let ended = try await desk.goOn(caller, after: .seconds(3_600))
            #expect(try error(of: ended.steps[0]).code == "timed_out")
            try await deliver(desk)
            #expect(try await desk.runs(of: "two") == ["succeeded"])
            #expect(try await desk.runs() == ["failed"])
            #expect(try await desk.engine.texts("SELECT run_id::text FROM engine.step_waits") == [])
        }
    }

    @Test("a run that goes on after its failure calls once more, and takes no answer of the time before")
    func resumed() async throws {
        try await AdmissionDesk.with { desk in
            try await automate(desk, Self.call(#","within":"1h""#), Self.after)
            try await desk.send(#"{"k":5}"#)
            let caller = try await run(of: "one", desk)
            try await desk.goOn(caller, after: .seconds(3_600))
            let late = try await emitted(desk)
            try await desk.ask(desk.control.resume, run: caller)
            #expect(try await desk.goOn(caller).status == .waiting)
            #expect(try await emitted(desk).count == 2)
            _ = try await desk.processor().process(late)
            #expect(try await desk.goOn(caller).status == .waiting)
            try await deliver(desk)
            #expect(try await desk.goOn(caller).status == .succeeded)
            #expect(try await desk.runs(of: "two") == ["succeeded", "succeeded"])
        }
    }

    @Test("an output that is too long to be handed on fails the caller, and names the run")
    func long() async throws {
        try await AdmissionDesk.with { desk in
            let text = String(repeating: "x", count: RunRecord.maximumOutput - 100)
            try await automate(
                desk,
                Self.call(data: "{}"),
                calling: #"{"name":"add","action_key":"data.transform","input":{"sum":"\#(text)"}}"#
            )
            try await desk.send("{}")
            try await deliver(desk)
            let called = try await run(of: "two", desk)
            #expect(try await desk.runs(of: "two") == ["succeeded"])
            let error = try error(of: try await desk.goOn(try await run(of: "one", desk)).steps[0])
            #expect(error.code == "output_too_large")
            #expect(error.run == called)
        }
    }

    @Test("a run whose signal is stored no more still knows who waits for it")
    func signalGone() async throws {
        try await AdmissionDesk.with { desk in
            try await automate(desk, Self.call(), calling: AdmissionDesk.wait)
            try await desk.send(#"{"k":5}"#)
            let signal = try #require(try await emitted(desk).first)
            try await deliver(desk)
            let called = try #require(UUID(uuidString: try await run(of: "two", desk)))
            let repository = RunRepository(database: desk.engine.database)
            let before = try await repository.load([called], deadline: .now + .seconds(10))[called]?.get()
            #expect(before?.record.caller == signal.caller)
            try await desk.engine.storage.executeAsSuperuser(
                "DELETE FROM engine.signals WHERE signal_id = '\(signal.id)'"
            )
            let after = try await repository.load([called], deadline: .now + .seconds(10))[called]?.get()
            #expect(after?.event == nil)
            #expect(after?.record.caller == signal.caller)
        }
    }

    @Test("a step that does not wait goes on at once, and is told nothing")
    func unawaited() async throws {
        try await AdmissionDesk.with { desk in
            try await automate(desk, Self.call(#","wait":false"#))
            try await desk.send(#"{"k":5}"#)
            #expect(try await desk.runs() == ["succeeded"])
            try await deliver(desk)
            #expect(try await desk.runs(of: "two") == ["succeeded"])
            #expect(try await desk.engine.texts("SELECT run_id::text FROM engine.step_waits") == [])
        }
    }

    @Test("every item calls for itself, and the caller reads what they have output in the order of the items")
    func items() async throws {
        try await AdmissionDesk.with { desk in
            let each = """
                {"name":"call","action_key":"automation.run","for_each":{"items":"{{ signal.data.k }}","concurrency":2},
                 "input":{"automation":"two","data":{"x":"{{ item }}"}}}
                """
            let all = #"{"name":"all","action_key":"data.transform","input":{"all":"{{ steps.call.output }}"}}"#
            try await automate(desk, each, all)
            try await desk.send(#"{"k":[3,1,2]}"#)
            let caller = try await run(of: "one", desk)
            #expect(try await emitted(desk).count == 2)
            try await deliver(desk)
            #expect(try await desk.goOn(caller).status == .waiting)
            try await deliver(desk)
            let ended = try await desk.goOn(caller)
            let outputs = try JSONDocument(parsing: try #require(ended.steps[1].output)).root["all"]
            #expect(outputs?.elements.map { $0["output"]?["sum"]?.int64Value } == [3, 1, 2])
        }
    }

    @Test("ends that come together all arrive, whoever is quicker")
    func together() async throws {
        try await AdmissionDesk.with { desk in
            let each = """
                {"name":"call","action_key":"automation.run","for_each":{"items":"{{ signal.data.k }}","concurrency":50},
                 "input":{"automation":"two","data":{"x":"{{ item }}"}}}
                """
            try await automate(desk, each)
            let items = (0..<20).map(String.init).joined(separator: ",")
            for _ in 0..<2 { try await desk.send(#"{"k":[\#(items)]}"#) }
            let callers = try await desk.ids()
            let signals = try await emitted(desk)
            #expect(signals.count == 40)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for signal in signals { group.addTask { _ = try await desk.processor().process([signal]) } }
                for caller in callers { group.addTask { try await desk.goOn(caller) } }
                try await group.waitForAll()
            }
            #expect(try await desk.due() == ["true", "true"])
            for caller in callers { #expect(try await desk.goOn(caller).status == .succeeded) }
        }
    }

    @Test("automations that call each other come to an end: 16 signals may follow from one")
    func deep() async throws {
        try await AdmissionDesk.with { desk in
            let own = #"{"name":"call","action_key":"automation.run","input":{"automation":"one"}}"#
            try await desk.automate(Self.definition([own]))
            _ = try await desk.processor().process([try Fixtures.signal(depth: 15)])
            try await deliver(desk)
            #expect(try await desk.runs().sorted() == ["failed", "waiting"])
            let outer = try await desk.ids()[0]
            let ended = try await desk.goOn(outer)
            let text = String(decoding: try #require(ended.steps[0].error), as: UTF8.self)
            #expect(text.contains("at most 16 may follow from one"))
        }
    }

    @Test("who has asked for a run has asked for those that it calls, and does not approve them")
    func requester() async throws {
        try await AdmissionDesk.with { desk in
            let ask = #"{"name":"ask","action_key":"flow.approval","input":{"title":"Sure?","people":["ada"]}}"#
            try await automate(desk, Self.call(data: "{}"), calling: ask)
            let aimed = AimedEvent(
                signalID: UUIDv7.make(),
                source: "/batuta/manual",
                target: .key("one"),
                origin: AimedEvent.Origin(
                    type: "manual",
                    actor: AuditActor(type: .admin, id: "ada"),
                    traceparent: nil,
                    time: .now()
                )
            )
            .event(type: "a.b", data: Array(#"{"k":1}"#.utf8))
            let signal = try IncomingSignal(try JSONDocument(parsing: aimed).root, tenant: "acme")
            _ = try await desk.processor().process([signal])
            try await deliver(desk)
            let called = try await run(of: "two", desk)
            let approvals = Approvals(database: desk.engine.database, lanes: desk.engine.lanes, driver: desk.driver)
            let body = #"{"run_id":"\#(called)","step":"ask","decision":"approve","role":"admin"}"#
            let problem = await #expect(throws: Problem.self) {
                _ = try await approvals.decide(try JSONDocument(parsing: body), context: desk.context)
            }
            #expect(problem?.code == .forbidden)
        }
    }

    @Test(
        "inputs that cannot be meant are refused, with their places",
        arguments: [
            (#"{}"#, "automation"), (#"{"automation":"Two"}"#, "automation"), (#"{"automation":7}"#, "automation"),
            (#"{"automation":"two","wait":"no"}"#, "wait"), (#"{"automation":"two","within":"0s"}"#, "within"),
            (#"{"automation":"two","within":"soon"}"#, "within"), (#"{"automation":"two","more":1}"#, "more"),
            (#"{"automation":"two","data":"{{ secret:key }}"}"#, ""),
        ]
    )
    func faults(input: String, member: String) throws {
        let step = #"{"name":"call","action_key":"automation.run","input":\#(input)}"#
        let faults = #expect(throws: Fixtures.UnexpectedFaults.self) { try Fixtures.automation(steps: step) }
        let place = "/steps/0/input" + (member.isEmpty ? "" : "/\(member)")
        #expect(faults?.faults.map(\.pointer.text) == [place])
    }

    @Test("a dry run calls nobody, and says what it would do")
    func dry() throws {
        let automation = try Fixtures.automation(steps: Self.call(), Self.after)
        var signal = try Fixtures.signal(data: #"{"k":5}"#)
        signal.isForDryRun = true
        var machine = RunMachine(automation, signal: signal, runID: UUIDv7.make(), at: TestEngine.now)
        #expect(machine.resumed(at: TestEngine.now) == .end)
        #expect(machine.takeChange().emissions.isEmpty)
        let would = String(decoding: try #require(machine.record.steps[0].simulation), as: UTF8.self)
        #expect(would.contains("Start a run of the automation two, and wait for its end."))
        #expect(machine.record.status == .succeeded)
        #expect(machine.record.steps[1].status == .notSimulated)
    }
}
