import Foundation
import JSON
import NIOHTTP1
import Persistence
import TestSupport
import Testing

/// The hard rules 1 to 4.
extension ContractTests {
    /// What the one function leaves of each run: rows of inbox, dedupe, run, signal and steps, and the entry of its end.
    private func trace(_ run: JSONValue) async throws -> [String] {
        let (id, signal) = (run["run_id"]?.stringValue ?? "", run["signal_id"]?.stringValue ?? "")
        let ends = try await written("e -> 'object' ->> 'id' = '\(id)' AND e ->> 'action' = 'run.end'")
        return try await installation.texts(
            """
            SELECT concat_ws(' ', 'inbox', (SELECT count(*) FROM engine.inbox WHERE signal_id = '\(signal)'),
                'dedup', (SELECT count(*) FROM engine.automation_dedup d
                          WHERE d.signal_id = '\(signal)' AND d.run_id = '\(id)'),
                'signals', (SELECT count(*) FROM engine.signals WHERE signal_id = '\(signal)'),
                'run', r.type, r.subtype, r.status,
                'steps', (SELECT count(*) FROM engine.automation_run_steps WHERE run_id = '\(id)'))
            FROM engine.automation_runs r WHERE run_id = '\(id)'
            """
        ) + ends.map { "end \($0["after"]?["status"]?.stringValue ?? "")" }
    }

