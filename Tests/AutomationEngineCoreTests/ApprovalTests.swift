import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AutomationEngineCore

@Suite("Approvals", .requiresServers, .timeLimit(.minutes(2)))
struct ApprovalTests {
    private static let step =
        #"{"name":"ask","action_key":"flow.approval","input":{"title":"Release it?","roles":["operator"],"people":["vera"]}}"#
    private static let after =
        #"{"name":"after","action_key":"data.transform","input":{"by":"{{ steps.ask.output.by }}"}}"#

    /// Engines, and what decides in them.
    private struct Desk {
        let engine: TestEngine
        let approvals: Approvals

        static func with(_ body: (Desk) async throws -> Void) async throws {
            try await TestEngine.with { engine in
                try await TestEngine.withClient { client in
                    let driver = engine.driver(client, committer: engine.committer())
                    try await body(
                        Desk(
                            engine: engine,
                            approvals: Approvals(database: engine.database, lanes: engine.lanes, driver: driver)
                        )
                    )
                }
            }
        }

        func decide(
            _ run: UUID,
            _ decision: String = "approve",
            by person: String = "olga",
            _ role: String = "operator",
            step: String = "ask",
            tenant: String = "acme",
            more: String = ""
        ) async throws -> ProblemCode? {
            let body = try JSONDocument(
                parsing: """
                    {"run_id":"\(run.lowercased)","step":"\(step)","decision":"\(decision)","role":"\(role)"\(more)}
                    """
            )
            do {
                let actor = AuditActor(type: .user, id: person)
                _ = try await approvals.decide(
                    body,
                    context: RequestContext(tenant: tenant, actor: actor, requestID: "r1")
                )
                return nil
            } catch let problem as Problem {
                return problem.code
            }
        }

        /// The run as another engine would go on with it.
        func goOn(_ automation: CompiledAutomation, _ run: UUID) async throws -> (RunMachine, RunMachine.Next) {
            let repository = RunRepository(database: engine.database)
            let loaded = try #require(try await repository.load([run], deadline: .now + .seconds(10))[run]?.get())
            var machine = RunMachine(automation, signal: try loaded.signal(), stored: loaded.record)
            let next = machine.resumed(at: TestEngine.now)
            return (machine, next)
        }

        func open() async throws -> [String] {
            try await engine.texts("SELECT coalesce(outcome, 'open') FROM engine.step_waits")
        }
    }

