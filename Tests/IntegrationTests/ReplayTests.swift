import Contracts
import Foundation
import JSON
import NIOHTTP1
import Persistence
import TestSupport
import Testing

/// Signals of a span sent once more to one automation, with real processes: two gateways, one of which is killed.
@Suite(
    .serialized,
    .requiresServers,
    .installation(
        "replays",
        [.gateway: 2, .engine: 2, .auditWriter: 1],
        settings: [.gateway: ["BATUTA_REPLAY_SIGNALS": "900"], .engine: ["BATUTA_ENGINE_EFFECTS": "8"]]
    ),
    .timeLimit(.minutes(5))
)
struct ReplayTests {
    private let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    /// Signals that the automation asks for, among as many others; more than two pages of them.
    private static let wanted = 450

    /// One test, so that what has to wait for signals that may still be on their way waits at the same time.
    @Test("Rule 1: a replay takes the one path: each signal of the span runs once more, for one automation")
    func spansRunOnceMoreForOneAutomation() async throws {
        try await installation.showingLogs {
            let definition = """
                {"trigger":{"signalType":"orders.*","filter":{"data":{"n":[{"numeric":[">=",0]}]}}},
                 "steps":[{"name":"tell","action_key":"data.transform",
                           "input":{"of":"{{ signal.metadata.rerun_of | default(null) }}","n":"{{ signal.data.n }}"}}]}
                """
            try await create("late", definition)
            try await installation.automate("other", on: "orders.*")
            try await installation.automate("idle", on: "orders.paid")
            try await installation.change("idle", "deactivate")
            let from = Timestamp.now().description
            try await post(Self.wanted)
            let until = Timestamp.now().description
            try await refusals(from, until)
            try await anInactiveAutomationSkips()
            try await aReplayIsCanceledOnce(from)
            try await aPageWaitsForTheRunsOfTheOneBefore(from, until)
            try await Invariants(installation).rest()
            let before = try await runs()

            let counted = try await batuta("--from", from, "--until", until, "--dry-run", "--watch")
            #expect(counted.status == 0, "\(counted.output)")
            #expect(counted.output.contains("\(Self.wanted) of \(2 * Self.wanted) signals would be sent"))
            let started = try await replay("late", from, until)
            let twin = try await replay("late", from, until, key: "same")
            #expect(try await replay("late", from, until, key: "same") == twin)
            try await killBoth()
            for id in [started, twin] {
                let ended = try await end(of: id)
                #expect(ended["status"] == "succeeded")
                #expect(ended["considered"]?.int64Value == Int64(2 * Self.wanted))
                #expect(ended["replayed"]?.int64Value == Int64(Self.wanted))
            }
            try await Invariants(installation).hold()
            let after = try await runs()
            // Two replays, each one run for every signal; the other automations have none more.
            #expect(after["late"] == 3 * Self.wanted)
            #expect(after.filter { $0.key != "late" } == before.filter { $0.key != "late" })
            try await eachOnce([started, twin])
            try await oneRerun(started)
            #expect(try await entries("replay.start") == 12)
            #expect(try await entries("replay.end") == 5)
            #expect(try await entries("replay.cancel") == 7)
            try await onlyRerunsAreOfTheSecondVersion()
        }
    }

    /// Kills one gateway after the other, with pages already sent and pages still to come.
    private func killBoth() async throws {
        for number in 0..<2 {
            try await eventually("another page is sent", within: .seconds(60)) {
                try await installation.count(
                    """
                    SELECT count(*) FROM gateway.replays
                    WHERE replayed > \(number * 200) AND automation_key = 'late' AND NOT dry_run
                    """
                ) > 0
            }
            try await installation.replica(.gateway, number).kill()
            try await installation.restartEnded()
        }
    }

    private func anInactiveAutomationSkips() async throws {
        try await installation.automate("gone", on: "gone.x")
        let from = Timestamp.now().description
        try await installation.post(id: "gone-1", type: "gone.x")
        let until = Timestamp.now().description
        // The span has just ended, so nothing is sent before the automation is deactivated.
        let id = try await replay("gone", from, until, key: "before")
        try await installation.change("gone", "deactivate")
        #expect(try await replay("gone", from, until, key: "before") == id)
        let reused = try await order("gone", from, from, key: "before")
        #expect(reused.status == 422)
        #expect(try JSONValue(parsing: reused.body)["code"] == "idempotency_key_reused")
        let refused = try await order("gone", from, until)
        #expect(refused.status == 409)
        #expect(try JSONValue(parsing: refused.body)["detail"] == "Only active automations can be executed")
        #expect(try await end(of: id)["replayed"] == 1)
        let rerun = try await installation.texts(
            "SELECT signal_id::text FROM gateway.signals WHERE event LIKE '%\(id)%'"
        )[0]
        let signal = try await installation.read("/api/signals/\(rerun)")
        #expect(signal["status"] == "processed")
        let decisions = try #require(signal["decisions"]?.arrayValue)
        #expect(decisions.count == 1)
        #expect(decisions[0]["automation_key"] == "gone")
        #expect(decisions[0]["outcome"] == "skipped")
        #expect(decisions[0]["reason"]?.stringValue?.contains("deprecated") == true)
        let reasons = [
            ("late", "the signal is aimed at another automation"), ("gone", "the automation was deprecated"),
        ]
        for (key, reason) in reasons {
            let answer = try await installation.client().post(
                "/admin/api/automations/\(key)/why",
                json: #"{"signal_id":"\#(rerun)"}"#
            )
            let why = try JSONValue(parsing: answer.body)
            #expect(why["runs"] == false, "\(answer.text)")
            #expect(why["matches"] == .bool(key == "gone"), "\(answer.text)")
            #expect(why["reasons"]?[0]?["detail"]?.stringValue?.hasPrefix(reason) == true, "\(answer.text)")
        }
        #expect(try await runs()["gone"] == 1)
    }