    @Test("Rule 1: a signal, an emitted one, an execution by hand, a dry run and a rerun leave the same trace")
    func ruleOneFunction() async throws {
        let key = Self.unique("path")
        try await automate(key, on: key, steps: Self.transform, #"{"name":"two","action_key":"data.transform"}"#)
        try await automate(
            "\(key)-emits",
            on: "\(key).first",
            steps: #"{"name":"tell","action_key":"signal.emit","input":{"type":"\#(key)"}}"#
        )
        let posted = try await run(of: try await installation.post(id: "\(key)-1", type: key).signalID, "succeeded")
        let first = try await installation.post(id: "\(key)-2", type: "\(key).first")
        let emitting = try await run(of: first.signalID, "succeeded")
        let emitted = try #require(emitting["steps"]?[0]?["output"]?["signal_id"]?.stringValue)
        var runs = [posted, try await run(of: try #require(UUID(uuidString: emitted)), "succeeded")]
        runs.append(try await execute(key, "live_run").body)
        runs.append(try await execute(key, "dry_run").body)
        let id = try #require(posted["run_id"]?.stringValue)
        runs.append(try await ask(.POST, "/api/runs/\(id)/rerun").body)
        #expect(Set(runs.map { $0["run_id"]?.stringValue }).count == 5)
        for run in runs {
            #expect(
                try await trace(run) == [
                    "inbox 1 dedup 1 signals 1 run automation automation:\(key) succeeded steps 2", "end succeeded",
                ]
            )
        }
        #expect(try await self.runs(of: key) == 5)
    }

    @Test("Rule 2: executing by hand makes an artificial signal, aimed at that automation alone")
    func ruleArtificialSignal() async throws {
        let key = Self.unique("hand")
        let step =
            #"{"name":"one","action_key":"data.transform","input":{"all":"{{ signal.metadata }}","n":"{{ signal.data }}"}}"#
        try await automate(key, on: "\(key).*", filter: #"{"data":{"never":[1]}}"#, steps: step)
        try await automate("\(key)-twin", on: "\(key).*", steps: step)
        try await automate("\(key)-exact", on: key, steps: step)
        let trace = "0af7651916cd43dd8448eb211c80319c"
        let answer = try await execute(
            key,
            "live_run",
            #"{"n":1}"#,
            headers: ["traceparent": "00-\(trace)-b7ad6b7169203331-01"]
        )
        #expect(answer.status == 200, "\(answer.text)")
        let signal = try #require(answer["signal_id"]?.stringValue)
        let stored = try await installation.texts(
            "SELECT event FROM engine.signal_emissions WHERE signal_id = '\(signal)'"
        )
        let event = try JSONValue(parsing: Array(try #require(stored.first).utf8))
        #expect(event["type"]?.stringValue == key, "of a family, the prefix")
        #expect(event["source"]?.stringValue == "/batuta/manual" && event["data"] == ["n": 1])
        let metadata = try #require(answer["metadata"])
        #expect(answer["steps"]?[0]?["output"]?["all"] == metadata)
        #expect(metadata["source"]?["type"]?.stringValue == "manual")
        #expect(metadata["source"]?["actor"]?["type"]?.stringValue == "admin")
        #expect(metadata["source"]?["actor"]?["id"]?.stringValue == "admin")
        #expect(metadata["trace_id"]?.stringValue == trace)
        let executedAt = try #require(metadata["executed_at"]?.stringValue)
        #expect(metadata["day_key"]?.stringValue == String(executedAt.prefix(10)) && executedAt.hasSuffix("Z"))
        // Its target's filter is skipped, and nobody else is woken; the next one is a signal of its own.
        let decisions = try await processed(try #require(UUID(uuidString: signal)))["decisions"]?.arrayValue
        #expect(decisions?.map { $0["automation_key"]?.stringValue } == [key])
        let again = try await execute(key, "live_run")
        #expect(again["signal_id"] != answer["signal_id"] && again["steps"]?[0]?["output"]?["n"] == [:])
        #expect(try await runs(of: "\(key)-twin") + runs(of: "\(key)-exact") == 0)
    }

    @Test("Rule 2: a rerun is a fresh signal with the payload copied; resuming a failed run continues that run")
    func ruleRerun() async throws {
        let key = Self.unique("rerun")
        try await RecordingSink.with { _, earlier in
            .answer(earlier == 0 ? 400 : 200)
        } _: { sink in
            try await automate(
                key,
                on: key,
                steps: """
                    {"name":"call","action_key":"http.request","input":{"method":"POST","url":"\(sink.url)/",
                     "body":"{{ signal.data }}"}}
                    """
            )
            let receipt = try await installation.post(id: key, type: key, data: #"{"n":5}"#)
            let failed = try await run(of: receipt.signalID, "failed")
            let id = try #require(failed["run_id"]?.stringValue)
            #expect(try await ask(.POST, "/api/runs/\(id)/resume").status == 200)
            let resumed = try await run(of: receipt.signalID, "succeeded")
            #expect(resumed["run_id"] == failed["run_id"])
            #expect(try await runs(of: key) == 1)

            let rerun = try await ask(.POST, "/api/runs/\(id)/rerun")
            #expect(rerun["run_id"] != resumed["run_id"] && rerun["signal_id"] != resumed["signal_id"], "\(rerun.text)")
            #expect(rerun["metadata"]?["source"]?["type"]?.stringValue == "rerun")
            #expect(rerun["metadata"]?["rerun_of"] == resumed["signal_id"])
            // The rerun has a key of its own, so its first call fails as well.
            #expect(sink.calls.map(\.body) == [#"{"n":5}"#, #"{"n":5}"#, #"{"n":5}"#])
            #expect(Set(sink.calls.map(\.idempotencyKey)).count == 2)
        }
    }

    @Test("Rule 3: a row for the run and one for each of its steps exist before a step has any outside effect")
    func ruleRowsFirst() async throws {
        let key = Self.unique("rows")
        let gate = RecordingSink.Gate()
        try await RecordingSink.with { _, _ in
            .held(gate, 200)
        } _: { sink in
            try await automate("\(key)-pure", on: "\(key).pure", steps: Self.transform)
            try await automate(
                key,
                on: key,
                steps: Self.transform,
                #"{"name":"call","action_key":"http.request","input":{"method":"POST","url":"\#(sink.url)/","body":"x"}}"#,
                #"{"name":"last","action_key":"data.transform"}"#
            )
            let receipt = try await installation.sql.withTransaction { transaction in
                try await transaction.execute(.simple("LOCK TABLE engine.step_attempts IN EXCLUSIVE MODE"))
                let receipt = try await installation.post(id: "\(key)-1", type: key)
                try await eventually("the engine wants to record the attempt") {
                    try await installation.count(
                        """
                        SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'engine.step_attempts'::regclass
                          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                        """
                    ) > 0
                }
                // Meanwhile the engine has come to the end of another run, and has called nobody.
                _ = try await run(
                    of: try await installation.post(id: "\(key)-2", type: "\(key).pure").signalID,
                    "succeeded"
                )
                #expect(sink.calls.isEmpty)
                return receipt
            }
            try await eventually("the call is made") { sink.calls.count == 1 }
            let rows = try await installation.texts(
                """
                SELECT concat_ws(' ', r.status, s.name, s.status, s.attempt, s.input IS NOT NULL, s.output, a.number,
                                 a.outcome, s.started_at IS NOT NULL, s.finished_at IS NOT NULL)
                FROM engine.automation_runs r JOIN engine.automation_run_steps s USING (run_id)
                LEFT JOIN engine.step_attempts a ON a.run_id = s.run_id AND a.position = s.position
                WHERE r.signal_id = '\(receipt.signalID.uuidString)' ORDER BY s.position
                """
            )
            #expect(
                rows == [
                    #"running one succeeded 1 t {"n":1} t t"#, "running call running 1 t 1 t f",
                    "running last queued 0 f f f",
                ]
            )
            gate.open()
            let ended = try await run(of: receipt.signalID, "succeeded")
            for step in ended["steps"]?.arrayValue ?? [] {
                #expect(step["status"]?.stringValue == "succeeded" && step["attempt"]?.int64Value == 1)
                for member in ["input", "output", "started_at", "finished_at"] { #expect(step[member] != .null) }
                #expect(step["error"] == .null)
            }
        }
    }

    @Test("Rule 4: the acting admin stands in the signal's metadata, in the run and in the audit entry")
    func ruleActor() async throws {
        let key = Self.unique("actor")
        try await automate(
            key,
            on: key,
            steps: #"{"action_key":"data.transform","input":{"by":"{{ signal.metadata.source.actor.id }}"}}"#
        )
        for (role, type) in [("admin", "admin"), ("operator", "user")] {
            let (name, text) = try await token(role)
            for mode in ["dry_run", "live_run"] {
                let answer = try await execute(key, mode, as: text)
                #expect(answer["steps"]?[0]?["output"]?["by"]?.stringValue == name, "\(answer.text)")
                let run = try #require(answer["run_id"]?.stringValue)
                let actor = try await installation.read("/api/runs/\(run)")["metadata"]?["source"]?["actor"]
                #expect(actor?["id"]?.stringValue == name && actor?["type"]?.stringValue == type)
                let entries = try await written("e -> 'after' ->> 'run_id' = '\(run)'")
                #expect(Self.actions(entries) == ["execute_manual"])
                #expect(entries[0]["actor"]?["id"]?.stringValue == name)
                #expect(entries[0]["actor"]?["type"]?.stringValue == type)
            }
            let rerunOf = try await execute(key, "live_run", as: text)["run_id"]?.stringValue ?? ""
            let rerun = try await ask(.POST, "/api/runs/\(rerunOf)/rerun", as: text)
            #expect(rerun["metadata"]?["source"]?["actor"]?["id"]?.stringValue == name, "\(rerun.text)")
        }
        let (_, viewer) = try await token("viewer")
        #expect(try await execute(key, "dry_run", as: viewer).status == 403)
    }
}
