import Foundation
import JSON
import NIOHTTP1
import Persistence
import TestSupport
import Testing

/// Engines that die while runs wait for people and signals, while somebody decides, and while a secret is rotated.
@Suite(
    .serialized,
    .requiresServers,
    .installation("waits", [.gateway: 1, .engine: 2, .auditWriter: 1]),
    .timeLimit(.minutes(10))
)
struct WaitFaultTests {
    private let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    @Test("while parked: every engine dies, and each run goes on once when what it waits for has come")
    func enginesDieWhileRunsAreParked() async throws {
        try await RecordingSink.with { _, _ in
            .answer(200)
        } _: { sink in
            let key = try await automate(
                """
                {"name":"ask","action_key":"flow.approval","input":{"title":"Release it?","allow_requester":true}},
                {"name":"paid","action_key":"flow.wait_for_signal","needs":[],
                 "input":{"type":"\(Self.paid)","match":{"/data/n":"{{ signal.data.n }}"}}},
                {"name":"call","action_key":"http.request","needs":["ask","paid"],
                 "input":{"method":"POST","url":"\(sink.url)/x"}}
                """
            )
            let count = 4
            for n in 0..<count { try await post(key, #"{"n":\#(n)}"#) }
            try await waitFor(key, "waiting", count)
            for engine in installation.replicas(of: .engine) { try await engine.kill() }
            try await installation.restartEnded()
            for n in 0..<count { try await post(Self.paid, #"{"n":\#(n)}"#) }
            for run in try await runs(key) {
                let answer = try await decide(run)
                #expect(answer.status == 200, "\(answer.text)")
            }
            try await waitFor(key, "succeeded", count)
            #expect(sink.calls.count == count)
            #expect(Set(sink.calls.map(\.idempotencyKey)).count == count)
            #expect(try await installation.count("SELECT count(*) FROM engine.step_waits") == 0)
        }
    }

    @Test("while parked: engines die while runs wait for those that they call, and each caller goes on once")
    func enginesDieWhileRunsAreWaitedFor() async throws {
        try await RecordingSink.with { _, _ in
            .answer(200)
        } _: { sink in
            let called = try await automate(
                """
                {"name":"paid","action_key":"flow.wait_for_signal",
                 "input":{"type":"\(Self.paid)","match":{"/data/n":"{{ signal.data.n }}"}}},
                {"name":"call","action_key":"http.request","input":{"method":"PUT","url":"\(sink.url)/called"}}
                """
            )
            let key = try await automate(
                """
                {"name":"run","action_key":"automation.run",
                 "input":{"automation":"\(called)","data":{"n":"{{ signal.data.n }}"}}},
                {"name":"call","action_key":"http.request",
                 "input":{"method":"PUT","url":"\(sink.url)/{{ steps.run.output.output.status }}"}}
                """
            )
            let count = 3
            for n in 0..<count { try await post(key, #"{"n":\#(n + 100)}"#) }
            try await waitFor(called, "waiting", count)
            for engine in installation.replicas(of: .engine) { try await engine.kill() }
            try await installation.restartEnded()
            // The one that ends the runs dies before it has told anybody.
            let engine = try await onlyEngine(crashingAt: "after_effect_before_record:2")
            for n in 0..<count { try await post(Self.paid, #"{"n":\#(n + 100)}"#) }
            try await engine.waitForCrash()
            try await installation.restartEnded()
            try await waitFor(called, "succeeded", count)
            try await waitFor(key, "succeeded", count)
            let keys = Set(sink.calls.filter { $0.path == "/200" }.map(\.idempotencyKey))
            #expect(keys == Set(try await runs(key).map { "\($0).call" }))
            #expect(try await runs(called).count == count)
            #expect(try await installation.count("SELECT count(*) FROM engine.step_waits") == 0)
        }
    }

    @Test(
        "while an approval is decided: the engine dies, the decision holds once, and its run goes on once",
        arguments: [1, 2]
    )
    func anEngineDiesWhileAnApprovalIsDecided(arrival: Int) async throws {
        try await RecordingSink.with { _, _ in
            .answer(200)
        } _: { sink in
            let key = try await automate(
                """
                {"name":"ask","action_key":"flow.approval","input":{"title":"Release it?","allow_requester":true}},
                {"name":"call","action_key":"http.request","input":{"method":"PUT","url":"\(sink.url)/x"}}
                """
            )
            try await post(key, "{}")
            try await waitFor(key, "waiting", 1)
            let run = try #require(try await runs(key).first)
            let engine = try await onlyEngine(crashingAt: "after_commit_before_publish:\(arrival)")
            _ = try? await decide(run)
            try await engine.waitForCrash()
            try await installation.restartEnded()
            // Whoever has heard nothing asks again, and learns what holds.
            let again = try await eventually("the decision is answered") {
                try await decide(run).status
            } until: {
                [200, 409].contains($0)
            }
            #expect(again == 200 || again == 409)
            try await waitFor(key, "succeeded", 1)
            #expect(Set(sink.calls.map(\.idempotencyKey)) == ["\(run).call"])
            let entries = """
                SELECT count(*) FROM audit.entries
                WHERE convert_from(canonical, 'UTF8')::jsonb ->> 'action' IN ('run.approve', 'run.end')
                  AND convert_from(canonical, 'UTF8')::jsonb -> 'object' ->> 'id' = '\(run)'
                """
            try await eventually("one decision and one end are in the log", within: .seconds(30)) {
                try await installation.count(entries) == 2
            }
        }
    }

    @Test("while a secret is rotated: the engine dies, and every later call has the old value or the new one, whole")
    func anEngineDiesWhileASecretIsRotated() async throws {
        try await RecordingSink.with { _, _ in
            .answer(200)
        } _: { sink in
            let secret = "token-\(UInt32.random(in: .min ... .max))"
            #expect(try await put(secret, "the-old-value") == 200)
            let key = try await automate(
                """
                {"name":"call","action_key":"http.request","input":{"method":"PUT","url":"\(sink.url)/x",
                 "headers":{"Authorization":"Bearer {{ secret:\(secret) }}"}}}
                """
            )
            let engine = try await onlyEngine(crashingAt: "after_commit_before_publish:1")
            _ = try? await put(secret, "the-new-value")
            try await engine.waitForCrash()
            try await installation.restartEnded()
            try await post(key, "{}")
            try await waitFor(key, "succeeded", 1)
            #expect(["Bearer the-old-value", "Bearer the-new-value"].contains(sink.calls.first?.authorization))
            try await eventually("the value is set") { try await put(secret, "the-new-value") == 200 }
            try await post(key, "{}")
            try await waitFor(key, "succeeded", 2)
            #expect(sink.calls.last?.authorization == "Bearer the-new-value")
            #expect(
                try await installation.count(
                    "SELECT count(*) FROM engine.automation_run_steps s WHERE s::text LIKE '%the-new-value%'"
                ) == 0
            )
        }
    }

    // MARK: - Work

    private static let paid = "waits.paid"

    /// Makes an automation with these steps; answers its key, which is its signals' type, too.
    private func automate(_ steps: String) async throws -> String {
        let key = "waits-\(UInt32.random(in: .min ... .max))"
        let created = try await installation.client().post(
            "/admin/api/automations",
            json: """
                {"automation_key":"\(key)","name":"\(key)",
                 "definition":{"trigger":{"signalType":"\(key)"},"steps":[\(steps)]}}
                """
        )
        try #require(created.status == 201, "\(created.text)")
        try await installation.change(key, "activate")
        return key
    }

    private func post(_ type: String, _ data: String) async throws {
        _ = try await installation.post(id: "\(UInt64.random(in: .min ... .max))", type: type, data: data)
    }

    private func waitFor(_ key: String, _ status: String, _ number: Int) async throws {
        _ = try await installation.showingLogs {
            try await eventually("\(number) runs are \(status)", within: .seconds(60)) {
                try await installation.count(
                    """
                    SELECT count(*) FROM engine.automation_runs
                    WHERE automation_key = '\(key)' AND status = '\(status)'
                    """
                ) == number
            }
        }
    }

    private func runs(_ key: String) async throws -> [String] {
        try await installation.texts(
            "SELECT run_id::text FROM engine.automation_runs WHERE automation_key = '\(key)' ORDER BY run_id"
        )
    }

    private func decide(_ run: String) async throws -> HTTPTestClient.Response {
        try await installation.client().post("/api/runs/\(run)/steps/ask/approve", json: "{}")
    }

    private func put(_ secret: String, _ value: String) async throws -> Int {
        try await installation.client().send(
            .PUT,
            "/admin/api/secrets/\(secret)",
            headers: ["Content-Type": "application/json"],
            body: Array(#"{"value":"\#(value)"}"#.utf8)
        )
        .status
    }

    /// Leaves one engine, which dies at its next arrival at a point.
    private func onlyEngine(crashingAt point: String) async throws -> Replica {
        try await installation.replica(.engine, 1).terminate()
        let engine = try installation.replica(.engine, 0)
        try await engine.terminate()
        try await engine.start(crashingAt: point)
        return engine
    }
}