    @Test("a run waits for an approval, and goes on when somebody who may has given it")
    func approved() async throws {
        let automation = try Fixtures.automation(steps: Self.step, Self.after)
        try await Desk.with { desk in
            let (machine, next) = try await desk.engine.begin(automation)
            #expect(next == .wait(.seconds(7 * 86_400)))
            #expect(machine.record.status == .waiting)
            #expect(try await desk.open() == ["open"])
            let run = machine.record.id
            #expect(try await desk.goOn(automation, run).1 != .end)
            #expect(try await desk.decide(run, more: #","comment":"Fine""#) == nil)
            #expect(
                try await desk.engine.texts("SELECT (due_at <= clock_timestamp())::text FROM engine.timers") == ["true"]
            )
            let (ended, end) = try await desk.goOn(automation, run)
            #expect(end == .end)
            #expect(ended.record.status == .succeeded)
            #expect(ended.record.steps[1].output == Array(#"{"by":"olga"}"#.utf8))
            #expect(ended.change.closed == [0])
            // Once and for all.
            #expect(try await desk.decide(run, "reject") == .wrongState)
            #expect(
                try await desk.engine.texts(
                    "SELECT string_agg(nullif(l, '')::jsonb ->> 'action', ',') FROM engine.outbox, regexp_split_to_table(convert_from(body, 'UTF8'), E'\\n') l WHERE destination = 'audit' AND l LIKE '%run.%'"
                ) == ["run.approve"]
            )
        }
    }

    @Test(
        "who may decide: a role or a name that is stated, never who has started the run, never another tenant",
        arguments: [
            ("olga", "operator", "acme", nil), ("vera", "viewer", "acme", nil), ("nina", "viewer", "acme", .forbidden),
            ("nina", "admin", "acme", .forbidden), ("olga", "operator", "other", .notFound),
        ] as [(String, String, String, ProblemCode?)]
    )
    func authority(person: String, role: String, tenant: String, refusal: ProblemCode?) async throws {
        let automation = try Fixtures.automation(steps: Self.step)
        try await Desk.with { desk in
            let (machine, _) = try await desk.engine.begin(automation)
            #expect(try await desk.decide(machine.record.id, by: person, role, tenant: tenant) == refusal)
            #expect(try await desk.open().contains("open") == (refusal != nil))
        }
    }

    @Test("whoever has posted the signal, or the one before it, does not approve what follows")
    func selfApprovalBySignal() async throws {
        let automation = try Fixtures.automation(steps: Self.step)
        let emitting = try Fixtures.automation(
            steps: #"{"name":"tell","action_key":"signal.emit","input":{"type":"a.b"}}"#
        )
        let posted = try Fixtures.signal(requester: "olga")
        var machine = RunMachine(emitting, signal: posted, runID: UUIDv7.make(), at: TestEngine.now)
        #expect(machine.resumed(at: TestEngine.now) == .end)
        let emission = try #require(machine.change.emissions.first)
        let emitted = try IncomingSignal(try JSONDocument(parsing: emission.event).root, tenant: "acme")
        for signal in [posted, emitted] {
            try await Desk.with { desk in
                let (machine, _) = try await desk.engine.begin(automation, signal: signal)
                #expect(try await desk.decide(machine.record.id, "approve") == .forbidden)
                #expect(try await desk.decide(machine.record.id, "approve", by: "otto") == nil)
            }
        }
    }

    @Test(
        "A9: whoever has started a run by hand does not approve it, nor reject it, unless that is allowed",
        arguments: [true, false]
    )
    func selfApproval(isAllowed: Bool) async throws {
        let step = isAllowed ? Self.step.replacing("}}", with: #","allow_requester":true}}"#) : Self.step
        let automation = try Fixtures.automation(steps: step)
        for decision in ["approve", "reject"] {
            try await Desk.with { desk in
                let event = AimedEvent(
                    signalID: UUIDv7.make(),
                    source: "/batuta/manual",
                    target: .id(automation.id),
                    origin: AimedEvent.Origin(
                        type: "manual",
                        actor: AuditActor(type: .user, id: "olga"),
                        traceparent: nil,
                        time: .now()
                    )
                )
                .event(type: "a.b", data: Array("{}".utf8))
                let signal = try IncomingSignal(try JSONDocument(parsing: event).root, tenant: "acme")
                let (machine, _) = try await desk.engine.begin(automation, signal: signal)
                #expect(try await desk.decide(machine.record.id, decision) == (isAllowed ? nil : .forbidden))
                #expect(
                    try await desk.decide(machine.record.id, decision, by: "otto") == (isAllowed ? .wrongState : nil)
                )
            }
        }
    }

    @Test("a rejection is a failure of the step, so that its branch can say so")
    func rejected() async throws {
        let automation = try Fixtures.automation(
            """
            {"trigger":{"signalType":"a.b"},"steps":[\(Self.step.dropLast()),"on_error":{"branch":"tell"}},\(Self.after)],
             "branches":{"tell":{"steps":[{"name":"tell","action_key":"data.transform",
              "input":{"why":"{{ steps.ask.error.detail }}"}}]}}}
            """
        )
        try await Desk.with { desk in
            let (machine, _) = try await desk.engine.begin(automation)
            #expect(try await desk.decide(machine.record.id, "reject", more: #","comment":"Not today""#) == nil)
            let (ended, _) = try await desk.goOn(automation, machine.record.id)
            #expect(ended.record.status == .failed)
            #expect(ended.record.steps.map(\.status) == [.failed, .skipped, .succeeded])
            #expect(ended.record.steps[2].output == Array(#"{"why":"olga has rejected it: Not today."}"#.utf8))
        }
    }

    @Test(
        "when nobody has decided in time the step fails, or is approved where that is stated",
        arguments: ["fail", "approve"]
    )
    func timeLimit(outcome: String) async throws {
        let step = Self.step.replacing("}}", with: #","within":"1h","on_timeout":"\#(outcome)"}}"#)
        let automation = try Fixtures.automation(steps: step)
        try await Desk.with { desk in
            let (machine, next) = try await desk.engine.begin(automation)
            #expect(next == .wait(.seconds(3_600)))
            try await desk.engine.storage.executeAsSuperuser(
                "UPDATE engine.automation_run_steps SET due_at = now() - interval '1 second'"
            )
            #expect(try await desk.decide(machine.record.id) == .wrongState)
            let (ended, _) = try await desk.goOn(automation, machine.record.id)
            #expect(ended.record.status == (outcome == "fail" ? .failed : .succeeded))
        }
    }

    @Test(
        "a decision at the last moment holds: that the time is over is not stored then",
        arguments: ["fail", "approve"]
    )
    func lastMoment(outcome: String) async throws {
        let step = Self.step.replacing("}}", with: #","within":"1h","on_timeout":"\#(outcome)"}}"#)
        let automation = try Fixtures.automation(steps: step)
        try await Desk.with { desk in
            let run = try await desk.engine.begin(automation).0.record.id
            try await desk.engine.storage.executeAsSuperuser(
                "UPDATE engine.automation_runs SET status = 'running', owner = '\(desk.engine.instance.lowercased)'"
            )
            let repository = RunRepository(database: desk.engine.database)
            let loaded = try #require(try await repository.load([run], deadline: .now + .seconds(10))[run]?.get())
            var late = RunMachine(automation, signal: try loaded.signal(), stored: loaded.record)
            late.elapse(.seconds(3_600))
            #expect(late.resumed(at: TestEngine.now) == .end)
            #expect(try await desk.decide(run, "reject") == nil)
            let committer = desk.engine.committer()
            let update = RunUpdate(record: late.record, change: late.takeChange())
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await committer.run() }
                let isHeld = try await committer.commit(update)
                #expect(!isHeld)
                group.cancelAll()
            }
            let (ended, _) = try await desk.goOn(automation, run)
            #expect(ended.record.status == .failed)
            let error = try JSONValue(parsing: #require(ended.record.steps[0].error))
            #expect(error["code"]?.stringValue == "rejected")
        }
    }

    @Test(
        "the form is held against its schema",
        arguments: [
            (#","form":{"amount":5}"#, nil), (#","form":{"amount":-1}"#, .invalidContent), ("", .invalidContent),
        ] as [(String, ProblemCode?)]
    )
    func form(given: String, refusal: ProblemCode?) async throws {
        let schema = #"{"type":"object","properties":{"amount":{"type":"integer","minimum":0}},"required":["amount"]}"#
        let automation = try Fixtures.automation(steps: Self.step.replacing("}}", with: #","form":\#(schema)}}"#))
        try await Desk.with { desk in
            let (machine, _) = try await desk.engine.begin(automation)
            #expect(try await desk.decide(machine.record.id, more: given) == refusal)
        }
    }

    @Test(
        "a comment never reaches the audit log, nor does a form whose schema says that something in it is personal",
        arguments: [
            (#"{"type":"object","properties":{"who":{"type":"string"}}}"#, [#""ask ada""#]),
            (
                ##"{"type":"object","properties":{"who":{"$ref":"#/$defs/n"}},"$defs":{"n":{"x-personal":true}}}"##,
                [#""ask ada""#, #"{"who":"ada lovelace"}"#]
            ),
            (#"{"x-personal":false,"properties":{"x-personal":true}}"#, [#""ask ada""#]),
        ]
    )
    func personal(schema: String, kept: [String]) async throws {
        let automation = try Fixtures.automation(steps: Self.step.replacing("}}", with: #","form":\#(schema)}}"#))
        try await Desk.with { desk in
            let (machine, _) = try await desk.engine.begin(automation)
            let more = #","form":{"who":"ada lovelace"},"comment":"ask ada""#
            #expect(try await desk.decide(machine.record.id, more: more) == nil)
            let entries = try await desk.engine.texts(
                "SELECT convert_from(body, 'UTF8') FROM engine.outbox WHERE destination = 'audit'"
            ).joined().split(separator: "\n").filter { $0.contains(#""run.approve""#) }
            let entry = try JSONDocument(parsing: Array(try #require(entries.first).utf8)).root
            let decision = try #require(entry["after"]?["decision"])
            #expect(KeptReference.all(in: decision).count == kept.count)
            #expect(decision["comment"].flatMap(KeptReference.hash) != nil)
            #expect(!entries.joined().contains("ask ada"))
            #expect(entries.joined().contains("lovelace") == (kept.count == 1))
            let commands = try await desk.engine.texts(
                "SELECT convert_from(body, 'UTF8') FROM engine.outbox WHERE message_type = 'batuta.audit.keep' ORDER BY 1"
            ).map { try AuditKeepV1(decoding: Array($0.utf8)).kept }
            #expect(Set(commands.map { String(decoding: $0.body, as: UTF8.self) }) == Set(kept))
            #expect(Set(commands.map(\.hash)) == Set(KeptReference.all(in: decision).map(\.hash)))
        }
    }

    @Test("A9: an approval that is skipped parks nothing, and one beside other steps holds the run")
    func paths() async throws {
        let skipped = try Fixtures.automation(
            steps: Self.step.dropLast() + #","when":{"signal":{"data":{"big":[true]}}}}"#
        )
        let beside = try Fixtures.automation(
            steps: Self.step,
            #"{"name":"other","action_key":"data.transform","needs":[]}"#,
            #"{"name":"both","action_key":"data.transform","needs":["ask","other"]}"#
        )
        try await Desk.with { desk in
            #expect(try await desk.engine.begin(skipped).1 == .end)
            #expect(try await desk.open().isEmpty)
            let (machine, _) = try await desk.engine.begin(beside)
            #expect(machine.record.steps.map(\.status) == [.waiting, .succeeded, .queued])
            #expect(try await desk.decide(machine.record.id, step: "other") == .notFound)
            #expect(try await desk.decide(machine.record.id) == nil)
            #expect(try await desk.goOn(beside, machine.record.id).1 == .end)
        }
    }

    @Test("what is not decided is listed, with who may decide and until when")
    func list() async throws {
        let automation = try Fixtures.automation(steps: Self.step)
        try await Desk.with { desk in
            var runs: [String] = []
            for _ in 1...3 { runs.append(try await desk.engine.begin(automation).0.record.id.lowercased) }
            let context = RequestContext(
                tenant: "acme",
                actor: AuditActor(type: .user, id: "olga"),
                requestID: "r1"
            )
            var seen: [String] = []
            var cursor: String? = nil
            repeat {
                let more = cursor.map { #","cursor":"\#($0)""# } ?? ""
                let reply = try await desk.approvals.list(
                    try JSONDocument(parsing: #"{"limit":2\#(more)}"#),
                    context: context
                )
                let root = try JSONDocument(parsing: reply.body).root
                for item in root["items"]?.elements.map({ $0 }) ?? [] {
                    seen.append(item["run_id"]?.stringValue ?? "")
                    #expect(item["title"]?.stringValue == "Release it?")
                    #expect(item["until"]?.stringValue != nil)
                }
                cursor = root["next"]?.stringValue
            } while cursor != nil
            #expect(seen == runs.sorted())
            let other = try await desk.approvals.list(
                try JSONDocument(parsing: "{}"),
                context: RequestContext(tenant: "other", actor: context.actor, requestID: "r2")
            )
            #expect(try JSONDocument(parsing: other.body).root["items"]?.count == 0)
        }
    }

    @Test(
        "an approval is stated strictly",
        arguments: [
            ("{}", "title", "required"), (#"{"title":""}"#, "title", "invalid_value"),
            (#"{"title":"x","roles":["sender"]}"#, "roles", "invalid_value"),
            (#"{"title":"x","people":[""]}"#, "people", "invalid_value"),
            (#"{"title":"x","within":"1 h"}"#, "within", "invalid_duration"),
            (#"{"title":"x","within":"0s"}"#, "within", "invalid_duration"),
            (#"{"title":"x","on_timeout":"go"}"#, "on_timeout", "invalid_value"),
            (#"{"title":"x","form":{"type":"thing"}}"#, "form", "invalid_schema"),
        ]
    )
    func faults(input: String, member: String, code: String) throws {
        let faults = Approval.faults(of: try JSONDocument(parsing: input).root)
        #expect(faults.map(\.member) == [member] && faults.map(\.code) == [code], "\(faults)")
    }
}
