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
                let attempts = "SELECT outcome || ' ' || (error::json ->> 'code') FROM engine.step_attempts"
                #expect(try await engine.texts(attempts) == ["failed lease_lost"])
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
                        try await eventually("the run waits") {
                            try await engine.texts("SELECT status FROM engine.automation_runs") == ["queued"]
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
                #expect(driver.slots.reserve(machine.record.id))
                driver.committed(machine, next: next, since: since)
                try await body()
                group.cancelAll()
            }
        }
    }
}
