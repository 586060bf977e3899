import Domain
import JSON
import Messaging
import OutboundHTTP
import Persistence
import Secrets
import TestSupport
import Testing

@testable import AutomationEngineCore

/// Attempts of registered actions against a sink, and what a dry run does in their place.
@Suite("Calls of registered actions", .requiresServers, .timeLimit(.minutes(2)))
struct RemoteCallTests {
    private static let signing = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    private static let steps =
        #"{"name":"level","action_key":"student.level","input":{"id":"{{ signal.data.n }}","by":"{{ signal.type }}"}}"#

    /// A desk, and a performer that opens the tenant's secrets.
    private struct Site {
        let desk: RemoteActionDesk
        let keys: SecretKeyRing
        let client: OutboundClient

        static func with(_ body: (Site) async throws -> Void) async throws {
            try await TestEngine.with { engine in
                try await TestEngine.withClient { client in
                    let keys = try SecretKeyRing(keyFile: try SecretKeyRing.generate(id: "test"))
                    try await body(Site(desk: RemoteActionDesk(engine), keys: keys, client: client))
                }
            }
        }

        /// A run of an active automation with these steps, at its first attempt.
        func begin(_ steps: String..., isDry: Bool = false) async throws -> RunMachine {
            try await desk.create("one", "\(steps.joined(separator: ","))")
            try await desk.activate("one")
            let automation = try #require(try await desk.awake().first)
            var signal = try Fixtures.signal(data: #"{"n":1}"#)
            signal.isForDryRun = isDry
            var machine = RunMachine(automation, signal: signal, runID: UUIDv7.make(), at: TestEngine.now)
            _ = machine.resumed(at: TestEngine.now)
            return machine
        }

        func perform(_ machine: RunMachine, _ position: Int = 0, isHeld: Bool = true) async -> AttemptOutcome {
            let store = SecretStore(database: desk.engine.database, keys: keys)
            return await EffectPerformer(client: client, secrets: store).perform(machine, position) { isHeld }
        }
    }

    private func code(_ outcome: AttemptOutcome) -> String {
        switch outcome {
        case .succeeded: "succeeded"
        case .failed(let failure): "failed \(failure.error.code)\(failure.isRetryable ? " again" : "")"
        case .unknown(let error): "unknown \(error.code)"
        case .notMade(let error): "not made \(error.code)"
        case .sent: "sent"
        }
    }

