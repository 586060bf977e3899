import Foundation
import JSON
import NIOHTTP1
import Persistence
import Synchronization
import TestSupport
import Testing

/// The hard rules 5 to 8.
extension ContractTests {
    /// A request to carry out one action, in the words that other systems have for it.
    private static func invocation(_ url: String) -> String {
        """
        {"action_key":"http.request","action":"http.request","mode":"live_run","input":{"method":"POST","url":"\(url)/"},
         "parameters":{"method":"POST","url":"\(url)/"},"steps":[{"action_key":"http.request","input":{"method":"POST",
         "url":"\(url)/"}}]}
        """
    }

    @Test("Rule 5: no endpoint invokes a single action")
    func ruleNoEndpoint() async throws {
        try await RecordingSink.with { sink in
            let before = try await installation.count("SELECT count(*) FROM engine.automation_runs")
            let body = Self.invocation(sink.url)
            for route in RouteNames.all {
                let (method, pattern) = (String(route.prefix { $0 != " " }), route.drop { $0 != " " }.dropFirst())
                let path = pattern.split(separator: "/").map { $0.hasPrefix("{") ? "/http.request" : "/\($0)" }.joined()
                let answer = try await ask(HTTPMethod(rawValue: method), path, method == "GET" ? nil : body)
                let mayAnswer = method == "GET" || ["/validate", "/exports"].contains { path.hasSuffix($0) }
                #expect(mayAnswer || (400..<500).contains(answer.status), "\(route): \(answer.status) \(answer.text)")
            }
            for verb in ["", "/execute", "/run", "/runs", "/invoke", "/test", "/simulate", "/call"] {
                for area in ["/admin/api/actions", "/api/actions", "/api/runs/x/actions", "/admin/api/steps"] {
                    let answer = try await ask(.POST, "\(area)/http.request\(verb)", body)
                    #expect([404, 405].contains(answer.status), "\(area) \(verb): \(answer.text)")
                }
            }
            _ = try await execute(try await barrier(), "live_run")
            #expect(sink.calls.isEmpty)
            #expect(try await installation.count("SELECT count(*) FROM engine.automation_runs") == before + 1)
        }
    }

    @Test("Rule 5: no command and no queue invokes a single action")
    func ruleNoQueue() async throws {
        try await RecordingSink.with { sink in
            let before = try await installation.count("SELECT count(*) FROM engine.automation_runs")
            let letters = try await deadLetters()
            let queues = try await installation.broker.queueNames()
            #expect(queues.contains("engine.signals") && queues.contains("engine.requests"))
            // Requests and replies that nobody can read are nothing to keep.
            let kept = queues.filter { queue in
                ["signals", "writer", "commands", "actions"].contains { queue.hasSuffix(".\($0)") }
            }
            for queue in queues {
                for type in ["engine.actions.execute", "engine.actions.put", "engine.steps.execute", "http.request"] {
                    let message = UUID().uuidString.lowercased()
                    if kept.contains(queue) { installation.poison.withLock { _ = $0.insert(message) } }
                    try await installation.broker.publish(
                        Array(Self.invocation(sink.url).utf8),
                        to: queue,
                        properties: [
                            "message_id": .string(message), "type": .string(type),
                            "headers": ["x-tenant": "acme", "x-schema-version": 1, "x-deadline": 4_000_000_000_000],
                        ]
                    )
                }
            }
            try await eventually("what no service can read is put away") {
                try await deadLetters() == letters + 4 * kept.count
            }
            // Requests are answered and signals are processed after them.
            _ = try await execute(try await barrier(), "live_run")
            #expect(sink.calls.isEmpty)
            #expect(try await installation.count("SELECT count(*) FROM engine.automation_runs") == before + 1)
            #expect(installation.all.filter { !$0.isRunning }.map(\.name) == [])
        }
    }

    private func deadLetters() async throws -> Int {
        try await installation.count(
            "SELECT (SELECT count(*) FROM engine.dead_letters) + (SELECT count(*) FROM audit.dead_letters)"
        )
    }

    /// An active automation without an effect, whose execution follows whatever was asked before.
    private func barrier() async throws -> String {
        let key = Self.unique("barrier")
        try await automate(key, on: key, steps: Self.transform)
        return key
    }

