import Contracts
import Domain
import FoundationEssentials
import JSON
import Secrets
import TestSupport
import Testing

@testable import AutomationEngineCore

/// Definitions and attempts of actions that are called over the broker, without one.
@Suite("Calls over the broker", .requiresServers, .timeLimit(.minutes(2)))
struct BrokerCallTests {
    private static let step = #"{"name":"level","action_key":"student.level","timeout":"30d","input":{"id":7}}"#
    private static let secret = #"{"name":"level","action_key":"student.level","input":{"id":"{{ secret:pin }}"}}"#

    @Test("an attempt may take long over the broker alone, and what has begun goes on when that is different")
    func timeouts() async throws {
        try await TestEngine.with { engine in
            let desk = RemoteActionDesk(engine)
            try await desk.put("student.level", RemoteActionDesk.body("https://x.org/"))
            let refused = try await desk.problem { try await desk.create("one", Self.step) }
            #expect(refused?.errors.map(\.pointer) == ["/definition/steps/0/timeout"])
            try await desk.put("student.level", AnswerDesk.body(), ifMatch: "*")
            try await desk.create("one", Self.step)
            let long = Self.step.replacing("30d", with: "367d")
            #expect(try await desk.problem { try await desk.create("two", long) }?.errors.count == 1)
            try await desk.activate("one")
            #expect(try await desk.awake().first?.steps[0].timeout == .seconds(30 * 86_400))
            try await desk.put("student.level", RemoteActionDesk.body("https://x.org/"), ifMatch: "*")
            #expect(try await desk.awake().first?.steps[0].timeout == .seconds(30 * 86_400))
        }
    }

    @Test("no secret is sent over the broker: definitions that would are refused, and so are attempts")
    func secrets() async throws {
        try await TestEngine.with { engine in
            let desk = RemoteActionDesk(engine)
            let keys = try SecretKeyRing(keyFile: try SecretKeyRing.generate(id: "test"))
            try await desk.seal("pin", "1234", with: keys)
            try await desk.put("student.level", RemoteActionDesk.body("https://x.org/"))
            try await desk.create("one", Self.secret)
            try await desk.activate("one")
            let automation = try #require(try await desk.awake().first)
            let change = try await desk.problem { try await desk.put("student.level", AnswerDesk.body(), ifMatch: "*") }
            #expect(change?.code == .wrongState && change?.errors.count == 1)
            try await desk.put("student.level", AnswerDesk.body(), ifMatch: "*", force: true)
            #expect(try await desk.status("one").hasPrefix("broken"))
            let refused = try await desk.problem { try await desk.create("two", Self.secret) }
            #expect(refused?.errors.map(\.code) == ["secret_not_allowed"])
            #expect(refused?.errors.map(\.pointer) == ["/definition/steps/0/input"])

            let (machine, _) = try await engine.begin(automation)
            let outcome = try await perform(machine, engine, keys)
            #expect(outcome.error?.code == "secret_not_allowed" && outcome.name == "failed")
        }
    }

    @Test("without the broker nothing is sent and another attempt follows; a dry run sends nothing at all")
    func away() async throws {
        try await AnswerDesk.with(#"{"name":"level","action_key":"student.level","input":{"id":7}}"#) { desk in
            let machine = try await desk.begin()
            let outcome = try await perform(machine, desk.engine, nil)
            guard case .failed(let failure) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(failure.error.code == "broker_unavailable" && failure.isRetryable)
            var signal = try Fixtures.signal()
            signal.isForDryRun = true
            var dry = RunMachine(desk.automation, signal: signal, runID: UUIDv7.make(), at: TestEngine.now)
            #expect(dry.resumed(at: TestEngine.now) == .end)
            #expect(dry.record.steps[0].status == .notSimulated)
        }
    }

    private func perform(
        _ machine: RunMachine,
        _ engine: TestEngine,
        _ keys: SecretKeyRing?
    ) async throws -> AttemptOutcome {
        try await TestEngine.withClient { client in
            let store = SecretStore(database: engine.database, keys: keys)
            return await EffectPerformer(client: client, secrets: store).perform(machine, 0) { true }
        }
    }
}
