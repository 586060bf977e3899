import Domain
import FoundationEssentials
import JSON
import Persistence
import Secrets
import TestSupport
import Testing

@testable import AutomationEngineCore

/// Attempts of `http.request` against a sink; nothing of them needs the database.
@Suite("Attempts of calls", .timeLimit(.minutes(1)))
struct EffectPerformerTests {
    @Test("nothing is sent where the run is not certainly held")
    func notHeld() async throws {
        try await RecordingSink.with { sink in
            let outcome = try await Self.perform(try Self.machine(Self.step(sink.url)), isHeld: false)
            guard case .notMade(let error) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(error.code == "lease_lost")
            #expect(sink.calls.isEmpty)
        }
    }

    @Test("every attempt of a step of a run has the same key, and no other step or run has it")
    func keys() async throws {
        try await RecordingSink.with { _, _ in
            .answer(503)
        } _: { sink in
            var expected: [String] = []
            for _ in 1...2 {
                var machine = try Self.machine(Self.step(sink.url), Self.step(sink.url).replacing("call", with: "more"))
                for attempt in 1...3 {
                    let outcome = try await Self.perform(machine)
                    guard attempt < 3 else { break }
                    _ = machine.attemptEnded(0, outcome, at: TestEngine.now, chance: 0)
                    machine.elapse(machine.nextWait ?? .zero)
                    #expect(machine.resumed(at: TestEngine.now) == .attempts([0]))
                }
                _ = machine.attemptEnded(0, .succeeded(output: Array("1".utf8)), at: TestEngine.now, chance: 0)
                _ = try await Self.perform(machine, position: 1)
                let run = machine.record.id.lowercased
                expected += ["\(run).call", "\(run).call", "\(run).call", "\(run).more"]
            }
            #expect(sink.calls.map { $0.idempotencyKey ?? "none" } == expected)
        }
    }

    /// An answer, and what it says of the attempt.
    enum Meaning: Sendable {
        case success
        case refusal
        case passing
        case doubt
    }

    @Test(
        "a status says whether the effect took place",
        arguments: [
            (200, Meaning.success), (204, .success), (302, .success), (400, .refusal), (401, .refusal), (404, .refusal),
            (409, .refusal), (418, .success), (429, .passing), (500, .doubt), (502, .doubt), (503, .passing),
            (504, .doubt), (599, .success),
        ]
    )
    func statuses(status: Int, meaning: Meaning) async throws {
        try await RecordingSink.with { _, _ in
            .answer(status, headers: ["retry-after": "7"])
        } _: { sink in
            let step = Self.step(sink.url, more: #","expect":[418,599]"#)
            switch (meaning, try await Self.perform(try Self.machine(step))) {
            case (.success, .succeeded(let output)):
                #expect(try JSONValue(parsing: output)["status"]?.int64Value == Int64(status))
            case (.refusal, .failed(let failure)):
                #expect(!failure.isRetryable && failure.error.code == "http_status")
            case (.passing, .failed(let failure)):
                #expect(failure.isRetryable && failure.retryAfter == .seconds(7))
            case (.doubt, .unknown(let error)):
                #expect(error.code == "http_status")
            case (_, let outcome):
                Issue.record("\(status): \(outcome)")
            }
        }
    }

    @Test("without an answer the effect may have taken place, and without a connection it has not")
    func noAnswer() async throws {
        let gate = RecordingSink.Gate()
        let url = try await RecordingSink.with { call, _ in
            call.path == "/drop" ? .drop : .held(gate, 200)
        } _: { sink in
            for (path, code) in [("drop", "connection_lost"), ("late", "timed_out")] {
                let step = Self.step("\(sink.url)/\(path)", outside: #","timeout":"1s""#)
                let outcome = try await Self.perform(try Self.machine(step))
                guard case .unknown(let error) = outcome else {
                    Issue.record("\(path): \(outcome)")
                    continue
                }
                #expect(error.code == code)
            }
            gate.open()
            return sink.url
        }
        // Nobody listens there any more.
        let outcome = try await Self.perform(try Self.machine(Self.step(url)))
        guard case .failed(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.isRetryable && failure.error.code == "connection_failed")
    }

    @Test("what may not be called is not called", arguments: ["127.0.0.2", "0.0.0.0", "[::ffff:127.0.0.1]", "[::1]"])
    func forbidden(host: String) async throws {
        try await RecordingSink.with(on: "::") { call, _ in
            call.path == "/away" ? .answer(302, headers: ["location": call.body]) : .answer(200)
        } _: { sink in
            let target = "http://\(host):\(sink.port)/x"
            let outcome = try await Self.perform(try Self.machine(Self.step(target)))
            guard case .failed(let failure) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(failure.error.code == "address_refused" && !failure.isRetryable)
            #expect(sink.calls.isEmpty)
            // Nor by a detour; whether the first server did something is not known.
            let away = Self.step("\(sink.url)/away", body: target, more: #","follow_redirects":true"#)
            let redirected = try await Self.perform(try Self.machine(away))
            guard case .unknown(let error) = redirected else {
                Issue.record("\(redirected)")
                return
            }
            #expect(error.code == "address_refused")
            #expect(sink.calls.map(\.path) == ["/away"])
        }
    }

    @Test("loopback may be called only where the operator allows it", arguments: ["", "127.0.0.2", "127.0.0.1:1"])
    func notAllowed(list: String) async throws {
        try await RecordingSink.with { sink in
            let outcome = try await Self.perform(try Self.machine(Self.step(sink.url)), allowing: list)
            guard case .failed(let failure) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(failure.error.code == "address_refused")
            #expect(sink.calls.isEmpty)
        }
    }

    // MARK: - What the tests share

    static func step(
        _ url: String,
        body: String = "{{ signal.data.n }}",
        more: String = "",
        outside: String = ""
    ) -> String {
        """
        {"name":"call","action_key":"http.request"\(outside),
         "input":{"method":"POST","url":"\(url)","body":"\(body)"\(more)}}
        """
    }

    static func machine(_ steps: String...) throws -> RunMachine {
        let automation = try Fixtures.automation(
            #"{"trigger":{"signalType":"a.b"},"steps":[\#(steps.joined(separator: ","))]}"#
        )
        var machine = RunMachine(
            automation,
            signal: try Fixtures.signal(data: #"{"n":1}"#),
            runID: UUIDv7.make(),
            at: TestEngine.now
        )
        _ = machine.resumed(at: TestEngine.now)
        return machine
    }

    private static func perform(
        _ machine: RunMachine,
        position: Int = 0,
        isHeld: Bool = true,
        allowing list: String = "127.0.0.1"
    ) async throws -> AttemptOutcome {
        let database = PostgresClient(configuration: PostgresConfiguration(), logger: ServiceDatabase.logger)
        return try await TestEngine.withClient(allowing: list) { client in
            let effects = EffectPerformer(client: client, secrets: SecretStore(database: database, keys: nil))
            return await effects.perform(machine, position) { isHeld }
        }
    }
}
