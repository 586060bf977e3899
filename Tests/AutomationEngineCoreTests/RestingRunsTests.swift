import Domain
import FoundationEssentials
import JSON
import Testing

@testable import AutomationEngineCore

@Suite("Runs that cannot be resumed")
struct RestingRunsTests {
    private static let now: Int64 = 1_763_688_555_123_456
    private static let error = StepError.notExecutable("It cannot.")

    @Test("a run rests for a while, and is given up when nobody could resume it for long")
    func rests() throws {
        let resting = RestingRuns()
        let start = ContinuousClock.now
        let (one, two) = (UUIDv7.make(), UUIDv7.make())
        let steps = try record(.waiting).steps
        #expect(resting.failed(one, at: steps, now: start) == .rest)
        #expect(resting.runs(at: start + .seconds(1)) == [one])
        #expect(resting.runs(at: start + RestingRuns.restTime).isEmpty)
        #expect(resting.failed(one, at: steps, now: start + .seconds(61)) == .rest)
        #expect(resting.failed(two, at: nil, now: start + RestingRuns.patience) == .rest)
        #expect(resting.failed(one, at: steps, now: start + RestingRuns.patience) == .giveUp)
        // Whoever takes it up again begins anew.
        #expect(resting.failed(one, at: steps, now: start + RestingRuns.patience) == .rest)
    }

    @Test("a run that has gone on, here or somewhere else, is given all the time again")
    func progress() throws {
        let start = ContinuousClock.now
        let (before, after) = (try record(.waiting, .queued).steps, try record(.succeeded, .waiting).steps)
        let elsewhere = RestingRuns()
        let run = UUIDv7.make()
        #expect(elsewhere.failed(run, at: before, now: start) == .rest)
        #expect(elsewhere.failed(run, at: after, now: start + RestingRuns.patience) == .rest)
        let here = RestingRuns()
        #expect(here.failed(run, at: before, now: start) == .rest)
        here.resumed(run)
        #expect(here.runs(at: start).isEmpty)
        #expect(here.failed(run, at: before, now: start + RestingRuns.patience) == .rest)
    }

    @Test("a run that was not tried here for long is forgotten")
    func forgets() throws {
        let resting = RestingRuns()
        let start = ContinuousClock.now
        let run = UUIDv7.make()
        let steps = try record(.waiting).steps
        #expect(resting.failed(run, at: steps, now: start) == .rest)
        let later = start + RestingRuns.restTime + RestingRuns.patience
        #expect(resting.runs(at: later).isEmpty)
        #expect(resting.failed(run, at: steps, now: later) == .rest)
    }

    @Test("a run with nothing left to do succeeds, even if it cannot be read any more")
    func nothingLeft() throws {
        var record = try record(.succeeded, .skipped)
        let change = record.giveUp(Self.error, at: Self.now)
        #expect(record.status == .succeeded)
        #expect(record.error == nil)
        #expect(record.finishedAt == Self.now)
        #expect(change.steps.isEmpty)
    }

    @Test("a run that is given up has failed at the step that was next, whatever came before")
    func givesUp() throws {
        var record = try record(.succeeded, .waiting, .queued)
        let change = record.giveUp(Self.error, at: Self.now)
        #expect(record.status == .failed)
        #expect(record.finishedAt == Self.now)
        #expect(record.error == Self.error.bytes)
        #expect(record.steps.map(\.status) == [.succeeded, .failed, .skipped])
        #expect(record.steps.map(\.error) == [nil, Self.error.bytes, nil])
        #expect(change.steps == [1, 2])
        #expect(change.ended.isEmpty)
    }

    @Test("a person decides about an attempt that was under way when a run is given up")
    func parks() throws {
        var record = try record(.succeeded, .running, .queued)
        let change = record.giveUp(Self.error, at: Self.now)
        #expect(record.status == .unknown)
        #expect(record.finishedAt == nil)
        #expect(record.steps.map(\.status) == [.succeeded, .unknown, .queued])
        #expect(change.steps == [1])
        #expect(change.ended.map(\.outcome) == [.unknown(Self.error)])
        #expect(change.ended.map(\.number) == [record.steps[1].attempt])
    }

    /// A run with steps in these states.
    private func record(_ statuses: StepStatus...) throws -> RunRecord {
        let steps = statuses.indices.map { #"{"name":"s\#($0)","action_key":"data.transform"}"# }
        let automation = try Fixtures.automation(
            #"{"trigger":{"signalType":"a.b"},"steps":[\#(steps.joined(separator: ","))]}"#
        )
        var record = RunRecord(automation, signal: try Fixtures.signal(), runID: UUIDv7.make(), at: 1)
        for (position, status) in statuses.enumerated() {
            record.steps[position].status = status
            record.steps[position].attempt = status == .queued ? 0 : 1
        }
        return record
    }
}
