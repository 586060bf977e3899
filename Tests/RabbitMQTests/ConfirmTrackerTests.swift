import Testing

@testable import RabbitMQ

@Suite("The confirm tracker")
struct ConfirmTrackerTests {
    typealias Tracker = ConfirmTracker<Int>

    private let now = ContinuousClock.now

    private func identity(_ number: Int) -> Tracker.Identity {
        Tracker.Identity(messageID: "m\(number)", exchange: "x", routingKey: "k")
    }

    private func tracker(_ count: Int) -> Tracker {
        var tracker = Tracker()
        for number in 1...count { tracker.published(number, identity: identity(number), at: now) }
        return tracker
    }

    @Test("counts tags from one on every channel")
    func tags() {
        var tracker = Tracker()
        #expect(tracker.published(7, identity: nil, at: now) == 1)
        #expect(tracker.published(8, identity: nil, at: now) == 2)
        #expect(tracker.connectionLost().unresolved == [7, 8])
        #expect(tracker.published(9, identity: nil, at: now) == 1)
    }

    @Test("settles one, all up to one, and all so far")
    func settles() {
        var tracker = tracker(6)
        #expect(tracker.acknowledged(tag: 2, multiple: false).map(\.payload) == [2])
        #expect(tracker.acknowledged(tag: 2, multiple: false).isEmpty)
        #expect(tracker.acknowledged(tag: 4, multiple: true).map(\.payload) == [1, 3, 4])
        #expect(tracker.count == 2)
        #expect(tracker.acknowledged(tag: 0, multiple: true).map(\.payload) == [5, 6])
        #expect(tracker.isEmpty)
    }

    @Test("ignores tags that are not open", arguments: [0, 7, 8, UInt64.max])
    func foreignTags(tag: UInt64) {
        var tracker = tracker(6)
        #expect(tracker.acknowledged(tag: tag, multiple: false).isEmpty)
        if tag != 0 { #expect(tracker.acknowledged(tag: tag, multiple: true).isEmpty) }
        #expect(tracker.count == 6)
    }

    @Test("tells a returned message from a confirmed one by the ack that follows")
    func returns() {
        var tracker = tracker(3)
        let isMatched = tracker.returned(identity(2), code: 312, text: "NO_ROUTE")
        #expect(isMatched)
        let outcomes = tracker.acknowledged(tag: 3, multiple: true).map(\.outcome)
        #expect(outcomes == [.confirmed, .returned(code: 312, text: "NO_ROUTE"), .confirmed])
        let isMatchedAgain = tracker.returned(identity(2), code: 312, text: "NO_ROUTE")
        #expect(!isMatchedAgain)
    }

    @Test("matches returns of equal messages in the order of publishing")
    func equalReturns() {
        var tracker = Tracker()
        for number in 1...3 { tracker.published(number, identity: identity(0), at: now) }
        tracker.published(4, identity: nil, at: now)
        let matches = (1...4).map { _ in tracker.returned(identity(0), code: 312, text: "") }
        #expect(matches == [true, true, true, false])
        #expect(tracker.acknowledged(tag: 4, multiple: true).last?.outcome == .confirmed)
    }

    @Test("gives back what a lost connection left open, but not what was returned")
    func loss() {
        var tracker = tracker(4)
        _ = tracker.acknowledged(tag: 1, multiple: false)
        tracker.returned(identity(3), code: 312, text: "")
        let remainder = tracker.connectionLost()
        #expect(remainder.unresolved == [2, 4])
        #expect(remainder.resolved.map(\.payload) == [3])
        #expect(tracker.isEmpty)
    }

    @Test("resolves every message exactly once, whatever the broker sends", arguments: 0..<40)
    func random(run: Int) {
        let seed = UInt64.random(in: 1...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        var tracker = Tracker()
        var seen: [Int: Int] = [:]
        var published = 0
        var issued: UInt64 = 0
        var open: [UInt64: Int] = [:]
        for _ in 0..<600 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<5:
                published += 1
                let tag = tracker.published(published, identity: identity(published), at: now)
                #expect(tag == issued + 1, "seed \(seed)")
                issued = tag
                open[tag] = published
            case 5..<9:
                let tag = UInt64.random(in: 0...issued + 2, using: &generator)
                let multiple = Bool.random(using: &generator)
                let settled =
                    Bool.random(using: &generator)
                    ? tracker.acknowledged(tag: tag, multiple: multiple).map(\.payload)
                    : tracker.nacked(tag: tag, multiple: multiple)
                let expected = open.filter { key, _ in
                    multiple ? tag <= issued && (tag == 0 || key <= tag) : key == tag
                }
                #expect(Set(settled) == Set(expected.values), "seed \(seed)")
                for payload in settled { seen[payload, default: 0] += 1 }
                open = open.filter { !settled.contains($0.value) }
            default:
                guard Int.random(in: 0..<10, using: &generator) == 0 else { continue }
                issued = 0
                for payload in tracker.connectionLost().unresolved { seen[payload, default: 0] += 1 }
                open = [:]
            }
            #expect(tracker.count == open.count, "seed \(seed)")
        }
        for payload in tracker.connectionLost().unresolved { seen[payload, default: 0] += 1 }
        #expect(seen.count == published && seen.values.allSatisfy { $0 == 1 }, "seed \(seed)")
    }
}
