import Domain
import FoundationEssentials
import Messaging
import OutboundHTTP
import Persistence
import ServiceLifecycle
import TestSupport
import Testing

@testable import AutomationEngineCore

@Suite("Attempts and the lease", .requiresServers, .timeLimit(.minutes(2)))
struct RunDriverTests {
    private static let attempts = "SELECT outcome || ' ' || (error::json ->> 'code') FROM engine.step_attempts"

    @Test("nothing is sent by an engine without a lease, and the run waits for another one")
    func withoutLease() async throws {
        try await RecordingSink.with { sink in
            try await TestEngine.with { engine in
                try await Self.drive(engine, sink, since: .now) {
                    try await eventually("the run waits") {
                        try await engine.texts("SELECT status FROM engine.automation_runs") == ["queued"]
                    }
                }
                #expect(sink.calls.isEmpty)
                #expect(try await engine.texts(Self.attempts) == ["failed lease_lost"])
            }
        }
    }

    @Test("an attempt that was recorded before the lease began is not made, and one that was recorded since is")
    func lapse() async throws {
        try await RecordingSink.with { sink in
            try await TestEngine.with { engine in
                let before = ContinuousClock.now
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await engine.lanes.run() }
                    try await eventually("it has a lease") { engine.lanes.holdsLease(since: .now) }
                    try await Self.drive(engine, sink, since: before) {
                        try await eventually("the attempt was given up") {
                            try await engine.texts(Self.attempts) == ["failed lease_lost"]
                        }
                    }
                    #expect(sink.calls.isEmpty)
                    try await Self.drive(engine, sink, since: .now) {
                        try await eventually("the other run has ended") {
                            try await engine.texts("SELECT status FROM engine.automation_runs ORDER BY run_id").last
                                == "succeeded"
                        }
                    }
                    #expect(sink.calls.count == 1)
                    group.cancelAll()
                }
            }
        }
    }

    @Test("runs that cannot be resumed are given back once, and do not stand in the way of each other")
    func leaves() async throws {
        let automation = try Fixtures.automation(steps: #"{"name":"one","action_key":"data.transform"}"#)
        try await TestEngine.with { engine in
            try await TestEngine.withClient { client in
                let committer = engine.committer()
                let driver = engine.driver(client, committer: committer)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await engine.lanes.run() }
                    group.addTask { try await committer.run() }
                    group.addTask { try await driver.run() }
                    var left: [String] = []
                    for _ in 0..<3 {
                        // Its automation is not stored.
                        let (machine, _) = try await engine.begin(automation)
                        try await engine.storage.executeAsSuperuser(
                            """
                            UPDATE engine.automation_runs SET status = 'queued', owner = NULL, finished_at = NULL
                            WHERE run_id = '\(machine.record.id.uuidString)'
                            """
                        )
                        left.append("queued 2")
                        driver.wake()
                        try await eventually("the runs are given back under the fence of one claim each") {
                            try await engine.texts(
                                "SELECT status || ' ' || fence FROM engine.automation_runs WHERE owner IS NULL"
                            )
                        } until: {
                            $0 == left
                        }
                    }
                    group.cancelAll()
                }
            }
        }
    }

    @Test("a run that is given up is stored so, with an entry in the audit log", arguments: [true, false])
    func givesUp(isUnderWay: Bool) async throws {
        let automation = try Fixtures.automation(
            steps: #"{"name":"call","action_key":"http.request","input":{"url":"https://x.org"}}"#
        )
        try await TestEngine.with { engine in
            let committer = engine.committer()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await committer.run() }
                let (machine, _) = try await engine.begin(automation)
                var record = machine.record
                if !isUnderWay { record.steps[0].status = .waiting }
                let change = record.giveUp(.notExecutable("It cannot."), at: TestEngine.now)
                let isHeld = try await committer.commit(RunUpdate(record: record, change: change))
                #expect(isHeld)
                group.cancelAll()
            }
            let row = "SELECT r.status || ' ' || s.status || ' ' || coalesce(r.owner::text, 'nobody')"
            let rows = try await engine.texts(
                "\(row) FROM engine.automation_runs r JOIN engine.automation_run_steps s USING (run_id)"
            )
            #expect(rows == [isUnderWay ? "unknown unknown nobody" : "failed failed nobody"])
            let outcomes = try await engine.texts("SELECT coalesce(outcome, 'none') FROM engine.step_attempts")
            #expect(outcomes == [isUnderWay ? "unknown" : "none"])
            let entries = try await engine.texts(
                """
                SELECT convert_from(body, 'UTF8')::json ->> 'action' FROM engine.outbox
                WHERE destination = 'audit' ORDER BY first_seq DESC LIMIT 1
                """
            )
            #expect(entries == [isUnderWay ? "run.parked" : "run.end"])
        }
    }

    /// Begins a run with one call, and lets a driver take it over as committed after an instant.
    private static func drive(
        _ engine: TestEngine,
        _ sink: RecordingSink,
        since: ContinuousClock.Instant,
        _ body: () async throws -> Void
    ) async throws {
        let automation = try Fixtures.automation(
            steps: #"{"name":"call","action_key":"http.request","input":{"method":"POST","url":"\#(sink.url)"}}"#
        )
        try await TestEngine.withClient { client in
            let committer = engine.committer()
            let driver = engine.driver(client, committer: committer)
            let (machine, next) = try await engine.begin(automation)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await committer.run() }
                group.addTask { try await driver.run() }
                #expect(driver.slots.reserve(machine.record.id, of: machine.record.tenant) == .entered)
                driver.committed(machine, next: next, since: since)
                try await body()
                group.cancelAll()
            }
        }
    }
}