    @Test(
        "Rule 6: nothing skips dedupe: the key is unique in the database, and a second delivery is skipped and counted"
    )
    func ruleDedupe() async throws {
        let key = Self.unique("dedupe")
        try await automate(key, on: key, steps: Self.transform)
        try await automate(
            "\(key)-emits",
            on: "\(key).first",
            steps: #"{"name":"tell","action_key":"signal.emit","input":{"type":"\#(key)"}}"#
        )
        let posted = try await installation.post(id: "\(key)-1", type: key)
        let first = try await installation.post(id: "\(key)-2", type: "\(key).first")
        let emitting = try await run(of: first.signalID, "succeeded")
        let emitted = emitting["steps"]?[0]?["output"]?["signal_id"]?.stringValue
        let manual = try await execute(key, "live_run")["signal_id"]?.stringValue
        var signals = [posted.signalID]
        for signal in [emitted, manual] { signals.append(try #require(signal.flatMap { UUID(uuidString: $0) })) }
        for signal in signals { _ = try await processed(signal) }
        try await eventually("each has its run") { try await runs(of: key) == 3 }

        let repeated = #"batuta_engine_signals_total{outcome="repeated""#
        let before = try await counter(repeated, of: .engine)
        for signal in signals {
            for _ in 0..<2 { try await redeliver(signal) }
        }
        try await eventually("every delivery is counted") { try await counter(repeated, of: .engine) >= before + 6 }
        #expect(try await runs(of: key) == 3)
        #expect(try await installation.post(id: "\(key)-1", type: key).isDuplicate)
        #expect(
            try await installation.count("SELECT count(*) FROM engine.automation_dedup WHERE automation_key = '\(key)'")
                == 3
        )
        await #expect {
            try await installation.sql.execute(
                .simple(
                    """
                    INSERT INTO engine.automation_dedup (signal_id, automation_key, tenant, run_id)
                    VALUES ('\(posted.signalID.uuidString)', '\(key)', 'acme', gen_random_uuid())
                    """
                )
            )
        } throws: {
            ($0 as? PostgresError)?.sqlState == "23505"
        }
    }

    /// Puts a signal into the engine's queue once more, as a lost acknowledgement does.
    func redeliver(_ signal: UUID) async throws {
        let events = try await installation.texts(
            """
            SELECT event FROM gateway.signals WHERE signal_id = '\(signal.uuidString)'
            UNION ALL SELECT event FROM engine.signal_emissions WHERE signal_id = '\(signal.uuidString)'
            """
        )
        let event = try #require(events.first)
        try await installation.broker.publish(
            Array("[\(event)]".utf8),
            to: "engine.signals",
            properties: [
                "message_id": .string(UUID().uuidString.lowercased()), "type": "batuta.signals.accepted",
                "content_type": "application/cloudevents-batch+json", "delivery_mode": 2,
                "headers": [
                    "x-tenant": "acme", "x-schema-version": .number(event.contains("batutatarget") ? 2 : 1),
                    "x-producer": "api-gateway/again/0", "x-epoch": 900_000, "x-seq": 1, "x-count": 1,
                ],
            ]
        )
    }

