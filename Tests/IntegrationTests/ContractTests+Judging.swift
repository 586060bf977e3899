import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

/// "Judging a signal".
extension ContractTests {
    @Test(
        "Judging: a signal is judged once, against the automations in force when it was processed; a redelivery never widens it"
    )
    func judgedOnce() async throws {
        let key = Self.unique("judged")
        try await automate("\(key)-there", on: key, steps: Self.transform)
        try await automate("\(key)-gone", on: key, steps: Self.transform)
        try await installation.change("\(key)-gone", "deactivate")
        let receipt = try await installation.post(id: key, type: key)
        let judged = try await processed(receipt.signalID)
        try await automate("\(key)-late", on: key, steps: Self.transform)
        try await installation.change("\(key)-gone", "activate")
        try await installation.change("\(key)-there", "deactivate")
        let repeated = #"batuta_engine_signals_total{outcome="repeated""#
        let before = try await counter(repeated, of: .engine)
        try await redeliver(receipt.signalID)
        try await eventually("it was delivered again") { try await counter(repeated, of: .engine) > before }
        #expect(try await runs(of: "\(key)-there") == 1)
        #expect(try await runs(of: "\(key)-late") + runs(of: "\(key)-gone") == 0)
        // What is derived later is what was in force then.
        let later = try await processed(receipt.signalID)
        #expect(later["decisions"] == judged["decisions"], "\(later) \(judged)")
        #expect(decision("\(key)-late", in: judged) == nil)
        #expect(decision("\(key)-gone", in: judged)?["reason"]?.stringValue?.contains("deprecated") == true)
    }

    @Test("Judging: matches are rows, and non-matches are derived from the signal and the versions in force")
    func judgedByVersion() async throws {
        let key = Self.unique("derived")
        try await automate(key, on: key, filter: #"{"data":{"n":[1]}}"#, steps: Self.transform)
        let receipt = try await installation.post(id: key, type: key, data: #"{"n":2}"#)
        let judged = decision(key, in: try await processed(receipt.signalID))
        #expect(judged?["outcome"]?.stringValue == "not_matched")
        #expect(judged?["reason"]?.stringValue?.contains("data.n is 2") == true, "\(judged ?? .null)")
        let wider = #"{"version":1,"definition":\#(Self.definition(on: key))}"#
        #expect(try await ask(.PUT, "\(Self.automations)/\(key)", wider).status == 200)
        #expect(decision(key, in: try await processed(receipt.signalID)) == judged)
        let id = receipt.signalID.uuidString
        let then = try await ask(.POST, "\(Self.automations)/\(key)/why", #"{"signal_id":"\#(id)"}"#)
        #expect(then["version"]?.int64Value == 1 && then["processed"]?.boolValue == true, "\(then.text)")
        #expect(then["matches"]?.boolValue == false, "\(then.text)")
        let event = #"{"event":{"type":"\#(key)","data":{"n":2}}}"#
        let now = try await ask(.POST, "\(Self.automations)/\(key)/why", event)
        #expect(now["version"]?.int64Value == 2 && now["runs"]?.boolValue == true, "\(now.text)")
        for table in ["automation_dedup", "automation_runs", "automation_skips", "signals"] {
            #expect(try await installation.count("SELECT count(*) FROM engine.\(table) WHERE signal_id = '\(id)'") == 0)
        }
        #expect(try await installation.count("SELECT count(*) FROM engine.inbox WHERE signal_id = '\(id)'") == 1)
    }

    @Test("Judging: the decisions list the automations of the signal's type; any other is asked for by its key")
    func judgedByType() async throws {
        let key = Self.unique("listed")
        try await automate("\(key)-exact", on: "\(key).a", steps: Self.transform)
        try await automate("\(key)-family", on: "\(key).*", steps: Self.transform)
        try await automate("\(key)-other", on: "\(key).b", steps: Self.transform)
        let receipt = try await installation.post(id: key, type: "\(key).a")
        let decisions = try await processed(receipt.signalID)["decisions"]?.arrayValue ?? []
        #expect(
            decisions.compactMap { $0["automation_key"]?.stringValue }.sorted() == ["\(key)-exact", "\(key)-family"]
        )
        let question = #"{"signal_id":"\#(receipt.signalID.uuidString)"}"#
        let why = try await ask(.POST, "\(Self.automations)/\(key)-other/why", question)
        #expect(why["matches"]?.boolValue == false && why["reasons"]?.arrayValue?.isEmpty == false, "\(why.text)")
        #expect(try await ask(.POST, "\(Self.automations)/\(key)-none/why", question).status == 404)
    }

    @Test("Judging: automations that wake each other end at a depth of 16, refused and recorded")
    func judgedDepth() async throws {
        let key = Self.unique("loop")
        for (own, other) in [("ping", "pong"), ("pong", "ping")] {
            let step = #"{"name":"tell","action_key":"signal.emit","input":{"type":"\#(key).\#(other)"}}"#
            try await automate("\(key)-\(own)", on: "\(key).\(own)", steps: step)
        }
        try await installation.post(id: key, type: "\(key).ping")
        let ended = """
            SELECT r.status || ' ' || coalesce(s.error::json ->> 'code', '') FROM engine.automation_runs r
            JOIN engine.automation_run_steps s USING (run_id) WHERE r.automation_key LIKE '\(key)-%'
            """
        try await eventually("the chain has ended") {
            try await installation.texts(ended).contains { $0.hasPrefix("failed") }
        }
        let outcomes = try await installation.texts(ended)
        #expect(outcomes.count == 17 && outcomes.count { $0 == "succeeded " } == 16, "\(outcomes)")
        let depths = "SELECT count(*) FROM engine.signal_emissions WHERE type LIKE '\(key).%'"
        #expect(try await installation.count(depths) == 16)
    }
}
