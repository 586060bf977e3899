import Contracts
import Testing

@testable import AuditWriterCore

@Suite struct AppendPlanTests {
    private let other = "api-gateway/test/1"

    private func lane(_ producer: String) -> LaneName { LaneName(producer: producer, epoch: 1) }

    @Test func oneRunPerLaneInTheOrderOfTheFirstMessages() throws {
        var lanes: [LaneName: LaneSequencer] = [:]
        let first = lane(Entries.producer)
        let messages = [try Entries.message(3...4), try Entries.message(1...2), try Entries.message(2...3)]
        let plan = AppendPlan(messages, lanes: &lanes, releaseLimit: 100)
        #expect(plan.runs.map(\.lane) == [first])
        #expect(plan.runs.map(\.numbers) == [1..<5])
        #expect(plan.duplicates == 2)
        #expect(plan.held.isEmpty)
        // The copy that came first is the one that is appended.
        #expect(plan.entry(2, of: first)?.id == messages[1].entries[1].id)
        #expect(lanes[first]?.next == 5)
    }

    @Test func lanesAreIndependent() throws {
        let (first, second) = (lane(Entries.producer), lane(other))
        var lanes = [first: LaneSequencer(last: 5), second: LaneSequencer(early: RangeSet(2..<4))]
        let engine = try Entries.message(8...9)
        let plan = AppendPlan([engine], resuming: [second], lanes: &lanes, releaseLimit: 100)
        #expect(plan.runs.isEmpty)
        #expect(plan.held.map(\.seq) == [8, 9])
        #expect(lanes[first]?.early == RangeSet(8..<10))
        #expect(lanes[second]?.next == 1)
    }

    @Test func whatMayNotBeReleasedAtOnceIsNamed() throws {
        let name = lane(Entries.producer)
        var lanes = [name: LaneSequencer(early: RangeSet(2..<10))]
        let plan = AppendPlan([try Entries.message(1...1)], lanes: &lanes, releaseLimit: 3)
        #expect(plan.appendedCount == 4)
        #expect(plan.unfinished == [name])
        let rest = AppendPlan([], resuming: plan.unfinished, lanes: &lanes, releaseLimit: 100)
        #expect(rest.runs.map(\.numbers) == [5..<10])
        #expect(rest.unfinished.isEmpty)
    }

    @Test func whatIsHeldCanBeLeftHeld() throws {
        let (first, second) = (lane(Entries.producer), lane(other))
        var lanes = [first: LaneSequencer(early: RangeSet(3..<5)), second: LaneSequencer(early: RangeSet(1..<2))]
        let messages = [try Entries.message(1...2), try Entries.message(5...6)]
        let plan = AppendPlan(messages, resuming: [second], lanes: &lanes, releaseLimit: nil)
        #expect(plan.runs.map(\.numbers) == [1..<3])
        #expect(plan.releasedCount == 0)
        #expect(plan.held.map(\.seq) == [5, 6])
        #expect(Set(plan.unfinished) == [first, second])
        #expect(lanes[first]?.early == RangeSet(3..<7))
    }

    @Test func onlyDuplicatesNeedNoTransaction() throws {
        var lanes = [lane(Entries.producer): LaneSequencer(last: 9)]
        let plan = AppendPlan([try Entries.message(3...5)], lanes: &lanes, releaseLimit: 3)
        #expect(plan.isEmpty)
        #expect(plan.duplicates == 3)
    }
}
