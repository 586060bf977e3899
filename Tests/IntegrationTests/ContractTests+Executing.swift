import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

/// The row "execute by hand" of the table "Operations", and the table "Modes".
extension ContractTests {
    @Test(
        "Operation execute by hand: an active automation, a valid mode, a context that is an object; audited with its run"
    )
    func operationExecute() async throws {
        let key = Self.unique("execute")
        let created = try await create(key, Self.definition(on: key))
        let sentences = [
            "en": "Only active automations can be executed",
            "es": "Solo se pueden ejecutar automatizaciones activas",
        ]
        func isRefused() async throws {
            for mode in ["dry_run", "live_run"] {
                for (language, sentence) in sentences {
                    let refused = try await execute(key, mode, headers: ["Accept-Language": language])
                    #expect(refused.status == 409 && refused["detail"]?.stringValue == sentence, "\(refused.text)")
                }
            }
        }
        try await isRefused()
        try await installation.change(key, "activate")
        for (body, pointer) in [
            ("{}", "/mode"), (#"{"mode":"wet_run"}"#, "/mode"), (#"{"mode":"live_run","context":[]}"#, "/context"),
            (#"{"mode":"live_run","context":null}"#, "/context"), (#"{"mode":"live_run","steps":[]}"#, "/steps"),
            (#"{"mode":"live_run","action_key":"data.transform"}"#, "/action_key"),
        ] {
            let refused = try await ask(.POST, "\(Self.automations)/\(key)/execute", body)
            #expect(refused.status == 422 && refused.pointers == [pointer], "\(body): \(refused.text)")
        }
        #expect(try await runs(of: key) == 0)
        var runs: [JSONValue?] = []
        for mode in ["dry_run", "live_run"] {
            let answer = try await execute(key, mode, "{}")
            #expect(answer.status == 200 && answer["status"]?.stringValue == "succeeded", "\(answer.text)")
            runs.append(answer["run_id"])
        }
        try await installation.change(key, "deactivate")
        try await isRefused()
        let entries = try await audited(created["id"]).filter { $0["action"]?.stringValue == "execute_manual" }
        #expect(entries.map { $0["after"]?["mode"]?.stringValue } == ["dry_run", "live_run"])
        #expect(entries.map { $0["after"]?["run_id"] } == runs)
        #expect(try await self.runs(of: key) == 2)
    }

    /// The two runs of one automation: one step calls, one emits, one reads what the call has output.
    private struct BothModes {
        var key: String
        var dry: JSONValue
        var live: JSONValue
        /// What came from both together.
        var calls: [RecordingSink.Call]
        var url: String
    }

    private func inBothModes() async throws -> BothModes {
        let key = Self.unique("mode")
        return try await RecordingSink.with { _, _ in
            .answer(201, body: #"{"ticket":7}"#)
        } _: { sink in
            try await automate(
                key,
                on: key,
                steps: """
                    {"name":"call","action_key":"http.request","input":{"method":"POST","url":"\(sink.url)/x",
                     "body":{"n":"{{ signal.data.n }}"}}}
                    """,
                #"{"name":"emit","action_key":"signal.emit","input":{"type":"\#(key).out"}}"#,
                #"{"name":"read","action_key":"data.transform","input":{"status":"{{ steps.call.output.status }}"}}"#
            )
            let dry = try await execute(key, "dry_run", #"{"n":5}"#)
            #expect(dry.status == 200, "\(dry.text)")
            #expect(sink.calls.isEmpty)
            let live = try await execute(key, "live_run", #"{"n":5}"#)
            #expect(live.status == 200, "\(live.text)")
            return BothModes(key: key, dry: dry.body, live: live.body, calls: sink.calls, url: sink.url)
        }
    }

    private func count(_ table: String, _ run: JSONValue) async throws -> Int {
        let column = table == "engine.step_attempts" || table == "engine.automation_run_steps" ? "run_id" : "signal_id"
        let id = try #require(run[column]?.stringValue)
        return try await installation.count("SELECT count(*) FROM \(table) WHERE \(column) = '\(id)'")
    }

    @Test("Mode, signal stored in engine.signal_emissions: of a live run, not of a dry run")
    func modeSignal() async throws {
        let runs = try await inBothModes()
        #expect(try await count("engine.signal_emissions", runs.dry) == 0)
        #expect(try await count("engine.signal_emissions", runs.live) == 1)
        let unsent = try #require(runs.dry["signal_id"]?.stringValue)
        #expect(try await ask(.GET, "/api/signals/\(unsent)").status == 404)
    }

    @Test(
        "Mode, steps executed: a dry run says what each would do with its input resolved, and no effect leaves the engine"
    )
    func modeSteps() async throws {
        let runs = try await inBothModes()
        let would = runs.dry["steps"]?.arrayValue?.map { $0["simulation"]?["would"]?.stringValue }
        #expect(
            would == [
                "Send POST to \(runs.url)/x, with a body of 7 bytes.", "Emit a signal of the type \(runs.key).out.",
                "Output its input.",
            ]
        )
        #expect(runs.calls.map(\.body) == [#"{"n":5}"#], "the live run's alone")
        #expect(try await count("engine.step_attempts", runs.dry) == 0)
        #expect(try await count("engine.step_attempts", runs.live) == 1)
        #expect(runs.live["steps"]?[0]?["output"]?["body"]?["ticket"]?.int64Value == 7)
        #expect(runs.live["steps"]?.arrayValue?.allSatisfy { $0["simulation"] == nil } == true)
        let emitted = "SELECT count(*) FROM engine.signal_emissions WHERE type = '\(runs.key).out'"
        #expect(try await installation.count(emitted) == 1)
        // An input that the action's schema does not allow fails the step, as it would have.
        let key = Self.unique("invalid")
        let step = #"{"action_key":"signal.emit","input":{"type":"{{ signal.data.type }}"}}"#
        try await automate(key, on: key, steps: step)
        let invalid = try await execute(key, "dry_run", #"{"type":5}"#)
        #expect(invalid["status"]?.stringValue == "failed", "\(invalid.text)")
        #expect(invalid["steps"]?[0]?["error"]?["code"]?.stringValue == "invalid_input")
    }

    @Test("Mode, run recorded: a dry run is marked, and excluded from counters")
    func modeRun() async throws {
        let runs = try await inBothModes()
        for (run, isDry) in [(runs.dry, true), (runs.live, false)] {
            let id = try #require(run["run_id"]?.stringValue)
            #expect(try await installation.read("/api/runs/\(id)")["dry_run"]?.boolValue == isDry)
            #expect(try await count("engine.automation_run_steps", run) == 3)
        }
        let succeeded = "SELECT count(*) FROM engine.automation_runs WHERE status = 'succeeded' AND NOT dry_run"
        let live = try await installation.count(succeeded)
        try await eventually("the live runs are counted, and they alone") {
            try await counter(#"batuta_engine_runs_total{status="succeeded""#, of: .engine)
        } until: {
            $0 == Double(live)
        }
    }

    @Test("Mode, dedupe: both pass through it, each with a fresh signal and a row of its own")
    func modeDedupe() async throws {
        let runs = try await inBothModes()
        #expect(runs.dry["signal_id"] != runs.live["signal_id"])
        for run in [runs.dry, runs.live] {
            #expect(try await count("engine.automation_dedup", run) == 1)
            #expect(try await count("engine.inbox", run) == 1)
        }
    }

    @Test("Mode, an action that cannot simulate: its step is not_simulated, and the run goes on")
    func modeNotSimulated() async throws {
        let key = Self.unique("opaque")
        try await RecordingSink.with { _, _ in
            .answer(200, body: #"{"level":9}"#)
        } _: { sink in
            try await register("\(key).act", at: "\(sink.url)/", simulation: #""none""#)
            try await automate(
                key,
                on: key,
                steps: #"{"name":"one","action_key":"\#(key).act"}"#,
                #"{"name":"two","action_key":"data.transform","input":{"n":1}}"#
            )
            let dry = try await execute(key, "dry_run")
            #expect(dry["status"]?.stringValue == "succeeded", "\(dry.text)")
            #expect(dry["steps"]?.arrayValue?.map { $0["status"]?.stringValue } == ["not_simulated", "succeeded"])
            #expect(sink.calls.isEmpty)
            let live = try await execute(key, "live_run")
            #expect(live["steps"]?.arrayValue?.map { $0["status"]?.stringValue } == ["succeeded", "succeeded"])
            #expect(sink.calls.count == 1)
        }
    }

    @Test(
        "Mode, a later step that reads a simulated output: a sample that its schema allows, marked simulated; then the real one"
    )
    func modeSample() async throws {
        let key = Self.unique("sample")
        try await RecordingSink.with { _, _ in
            .answer(200, body: #"{"level":9}"#)
        } _: { sink in
            try await register("\(key).act", at: "\(sink.url)/")
            try await automate(
                key,
                on: key,
                steps: #"{"name":"one","action_key":"\#(key).act"}"#,
                #"{"name":"two","action_key":"data.transform","input":{"level":"{{ steps.one.output.level }}"}}"#,
                """
                {"name":"told","action_key":"data.transform","when":{"steps":{"one":{"simulated":[true]}}}}
                """
            )
            let dry = try await execute(key, "dry_run")
            let level = try #require(dry["steps"]?[1]?["output"]?["level"]?.int64Value, "\(dry.text)")
            #expect(level >= 7, "the schema says so")
            #expect(dry["steps"]?[0]?["simulation"] != nil)
            #expect(dry["steps"]?[2]?["status"]?.stringValue == "succeeded")
            let live = try await execute(key, "live_run")
            #expect(live["steps"]?[1]?["output"]?["level"]?.int64Value == 9, "\(live.text)")
            #expect(live["steps"]?[2]?["status"]?.stringValue == "skipped")
        }
    }

    @Test("Mode, waits and approvals: a dry run passes at once, saying so; a live run holds")
    func modeWaits() async throws {
        let key = Self.unique("waits")
        let steps = [
            #"{"name":"delay","action_key":"flow.delay","needs":[],"input":{"for":"1h"}}"#,
            #"{"name":"ask","action_key":"flow.approval","needs":[],"input":{"title":"Go?"}}"#,
            #"{"name":"wait","action_key":"flow.wait_for_signal","needs":[],"input":{"type":"\#(key).in"}}"#,
        ]
        try await create(key, Self.definition(on: key, steps.joined(separator: ",")))
        try await installation.change(key, "activate")
        let dry = try await execute(key, "dry_run")
        #expect(dry.status == 200 && dry["status"]?.stringValue == "succeeded", "\(dry.text)")
        for step in dry["steps"]?.arrayValue ?? [] {
            #expect(step["simulation"]?["would"]?.stringValue?.contains("which a dry run") == true, "\(step)")
        }
        let id = try #require(dry["run_id"]?.stringValue)
        #expect(try await installation.count("SELECT count(*) FROM engine.step_waits WHERE run_id = '\(id)'") == 0)
        #expect(try await installation.count("SELECT count(*) FROM engine.timers WHERE run_id = '\(id)'") == 0)
        let receipt = try await installation.post(id: key, type: key)
        let live = try await run(of: receipt.signalID, "waiting")
        #expect(live["steps"]?.arrayValue?.map { $0["status"]?.stringValue } == ["waiting", "waiting", "waiting"])
        let run = try #require(live["run_id"]?.stringValue)
        #expect(try await ask(.POST, "/api/runs/\(run)/cancel").status == 200)
    }

    @Test(
        "Mode, answer: the run with each step's status, output and error; 202 with the run's URL where it has not ended"
    )
    func modeAnswer() async throws {
        let key = Self.unique("answer")
        try await automate(
            key,
            on: key,
            steps:
                #"{"name":"bad","action_key":"data.transform","input":{"n":"{{ signal.data.none }}"},"on_error":"continue"}"#,
            #"{"name":"good","action_key":"data.transform","input":{"n":1}}"#
        )
        // It waits up to 10 s for the end, and no longer.
        for (name, time) in [("short", "300ms"), ("long", "1h")] {
            let wait = #"{"name":"wait","action_key":"flow.delay","input":{"for":"\#(time)"}}"#
            try await automate("\(key)-\(name)", on: key, steps: wait)
        }
        async let long = execute("\(key)-long", "live_run")
        let short = try await execute("\(key)-short", "live_run")
        #expect(short.status == 200 && short["status"]?.stringValue == "succeeded", "\(short.text)")
        for mode in ["dry_run", "live_run"] {
            let answer = try await execute(key, mode)
            #expect(answer.status == 200 && UUID(uuidString: answer["run_id"]?.stringValue ?? "") != nil)
            #expect(answer["steps"]?.arrayValue?.map { $0["status"]?.stringValue } == ["failed", "succeeded"])
            #expect(answer["steps"]?[0]?["error"]?["code"]?.stringValue == "missing_value", "\(answer.text)")
            #expect(answer["steps"]?[1]?["output"]?["n"]?.int64Value == 1)
        }
        // What waits for a person is answered at once.
        try await RecordingSink.with { _, _ in
            .answer(500)
        } _: { sink in
            let call = #"{"name":"call","action_key":"http.request","input":{"method":"POST","url":"\#(sink.url)/"}}"#
            try await automate("\(key)-parked", on: key, steps: call)
            let answer = try await execute("\(key)-parked", "live_run")
            #expect(answer.status == 202 && answer["status"]?.stringValue == "unknown", "\(answer.text)")
            #expect(answer.location == "/api/runs/\(answer["run_id"]?.stringValue ?? "")")
        }
        let pending = try await long
        #expect(pending.status == 202 && pending["status"]?.stringValue == "waiting", "\(pending.text)")
        let run = "/api/runs/\(pending["run_id"]?.stringValue ?? "")"
        #expect(pending.location == run)
        #expect(pending["steps"]?.arrayValue?.map { $0["status"]?.stringValue } == ["waiting"])
        #expect(try await ask(.POST, "\(run)/cancel").status == 200)
    }
}