    @Test("a call says which attempt it is, is signed, has the credentials, and its answer is the output")
    func call() async throws {
        try await RecordingSink.with { _, earlier in
            earlier == 0 ? .answer(503) : .answer(201, body: #" {"level":4} "#)
        } _: { sink in
            try await Site.with { site in
                try await site.desk.seal("sign", Self.signing, with: site.keys)
                try await site.desk.seal("token", "canary-1", with: site.keys)
                let http = #","secret":"sign","authorization":"Bearer {{ secret:token }}","headers":{"X-Note":"n"}"#
                try await site.desk.put("student.level", RemoteActionDesk.body("\(sink.url)/level?a=1", http: http))
                var machine = try await site.begin(Self.steps)
                let run = machine.record.id.lowercased
                let first = await site.perform(machine)
                #expect(code(first) == "failed http_status again")
                _ = machine.attemptEnded(0, first, at: TestEngine.now, chance: 0)
                machine.elapse(.seconds(60))
                #expect(machine.resumed(at: TestEngine.now) == .attempts([0]))
                #expect(await site.perform(machine) == .succeeded(output: Array(#"{"level":4}"#.utf8)))

                #expect(sink.calls.map(\.method) == ["POST", "POST"])
                #expect(Set(sink.calls.map(\.path)) == ["/level?a=1"])
                #expect(sink.calls.map(\.idempotencyKey) == ["\(run).level", "\(run).level"])
                #expect(Set(sink.calls.map(\.authorization)) == ["Bearer canary-1"])
                #expect(
                    sink.calls.map(\.body)
                        == (1...2).map { attempt in
                            #"{"action":"student.level","input":{"id":1,"by":"a.b"},"run_id":"\#(run)","step":"level","#
                                + #""attempt":\#(attempt),"dry_run":false}"#
                        }
                )
                for call in sink.calls {
                    #expect(call.headers["content-type"] == "application/json" && call.headers["x-note"] == "n")
                    let time = try #require(call.headers["webhook-timestamp"].flatMap { Int64($0) })
                    let verdict = try StandardWebhooksVerifier(keys: [Secret(Self.signing)]).verify(
                        id: [try #require(call.headers["webhook-id"])],
                        timestamp: [String(time)],
                        signature: [try #require(call.headers["webhook-signature"])],
                        body: Array(call.body.utf8)[...],
                        now: time
                    )
                    #expect(verdict == .valid)
                }
            }
        }
    }

    @Test(
        "an answer says what is known of the effect",
        arguments: [
            (200, #"{"level":1}"#, "succeeded"), (200, #"{"level":"1"}"#, "failed invalid_output"),
            (200, "{}", "failed invalid_output"), (200, "level 1", "failed invalid_output"),
            (204, "", "failed invalid_output"), (302, "", "failed http_status"), (404, "{}", "failed http_status"),
            (429, "{}", "failed http_status again"), (503, "{}", "failed http_status again"),
            (500, #"{"level":1}"#, "unknown http_status"),
        ]
    )
    func outcomes(status: Int, body: String, expected: String) async throws {
        try await RecordingSink.with { _, _ in
            .answer(status, body: body)
        } _: { sink in
            try await Site.with { site in
                let schema = #"{"type":"object","required":["level"],"properties":{"level":{"type":"integer"}}}"#
                try await site.desk.put("student.level", RemoteActionDesk.body(sink.url, output: schema))
                #expect(code(await site.perform(try await site.begin(Self.steps))) == expected)
                #expect(sink.calls.count == 1)
            }
        }
    }

    @Test("an attempt of unknown outcome is repeated where the action is declared idempotent, else it is parked")
    func repeats() async throws {
        try await RecordingSink.with { _, _ in
            .drop
        } _: { sink in
            for isIdempotent in [true, false] {
                try await Site.with { site in
                    let more = #","idempotent":\#(isIdempotent)"#
                    try await site.desk.put("student.level", RemoteActionDesk.body(sink.url, more: more))
                    var machine = try await site.begin(Self.steps)
                    let outcome = await site.perform(machine)
                    #expect(code(outcome) == "unknown connection_lost")
                    let next = machine.attemptEnded(0, outcome, at: TestEngine.now, chance: 0)
                    if isIdempotent {
                        #expect(next == .wait(.seconds(1)))
                    } else {
                        #expect(next == .park)
                    }
                }
            }
        }
    }

    @Test("nothing is sent that the action as it is registered now does not take, or that is not registered any more")
    func now() async throws {
        try await RecordingSink.with { sink in
            try await Site.with { site in
                let desk = site.desk
                try await desk.put("student.level", RemoteActionDesk.body("\(sink.url)/old"))
                let machine = try await site.begin(Self.steps)
                // The run has begun, and goes where the action is now.
                try await desk.put("student.level", RemoteActionDesk.body("\(sink.url)/new"), ifMatch: "*")
                #expect(code(await site.perform(machine, isHeld: false)) == "not made lease_lost")
                #expect(sink.calls.isEmpty)
                #expect(code(await site.perform(machine)) == "succeeded")
                let strict = #"{"properties":{"id":{"type":"string"}}}"#
                try await desk.put("student.level", RemoteActionDesk.body(sink.url, input: strict), ifMatch: "*")
                #expect(code(await site.perform(machine)) == "failed invalid_input")
                try await desk.withdraw("student.level", force: true)
                #expect(code(await site.perform(machine)) == "failed action_withdrawn")
                #expect(sink.calls.map(\.path) == ["/new"])

                // Whoever takes the run up from the database finds it the same way.
                let versions = AutomationVersions(database: desk.engine.database, registry: .builtIn)
                var record = machine.record
                record.automationID = machine.automation.id
                record.automationVersion = 1
                let compiled = try await versions.version(of: record, deadline: .now + .seconds(20))
                #expect(compiled.steps[0].action.declaration == nil && compiled.steps[0].action.hasEffect)
                try await desk.put("student.level", RemoteActionDesk.body(sink.url, more: #","timeout":"9s""#))
                let again = try await versions.version(of: record, deadline: .now + .seconds(20))
                #expect(again.steps[0].timeout == .seconds(9))
            }
        }
    }

    @Test("each item of a step is a call of its own")
    func items() async throws {
        try await RecordingSink.with { sink in
            try await Site.with { site in
                try await site.desk.put("student.level", RemoteActionDesk.body(sink.url))
                let machine = try await site.begin(
                    #"{"name":"level","action_key":"student.level","for_each":{"items":[7,8],"concurrency":2},"input":{"id":"{{ item }}"}}"#
                )
                for position in 1...2 {
                    #expect(code(await site.perform(machine, position)) == "succeeded")
                }
                let run = machine.record.id.lowercased
                #expect(sink.calls.map(\.idempotencyKey) == ["\(run).level.0", "\(run).level.1"])
                #expect(sink.calls.map { $0.headers["webhook-id"] } == ["\(run)_level:0", "\(run)_level:1"])
                let bodies = try sink.calls.map { try JSONValue(parsing: Array($0.body.utf8)) }
                #expect(bodies.map { $0["input"]?["id"]?.int64Value } == [7, 8])
                #expect(bodies.map { $0["step"]?.stringValue } == ["level.0", "level.1"])
            }
        }
    }

    @Test("what may not be called is not called")
    func forbidden() async throws {
        try await RecordingSink.with(on: "::") { _, _ in
            .answer(200)
        } _: { sink in
            try await Site.with { site in
                try await site.desk.put("student.level", RemoteActionDesk.body("http://127.0.0.2:\(sink.port)/"))
                #expect(code(await site.perform(try await site.begin(Self.steps))) == "failed address_refused")
                #expect(sink.calls.isEmpty)
            }
        }
    }

    @Test("a secret that the answer repeats stands in no output and no error", arguments: [200, 404, 500])
    func masked(status: Int) async throws {
        try await RecordingSink.with { call, _ in
            .answer(status, body: #"{"echo":"\#(call.authorization ?? "")","canary-2":\#(call.body)}"#)
        } _: { sink in
            try await Site.with { site in
                try await site.desk.seal("token", "canary-2", with: site.keys)
                let output =
                    #"{"additionalProperties":{"type":\#(status == 200 ? #"["string","object"]"# : #""null""#)}}"#
                let http = #","authorization":"Bearer {{ secret:token }}""#
                try await site.desk.put("student.level", RemoteActionDesk.body(sink.url, output: output, http: http))
                let outcome = await site.perform(try await site.begin(Self.steps))
                #expect(sink.calls.map(\.authorization) == ["Bearer canary-2"])
                if case .succeeded(let output) = outcome {
                    #expect(String(decoding: output, as: UTF8.self).contains("Bearer <secret>"))
                }
                #expect(!"\(outcome)".contains("canary-2"))
                #expect(outcome.error.map { !String(decoding: $0.bytes, as: UTF8.self).contains("canary-2") } ?? true)
            }
        }
    }

    @Test("Mode dry_run: gives the sample, or says that nothing can be simulated and goes on, and calls nobody")
    func dryRun() async throws {
        try await RecordingSink.with { sink in
            try await Site.with { site in
                let level =
                    #"{"type":"object","required":["level"],"properties":{"level":{"type":"integer","minimum":2}}}"#
                for (key, more) in [
                    ("drawn.one", #","simulation":"sample""#), ("given.one", #","simulation":{"sample":{"level":9}}"#),
                    ("silent.one", ""),
                ] {
                    let input = #"{"properties":{"id":{"type":"integer"}}}"#
                    try await site.desk.put(
                        key,
                        RemoteActionDesk.body(sink.url, input: input, output: level, more: more)
                    )
                }
                let machine = try await site.begin(
                    #"{"name":"drawn","action_key":"drawn.one","input":{"id":"{{ signal.data.n }}"}}"#,
                    #"{"name":"given","action_key":"given.one"}"#,
                    #"{"name":"read","action_key":"data.transform","input":{"sum":"{{ steps.drawn.output.level }}{{ steps.given.output.level }}"}}"#,
                    #"{"name":"silent","action_key":"silent.one"}"#,
                    #"{"name":"after","action_key":"data.transform","input":{"of":"{{ steps.silent.output.level }}"}}"#,
                    #"{"name":"wrong","action_key":"silent.one","input":{"id":"{{ signal.type }}"}}"#,
                    isDry: true
                )
                #expect(
                    machine.record.steps.map(\.status) == [
                        .succeeded, .succeeded, .succeeded, .notSimulated, .notSimulated, .failed,
                    ]
                )
                #expect(machine.record.steps[2].output == Array(#"{"sum":"29"}"#.utf8))
                let would = try machine.record.steps.map { step in
                    try step.simulation.map { try JSONValue(parsing: $0)["would"]?.stringValue ?? "" }
                }
                #expect(would[0] == "Call drawn.one at \(sink.url)/." && would[3] == "Call silent.one at \(sink.url)/.")
                let error = try JSONValue(parsing: #require(machine.record.steps[5].error))
                #expect(error["detail"]?.stringValue == "/id: The value must be an integer.")
                #expect(sink.calls.isEmpty)
            }
        }
    }
}