    /// From the first time on there are as many signals of a type as a replay may have.
    private func aReplayIsCanceledOnce(_ first: String) async throws {
        let from = Timestamp.now().description
        try await installation.post(id: "canceled-1", type: "orders.paid")
        let long = try await order("late", first, Timestamp.now().description)
        #expect(long.status == 422)
        #expect(try JSONValue(parsing: long.body)["errors"]?[0]?["code"] == "too_many_signals", "\(long.text)")
        // The span has just ended, so the replays wait for what may be on its way, and can be canceled for certain.
        let until = Timestamp.now().description
        var ids = [try await replay("late", first, until, more: #","dry_run":true"#)]
        while ids.count < 5 { ids.append(try await replay("other", from, until)) }
        let crowded = try await order("other", from, until)
        #expect(crowded.status == 409)
        #expect(crowded.text.contains("5 replays of this tenant are running"), "\(crowded.text)")
        for id in ids + ids { try await cancel(id) }
        ids.append(try await replay("other", from, Timestamp.now().description))
        let id = ids[5]
        try await cancel(id)
        #expect(try await installation.read("/admin/api/replays/\(id)")["replayed"] == 0)
        let list = try await installation.read("/admin/api/replays?limit=1")
        #expect(list["items"]?[0]?["replay_id"]?.stringValue == id)
        let refused = try await batuta("--from", from, "--until", from)
        #expect(refused.status == 1)
        #expect(refused.output.contains("invalid_content"), "\(refused.output)")
    }

    /// As long as runs of a page wait for a slot, nothing more is sent; a replay that waits holds up no other.
    private func aPageWaitsForTheRunsOfTheOneBefore(_ from: String, _ until: String) async throws {
        let gate = RecordingSink.Gate()
        try await RecordingSink.with { _, _ in
            .held(gate, 200)
        } _: { sink in
            let definition = """
                {"trigger":{"signalType":"orders.paid"},"steps":[
                    {"name":"call","action_key":"http.request","timeout":"300s","input":{"url":"\(sink.url)/slow"}}]}
                """
            try await create("slow", definition)
            let id = try await replay("slow", from, until)
            try await eventually("a page is processed, and its calls hang") {
                try await installation.count(
                    "SELECT count(*) FROM engine.automation_runs WHERE automation_key = 'slow'"
                ) == 200 && sink.calls.count == 12
            }
            // Another one goes through several looks at what is to be done next.
            let counted = try await end(of: try await replay("late", from, until, more: #","dry_run":true"#))
            #expect(counted["replayed"]?.int64Value == Int64(Self.wanted))
            #expect(try await installation.read("/admin/api/replays/\(id)")["replayed"] == 200)
            try await cancel(id)
            gate.open()
            try await Invariants(installation).rest()
            #expect(sink.calls.count == 200)
            #expect(try await runs()["slow"] == 200)
        }
    }

    /// A release that knows the first version only goes on taking whatever is not aimed.
    private func onlyRerunsAreOfTheSecondVersion() async throws {
        let versions = try await installation.texts(
            """
            SELECT DISTINCT o.schema_version || ' ' || (s.source = '/batuta/rerun') FROM gateway.outbox o
            CROSS JOIN unnest(o.items) AS item JOIN gateway.signals s ON s.signal_id = item
            WHERE o.destination = 'signals' ORDER BY 1
            """
        )
        #expect(versions == ["1 false", "2 true"])
    }

    // MARK: - What the tests share

    /// Cancels a replay, which may have been canceled before.
    private func cancel(_ id: String) async throws {
        let answer = try await installation.client().post("/admin/api/replays/\(id)/cancel", json: "")
        #expect(answer.status == 200)
        #expect(try JSONValue(parsing: answer.body)["status"] == "canceled", "\(answer.text)")
    }

    private func refusals(_ from: String, _ until: String) async throws {
        let future = "2999-01-01T00:00:00Z"
        for (automation, from, until, status) in [
            ("late", until, from, 422), ("late", from, future, 422), ("late", "now", until, 422),
            ("nothing", from, until, 404), ("idle", from, until, 409),
        ] {
            #expect(try await order(automation, from, until).status == status, "\(automation) \(from) \(until)")
        }
        #expect(try await installation.count("SELECT count(*) FROM gateway.replays") == 0)
        let unknown = try await installation.client().get("/admin/api/replays/\(UUID().uuidString)")
        #expect(unknown.status == 404)
    }

    /// Runs `batuta replay` for the automation `late`.
    private func batuta(_ arguments: String...) async throws -> (status: Int32, output: String) {
        let process = try ServiceProcess(
            "batuta",
            arguments: ["replay", "--automation", "late"] + arguments,
            environment: ["BATUTA_URL": try installation.client().base, "BATUTA_TOKEN": installation.token]
        )
        let status = try await process.waitForExit(within: .seconds(60))
        return (status, process.log)
    }

    private func create(_ key: String, _ definition: String) async throws {
        let body = #"{"automation_key":"\#(key)","name":"\#(key)","definition":\#(definition)}"#
        let created = try await installation.client().post("/admin/api/automations", json: body)
        #expect(created.status == 201, "\(created.text)")
        try await installation.change(key, "activate")
    }

    /// Posts signals in batches: for each that is wanted one that the filter refuses, and one of another type.
    private func post(_ count: Int) async throws {
        for start in stride(from: 0, to: count, by: 50) {
            let events = (start..<min(start + 50, count)).flatMap { number in
                [("orders.paid", "\(number)"), ("orders.paid", "-1"), ("machines.stopped", "1")].enumerated()
                    .map { index, signal in
                        #"{"specversion":"1.0","id":"\#(number)-\#(index)","source":"/tests","type":"\#(signal.0)","#
                            + #""data":{"n":\#(signal.1)}}"#
                    }
            }
            let answer = try await installation.client().post(
                "/api/signals",
                json: "[\(events.joined(separator: ","))]",
                headers: ["Content-Type": "application/cloudevents-batch+json"]
            )
            #expect(answer.status == 202, "\(answer.text)")
        }
    }

    private func order(
        _ automation: String,
        _ from: String,
        _ until: String,
        more: String = "",
        key: String? = nil
    ) async throws -> HTTPTestClient.Response {
        try await installation.client().post(
            "/admin/api/automations/\(automation)/replays",
            json: #"{"from":"\#(from)","until":"\#(until)"\#(more)}"#,
            headers: key.map { ["Idempotency-Key": $0] } ?? [:]
        )
    }

    /// Starts a replay; answers its id.
    private func replay(
        _ automation: String,
        _ from: String,
        _ until: String,
        more: String = "",
        key: String? = nil
    ) async throws -> String {
        let answer = try await order(automation, from, until, more: more, key: key)
        #expect(answer.status == 202, "\(answer.text)")
        let id = try #require(try JSONValue(parsing: answer.body)["replay_id"]?.stringValue)
        #expect(answer.headers.first(name: "Location") == "/admin/api/replays/\(id)")
        return id
    }

    private func end(of id: String) async throws -> JSONValue {
        try await eventually("the replay ends", within: .seconds(90), every: .milliseconds(100)) {
            try await installation.read("/admin/api/replays/\(id)")
        } until: {
            $0["status"] != "running"
        }
    }

    /// How many runs each automation has.
    private func runs() async throws -> [String: Int] {
        let rows = try await installation.sql.execute(
            PostgresStatement("SELECT automation_key, count(*) FROM engine.automation_runs GROUP BY 1")
        )
        return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.decode(0), try $0.decode(1)) })
    }

    /// Each replay has sent each of the signals that are wanted once.
    private func eachOnce(_ replays: [String]) async throws {
        for id in replays {
            let rows = try await installation.sql.execute(
                PostgresStatement(
                    """
                    SELECT count(*), count(DISTINCT r.metadata::jsonb ->> 'rerun_of')
                    FROM engine.automation_runs r WHERE r.metadata::jsonb ->> 'replay_id' = $1
                    """,
                    [.text(id)]
                )
            )
            let row = try #require(rows.first)
            #expect(try row.decode(0, as: Int.self) == Self.wanted)
            #expect(try row.decode(1, as: Int.self) == Self.wanted)
        }
    }

    /// What a client reads of a rerun.
    private func oneRerun(_ replay: String) async throws {
        let id = try await installation.texts(
            "SELECT run_id::text FROM engine.automation_runs WHERE metadata LIKE '%\(replay)%' LIMIT 1"
        )[0]
        let run = try await installation.read("/api/runs/\(id)")
        let original = try #require(run["metadata"]?["rerun_of"]?.stringValue)
        #expect(run["metadata"]?["source"]?["type"] == "rerun")
        #expect(run["metadata"]?["source"]?["actor"]?["id"] == "admin")
        #expect(run["steps"]?[0]?["output"]?["of"]?.stringValue == original)
        let signal = try await installation.read("/api/signals/\(run["signal_id"]?.stringValue ?? "")")
        #expect(signal["source"] == "/batuta/rerun")
        #expect(signal["decisions"]?.arrayValue?.compactMap { $0["automation_key"]?.stringValue } == ["late"])
    }

    private func entries(_ action: String) async throws -> Int {
        try await installation.count(
            "SELECT count(*) FROM audit.entries WHERE convert_from(canonical, 'UTF8')::jsonb ->> 'action' = '\(action)'"
        )
    }
}
