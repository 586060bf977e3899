import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import TestSupport
import Testing

@testable import AutomationEngineCore

/// Pausing an automation is a flag: its runs wait as `queued`.
@Suite("Pausing automations", .requiresServers, .timeLimit(.minutes(2)))
struct PausingTests {
    @Test(
        "Pausing is a flag: while an automation is paused its runs are held, and those under way go on; then they go within the limits"
    )
    func pauses() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(AdmissionDesk.definition(#""concurrency":{"limit":2}"#))
            try await desk.send("{}", "{}", "{}")
            try await desk.ask(desk.service.pause)
            try await desk.send("{}", "{}")
            let held = ["waiting", "waiting", "queued place", "queued pause", "queued pause"]
            #expect(try await desk.runs() == held)
            // Nothing is let go meanwhile, not even what waits for a place that becomes free.
            let ids = try await desk.ids()
            try await desk.ask(desk.control.cancel, run: ids[0])
            try await desk.look()
            #expect(try await desk.runs() == ["canceled"] + held.dropFirst())
            try await desk.ask(desk.control.cancel, run: ids[3])
            try await desk.ask(desk.service.resume)
            try await desk.look()
            #expect(try await desk.runs() == ["canceled", "waiting", "queued", "canceled", "queued place"])
            try await desk.ask(desk.control.cancel, run: ids[1])
            try await desk.look()
            #expect(try await desk.runs() == ["canceled", "canceled", "queued", "canceled", "queued"])
        }
    }

    @Test("an automation without limits can be paused, and what it has held goes, deprecated or not")
    func withoutLimits() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(#"{"trigger":{"signalType":"a.b"},"steps":[\#(AdmissionDesk.wait)]}"#)
            try await desk.ask(desk.service.pause)
            try await desk.send("{}", "{}")
            try await desk.ask(desk.service.deactivate)
            #expect(try await desk.sendTogether("{}").runs.isEmpty)
            try await desk.look()
            #expect(try await desk.runs() == ["queued pause", "queued pause"])
            try await desk.ask(desk.service.resume)
            try await desk.look()
            #expect(try await desk.runs() == ["queued", "queued"])
            #expect(try await desk.engine.texts("SELECT run_id::text FROM engine.admissions") == [])
        }
    }

    @Test("Pausing is a flag: it changes the ETag and not the version, and leaves one entry; a repetition leaves none")
    func audited() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(#"{"trigger":{"signalType":"a.b"},"steps":[\#(AdmissionDesk.wait)]}"#)
            let before = try await desk.ask(desk.service.get)
            let paused = try await desk.ask(desk.service.pause)
            let again = try await desk.ask(desk.service.pause)
            #expect(before["automation"]?["paused"]?.boolValue == false)
            #expect(paused["automation"]?["paused"]?.boolValue == true)
            #expect(paused["automation"]?["version"] == before["automation"]?["version"])
            #expect(paused["etag"] != before["etag"] && again["etag"] == paused["etag"])
            #expect(try await desk.entries("pause") == ["ada false true"])
            try await desk.ask(desk.service.resume)
            try await desk.ask(desk.service.resume)
            #expect(try await desk.entries("resume") == ["ada true false"])
            await #expect {
                try await desk.ask(desk.service.pause, more: #","if_match":"\#(before["etag"]?.stringValue ?? "")""#)
            } throws: { error in
                (error as? Problem)?.code == .preconditionFailed
            }
        }
    }

    @Test("a resumed run of a paused automation waits too, and is shown with what it waits for")
    func shown() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(#"{"trigger":{"signalType":"a.b"},"steps":[\#(AdmissionDesk.wait)]}"#)
            try await desk.send("{}")
            let run = try await desk.ids()[0]
            try await desk.engine.storage.executeAsSuperuser(
                """
                UPDATE engine.automation_run_steps SET status = 'failed', finished_at = now();
                UPDATE engine.automation_runs SET status = 'failed', finished_at = now();
                DELETE FROM engine.timers
                """
            )
            try await desk.ask(desk.service.pause)
            try await desk.ask(desk.control.resume, run: run)
            try await desk.send("{}")
            #expect(try await desk.runs() == ["queued pause", "queued pause"])
            let reader = RunReader(database: desk.engine.database)
            let reply = try await reader.get(try JSONDocument(parsing: #"{"run_id":"\#(run)"}"#), context: desk.context)
            #expect(try JSONValue(parsing: reply.body)["held_by"]?.stringValue == "paused")
            let list = try await reader.list(
                try JSONDocument(parsing: #"{"status":"queued","limit":10}"#),
                context: desk.context
            )
            let runs = try JSONValue(parsing: list.body)["items"]?.arrayValue ?? []
            #expect(runs.compactMap { $0["run_id"]?.stringValue } == (try await desk.ids()).reversed())
            #expect(runs.allSatisfy { $0["held_by"]?.stringValue == "paused" })
        }
    }
}
