import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AutomationEngineCore

/// Concurrency limits, rates and dedupe keys, as batches of signals meet them.
@Suite("Admission of runs", .requiresServers, .timeLimit(.minutes(3)))
struct AdmissionTests {
    @Test("queue: what finds no place is held, nobody claims it, and it goes when the one before it has ended")
    func queue() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(
                AdmissionDesk.definition(#""concurrency":{"limit":1,"key":"{{ signal.data.k }}"}"#)
            )
            try await desk.send(#"{"k":"a"}"#, #"{"k":"a"}"#, #"{"k":"b"}"#)
            try await desk.send(#"{"k":"a"}"#)
            #expect(try await desk.runs() == ["waiting", "queued place", "waiting", "queued place"])
            try await desk.look()
            #expect(try await desk.runs() == ["waiting", "queued place", "waiting", "queued place"])
            #expect(try await claimed(desk).isEmpty)

            let ids = try await desk.ids()
            try await desk.ask(desk.control.cancel, run: ids[0])
            #expect(try await claimed(desk).isEmpty)
            try await desk.look()
            #expect(try await desk.runs() == ["canceled", "queued", "waiting", "queued place"])
            // It has its place before anybody has claimed it.
            try await desk.send(#"{"k":"a"}"#)
            #expect(try await desk.runs() == ["canceled", "queued", "waiting", "queued place", "queued place"])
            #expect(try await claimed(desk) == [ids[1]])
        }
    }

    @Test("one value of a key is one key, however it is spelled; texts that only look the same are two")
    func spellings() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(
                AdmissionDesk.definition(#""concurrency":{"limit":1,"key":"{{ signal.data.k }}"}"#)
            )
            try await desk.send(#"{"k":"a"}"#, #"{"k":"\u0061"}"#, #"{"k":5}"#, #"{"k":5.0}"#)
            #expect(try await desk.runs() == ["waiting", "queued place", "waiting", "queued place"])
            try await desk.sendTogether(#"{"k":"\u00e9"}"#, #"{"k":"e\u0301"}"#)
            #expect(try await desk.runs().suffix(2) == ["waiting", "waiting"])
            for run in try await desk.ids().suffix(2) { try await desk.ask(desk.control.cancel, run: run) }
            try await desk.look()
            #expect(
                try await desk.engine.texts("SELECT run_id::text FROM engine.admissions WHERE stage = 'freed'").isEmpty
            )
        }
    }

    @Test("A8: a held run that is canceled never runs, and what it stood before goes on")
    func canceledWhileHeld() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(AdmissionDesk.definition(#""concurrency":{"limit":1}"#))
            try await desk.send("{}", "{}", "{}")
            let ids = try await desk.ids()
            try await desk.ask(desk.control.cancel, run: ids[1])
            #expect(try await desk.runs() == ["waiting", "canceled", "queued place"])
            try await desk.ask(desk.control.cancel, run: ids[0])
            try await desk.look()
            #expect(try await desk.runs() == ["canceled", "canceled", "queued"])
            #expect(try await desk.engine.texts("SELECT DISTINCT held::text FROM engine.automation_runs") == ["false"])
            try await desk.ask(desk.control.cancel, run: ids[2])
            try await desk.look()
            #expect(try await desk.engine.texts("SELECT run_id::text FROM engine.admissions") == [])
        }
    }

    @Test("skip: no run, but a row that says why, and a redelivery changes nothing even when there is room again")
    func skip() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(AdmissionDesk.definition(#""concurrency":{"limit":1,"on_limit":"skip"}"#))
            let signals = [try Fixtures.signal(), try Fixtures.signal()].sorted { $0.id < $1.id }
            let outcome = try await desk.processor().process(signals)
            #expect(outcome.runs.count == 1 && outcome.refusals.count == 1)
            let ids = try await desk.ids()
            #expect(try await desk.skips() == ["concurrency \(ids[0])"])
            try await desk.ask(desk.control.cancel, run: ids[0])
            try await desk.look()
            _ = try await desk.processor().process(signals)
            #expect(try await desk.runs() == ["canceled"])
            #expect(try await desk.skips().count == 1)
            #expect(
                try await desk.engine.texts("SELECT count(*)::text FROM engine.automation_dedup") == ["2"]
            )
            let reply = try await desk.decisions.decisions(
                try JSONDocument(parsing: #"{"signal_id":"\#(signals[1].id.lowercased)","type":"a.b"}"#),
                context: desk.context
            )
            let decision = try #require(try JSONValue(parsing: reply.body)["decisions"]?[0])
            #expect(decision["outcome"]?.stringValue == "skipped")
            #expect(decision["blocking_run_id"]?.stringValue == ids[0])
            let event = String(decoding: signals[1].event, as: UTF8.self)
            let why = try await desk.ask(desk.decisions.why, more: #","event":\#(event)"#)
            #expect(why["runs"]?.boolValue == false)
            #expect(why["reasons"]?[0]?["pointer"]?.stringValue == "/concurrency")
            try await desk.send("{}")
            #expect(try await desk.runs() == ["canceled", "waiting"])
        }
    }

    @Test("cancel_running: the newest begins, and the one before it ends in the same transaction, with its entries")
    func cancelRunning() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(
                AdmissionDesk.definition(#""concurrency":{"limit":1,"on_limit":"cancel_running"}"#)
            )
            try await desk.send("{}")
            try await desk.sendTogether("{}", "{}")
            #expect(try await desk.runs().sorted() == ["canceled", "canceled", "waiting"])
            #expect(
                try await desk.entries("run.cancel")
                    == Array(
                        repeating: "automation-engine waiting canceled a newer run has taken its place",
                        count: 2
                    )
            )
            #expect(try await desk.entries("run.end").count == 2)
            #expect(
                try await desk.engine.texts("SELECT run_id::text FROM engine.timers")
                    == (try await desk.engine.texts(
                        "SELECT run_id::text FROM engine.automation_runs WHERE status = 'waiting'"
                    ))
            )
            #expect(try await desk.engine.texts("SELECT stage FROM engine.admissions") == ["going"])
        }
    }