    @Test("Rule 7: only active automations execute, whatever asks for it")
    func ruleOnlyActive() async throws {
        let key = Self.unique("only")
        try await automate("\(key)-active", on: key, steps: Self.transform)
        try await automate("\(key)-deprecated", on: key, steps: Self.transform)
        let earlier = try await execute("\(key)-deprecated", "live_run")["run_id"]?.stringValue ?? ""
        try await installation.change("\(key)-deprecated", "deactivate")
        try await create("\(key)-draft", Self.definition(on: key))
        try await makeBroken("\(key)-broken", on: key)

        let signal = try await processed(try await installation.post(id: key, type: key).signalID)
        #expect(decision("\(key)-active", in: signal)?["outcome"]?.stringValue == "run")
        for status in ["draft", "deprecated", "broken"] {
            let skipped = decision("\(key)-\(status)", in: signal)
            #expect(skipped?["outcome"]?.stringValue == "skipped", "\(status)")
            #expect(skipped?["reason"]?.stringValue?.contains(status) == true, "\(signal)")
            for mode in ["dry_run", "live_run"] {
                #expect(try await execute("\(key)-\(status)", mode).code == "wrong_state")
            }
            let replay = #"{"from":"2026-01-01T00:00:00Z","until":"2026-01-02T00:00:00Z"}"#
            let path = "\(Self.automations)/\(key)-\(status)/replays"
            #expect(try await ask(.POST, path, replay).code == "wrong_state")
        }
        for mode in ["dry_run", "live_run"] {
            let rerun = try await ask(.POST, "/api/runs/\(earlier)/rerun", #"{"mode":"\#(mode)"}"#)
            #expect(rerun.code == "wrong_state", "\(rerun.text)")
        }
        #expect(try await runs(of: "\(key)-active") == 1)
        #expect(try await runs(of: "\(key)-deprecated") == 1)
        #expect(try await runs(of: "\(key)-draft") + runs(of: "\(key)-broken") == 0)
    }

    @Test("Rule 8: nothing mutates outside the Action Registry")
    func ruleRegistry() async throws {
        let key = Self.unique("registry")
        let unknown = Self.definition(on: key, #"{"action_key":"shell.execute","input":{"command":"true"}}"#)
        #expect(try await ask(.POST, Self.automations, Self.body(key, unknown)).code == "unknown_action")
        // A version whose action is gone is not restored.
        try await register("\(key).act", at: "https://example.com/")
        try await create(key, Self.definition(on: key, #"{"action_key":"\#(key).act"}"#))
        let path = "\(Self.automations)/\(key)"
        #expect(try await ask(.PUT, path, #"{"version":1,"definition":\#(unknown)}"#).code == "unknown_action")
        let sound = #"{"version":1,"definition":\#(Self.definition(on: key))}"#
        #expect(try await ask(.PUT, path, sound).status == 200)
        #expect(try await ask(.DELETE, "/admin/api/actions/\(key).act").status == 204)
        let restored = try await ask(.POST, "\(path)/versions/1/restore", #"{"version":2}"#)
        #expect(restored.code == "unknown_action", "\(restored.text)")
        #expect(try await installation.read(path)["version"]?.int64Value == 2)
        // Every step that this system has executed names an action that is, or was, in the registry.
        let listed = try await installation.read("/admin/api/actions?limit=200")["items"]?.arrayValue ?? []
        let keys = Set(listed.compactMap { $0["action_key"]?.stringValue })
        let registered = try await installation.texts("SELECT action_key FROM engine.actions")
        let executed = try await installation.texts("SELECT DISTINCT action_key FROM engine.automation_run_steps")
        #expect(!executed.isEmpty && keys.union(registered).isSuperset(of: executed), "\(executed)")
    }

    @Test(
        "Rule 8: nothing executes without audit: every run that has ended has its entry in the log, whatever was done here"
    )
    func ruleAudit() async throws {
        let key = Self.unique("ended")
        try await automate(key, on: key, steps: Self.transform)
        let run = try await execute(key, "live_run")
        #expect(Self.actions(try await audited(run["run_id"])) == ["run.end"])
        try await failTwice(Self.unique("twice"))
        try await installation.showingLogs { try await Invariants(installation).hold() }
        let check = try await installation.batuta(["check", "--json"], .database)
        #expect(check.status == 0, "\(check.output)")
    }

    /// Executes a step for items, fails at the next, and leaves its branch twice, the second time in a run that was resumed.
    private func failTwice(_ key: String) async throws {
        try await RecordingSink.with { call, _ in
            call.path == "/refuses" ? .answer(400) : .answer(200)
        } _: { sink in
            let created = try await installation.client().post(
                "/admin/api/automations",
                json: """
                    {"automation_key":"\(key)","name":"\(key)","definition":{"trigger":{"signalType":"\(key)"},"steps":[
                      {"name":"each","action_key":"data.transform","for_each":{"items":[1,2]},"input":{"n":"{{ item }}"}},
                      {"name":"call","action_key":"http.request","on_error":{"branch":"tell"},
                       "input":{"url":"\(sink.url)/refuses"}}],
                     "branches":{"tell":{"steps":[
                      {"name":"tell","action_key":"http.request","for_each":{"items":[1,2]},
                       "input":{"method":"PUT","url":"\(sink.url)/tell"}}]}}}}
                    """
            )
            #expect(created.status == 201, "\(created.text)")
            try await installation.change(key, "activate")
            let failed = try await execute(key, "live_run")
            let run = try #require(failed["run_id"]?.stringValue)
            #expect(try await ask(.POST, "/api/runs/\(run)/resume", nil).status == 200)
            try await eventually("the branch has had its second turn") {
                try await installation.count(
                    "SELECT count(*) FROM engine.automation_runs WHERE run_id = '\(run)' AND status = 'failed'"
                ) == 1 && sink.calls.count { $0.path == "/tell" } == 4
            }
        }
    }
}