    @Test("a rate lets as many begin within its time as it says, and the others when their time has come")
    func rate() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(
                AdmissionDesk.definition(#""rate_limit":{"limit":2,"per":"1h"}"#, #"{"action_key":"data.transform"}"#)
            )
            try await desk.send("{}", "{}", "{}", "{}", "{}")
            let full = ["succeeded", "succeeded", "queued rate", "queued rate", "queued rate"]
            #expect(try await desk.runs() == full)
            let left = try #require(try await desk.held.nextLook(deadline: .now + .seconds(10)))
            #expect(left > .seconds(3_500) && left <= .seconds(3_600))
            // Somebody looks too early.
            try await desk.engine.storage.executeAsSuperuser(
                "UPDATE engine.admissions SET look_at = now() WHERE look_at IS NOT NULL"
            )
            try await desk.look()
            #expect(try await desk.runs() == full)
            #expect(try await desk.held.nextLook(deadline: .now + .seconds(10)).map { $0 > .seconds(3_000) } == true)
            // An hour later.
            try await desk.engine.storage.executeAsSuperuser(
                """
                UPDATE engine.rate_starts SET started_at = started_at - interval '1 hour';
                UPDATE engine.admissions SET look_at = look_at - interval '1 hour'
                """
            )
            try await desk.look()
            #expect(try await desk.runs() == ["succeeded", "succeeded", "queued", "queued", "queued rate"])
            #expect(try await desk.engine.texts("SELECT count(*)::text FROM engine.rate_starts") == ["4"])
        }
    }

    @Test("A15: a key starts one run within its window; a collision names that run")
    func window() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(
                AdmissionDesk.definition(#""dedupe":{"key":"{{ signal.data.k }}","window":"1h"}"#)
            )
            try await desk.send(#"{"k":1}"#, #"{"k":1}"#, #"{"k":2}"#)
            try await desk.send(#"{"k":1}"#)
            let ids = try await desk.ids()
            #expect(try await desk.skips() == Array(repeating: "deduplicated \(ids[0])", count: 2))
            // Its end gives the key not up, its window does.
            try await desk.ask(desk.control.cancel, run: ids[0])
            try await desk.send(#"{"k":1}"#)
            #expect(try await desk.runs().count == 2)
            try await desk.engine.storage.executeAsSuperuser("UPDATE engine.gates SET expires_at = now()")
            try await desk.send(#"{"k":1}"#)
            #expect(try await desk.runs() == ["canceled", "waiting", "waiting"])
        }
    }

    @Test("A15: until its run has ended, or the window has: whichever comes first")
    func untilEnd() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(
                AdmissionDesk.definition(#""dedupe":{"key":"{{ signal.data.k }}","until":"end","window":"1h"}"#)
            )
            try await desk.send(#"{"k":1}"#)
            try await desk.send(#"{"k":1}"#)
            #expect(try await desk.runs() == ["waiting"])
            try await desk.ask(desk.control.cancel, run: try await desk.ids()[0])
            try await desk.send(#"{"k":1}"#)
            #expect(try await desk.runs() == ["canceled", "waiting"])
            try await desk.engine.storage.executeAsSuperuser("UPDATE engine.gates SET expires_at = now()")
            try await desk.send(#"{"k":1}"#)
            #expect(try await desk.runs() == ["canceled", "waiting", "waiting"])
        }
    }

    @Test("A7: a limit holds for manual runs, for reruns and for runs that go on, as for signals")
    func everyWay() async throws {
        try await AdmissionDesk.with { desk in
            let call = #"{"name":"call","action_key":"http.request","input":{"url":"https://x.org"}}"#
            try await desk.automate(AdmissionDesk.definition(#""concurrency":{"limit":1}"#, call))
            let manual = ManualExecution(
                database: desk.engine.database,
                processor: desk.processor(),
                lanes: desk.engine.lanes
            )
            try await desk.send("{}")
            let first = try await desk.ids()[0]
            try await fail(first, desk)
            try await desk.look()
            try await desk.send("{}")
            _ = try await desk.ask(manual.execute, more: #","body":{"mode":"live_run"}"#)
            _ = try await manual.rerun(try JSONDocument(parsing: #"{"run_id":"\#(first)"}"#), context: desk.context)
            try await desk.ask(desk.control.resume, run: first)
            #expect(try await desk.runs() == ["queued place", "running", "queued place", "queued place"])
            // A dry run has no effect that could be too much.
            let dry = try await desk.ask(manual.execute, more: #","body":{"mode":"dry_run"}"#)
            #expect(
                try await desk.engine.texts(
                    "SELECT status FROM engine.automation_runs WHERE run_id = '\(dry["run_id"]?.stringValue ?? "")'"
                ) == ["succeeded"]
            )
            // They go one at a time, the oldest first.
            for _ in 0..<4 {
                try await desk.look()
                let going = try await desk.engine.texts(
                    "SELECT run_id::text FROM engine.automation_runs WHERE finished_at IS NULL AND NOT held"
                )
                #expect(going.count == 1)
                for run in going { try await desk.ask(desk.control.cancel, run: run) }
            }
            #expect(
                try await desk.engine.texts("SELECT run_id::text FROM engine.automation_runs WHERE finished_at IS NULL")
                    == []
            )
        }
    }

    @Test("a rerun and a manual run meet a dedupe key: the one passes it, the other is answered with its run")
    func dedupeByHand() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(AdmissionDesk.definition(#""dedupe":{"key":"{{ signal.data.k }}","window":"1h"}"#))
            try await desk.automate(
                AdmissionDesk.definition(#""concurrency":{"limit":1,"on_limit":"skip"}"#)
                    .replacing("a.b", with: "a.c"),
                key: "two"
            )
            let manual = ManualExecution(
                database: desk.engine.database,
                processor: desk.processor(),
                lanes: desk.engine.lanes
            )
            let body = #","body":{"mode":"live_run","context":{"k":7}}"#
            let first = try await desk.ask(manual.execute, more: body)
            let second = try await desk.ask(manual.execute, more: body)
            #expect(first["deduplicated"] == nil && second["deduplicated"]?.boolValue == true)
            #expect(first["run_id"] == second["run_id"] && first["signal_id"] != second["signal_id"])
            #expect(try await desk.entries("execute_manual").count == 2)
            #expect(try await desk.runs() == ["waiting"])
            let run = try #require(first["run_id"]?.stringValue)
            _ = try await manual.rerun(try JSONDocument(parsing: #"{"run_id":"\#(run)"}"#), context: desk.context)
            #expect(try await desk.runs() == ["waiting", "waiting"])

            _ = try await desk.ask(manual.execute, "two", more: body)
            let before = try await desk.engine.texts("SELECT count(*)::text FROM engine.inbox")
            await #expect {
                try await desk.ask(manual.execute, "two", more: body)
            } throws: { error in
                (error as? Problem)?.code == .limitReached
            }
            #expect(try await desk.engine.texts("SELECT count(*)::text FROM engine.inbox") == before)
            #expect(try await desk.runs(of: "two") == ["waiting"])
        }
    }

    @Test("a run whose key has no value fails at its first step and says so, and has no effect")
    func invalidKey() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(AdmissionDesk.definition(#""concurrency":{"limit":1,"key":"{{ signal.data.k }}"}"#))
            try await desk.sendTogether("{}", #"{"k":1}"#)
            #expect(try await desk.runs().sorted() == ["failed", "waiting"])
            #expect(
                try await desk.engine.texts(
                    "SELECT status || ' ' || (error::json ->> 'code') FROM engine.automation_run_steps WHERE error IS NOT NULL"
                ) == ["failed invalid_key"]
            )
            await #expect {
                let failed = "SELECT run_id::text FROM engine.automation_runs WHERE status = 'failed'"
                try await desk.ask(desk.control.resume, run: try await desk.engine.texts(failed)[0])
            } throws: { error in
                (error as? Problem)?.code == .wrongState
            }
        }
    }

    @Test("an edit that raises the limit lets those go that wait")
    func edit() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(AdmissionDesk.definition(#""concurrency":{"limit":1}"#))
            try await desk.send("{}", "{}", "{}", "{}")
            let definition = AdmissionDesk.definition(#""concurrency":{"limit":3}"#)
            try await desk.ask(desk.service.update, more: #","body":{"version":1,"definition":\#(definition)}"#)
            try await desk.look()
            #expect(try await desk.runs() == ["waiting", "queued", "queued", "queued place"])
        }
    }

    @Test("automations without limits leave no row, and are admitted beside those with limits")
    func unlimited() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(AdmissionDesk.definition(#""concurrency":{"limit":1}"#))
            try await desk.automate(#"{"trigger":{"signalType":"a.b"},"steps":[\#(AdmissionDesk.wait)]}"#, key: "two")
            try await desk.sendTogether("{}", "{}")
            #expect(try await desk.runs().sorted() == ["queued place", "waiting"])
            #expect(try await desk.runs(of: "two") == ["waiting", "waiting"])
            #expect(try await desk.engine.texts("SELECT count(*)::text FROM engine.admissions") == ["2"])
        }
    }

    /// Ends the run's attempt as one that has failed for good.
    private func fail(_ run: String, _ desk: AdmissionDesk) async throws {
        try await desk.engine.storage.executeAsSuperuser(
            """
            UPDATE engine.automation_run_steps SET status = 'failed', finished_at = now() WHERE run_id = '\(run)';
            UPDATE engine.automation_runs SET status = 'failed', finished_at = now(), owner = NULL WHERE run_id = '\(run)';
            UPDATE engine.admissions SET stage = 'freed', look_at = now() WHERE run_id = '\(run)'
            """
        )
    }

    /// Claims everything that can be claimed.
    private func claimed(_ desk: AdmissionDesk) async throws -> [String] {
        var turns = ClaimTurns()
        return try await RunRepository(database: desk.engine.database).claim(
            room: RunSlots(capacity: 10).room(limit: 10),
            turns: &turns,
            owner: desk.engine.instance,
            held: [],
            deadline: .now + .seconds(10)
        )
        .map(\.id.lowercased)
    }
}
