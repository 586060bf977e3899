import Persistence
import PostgreSQL
import TestSupport
import Testing

@testable import Messaging

@Suite("The lease, as its holder judges it")
struct LeaseTests {
    private static let lease = Duration.seconds(LaneKeeper.leaseSeconds)

    @Test("is not held before it was ever taken")
    func never() {
        #expect(!Self.lanes().holdsLease(since: .now))
    }

    @Test("is held since it was taken, and not since before")
    func since() {
        let lanes = Self.lanes()
        let taken = ContinuousClock.now - .seconds(1)
        lanes.leaseRenewed(at: taken)
        #expect(lanes.holdsLease(since: taken))
        #expect(lanes.holdsLease(since: .now))
        #expect(!lanes.holdsLease(since: taken - .nanoseconds(1)))
    }

    @Test("is taken for lost a second before it ends")
    func spare() {
        let lanes = Self.lanes()
        let now = ContinuousClock.now
        lanes.leaseRenewed(at: now - Self.lease + .milliseconds(999))
        #expect(!lanes.holdsLease(since: now))
        // Long enough that this test comes to its end in it.
        lanes.leaseRenewed(at: now - Self.lease + .seconds(4))
        #expect(lanes.holdsLease(since: now))
    }

    @Test("is held without a break where it was renewed in time, and since its renewal where it was not")
    func renewed() {
        let now = ContinuousClock.now
        for (pause, isUnbroken) in [(Self.lease - .seconds(1), true), (Self.lease + .seconds(1), false)] {
            let lanes = Self.lanes()
            let first = now - pause
            lanes.leaseRenewed(at: first)
            lanes.leaseRenewed(at: now)
            #expect(lanes.holdsLease(since: first) == isUnbroken)
            #expect(lanes.holdsLease(since: now))
        }
    }

    private static func lanes() -> LaneGroup {
        let database = PostgresClient(configuration: PostgresConfiguration(), logger: ServiceDatabase.logger)
        return LaneGroup(context: .withoutBroker(database, schema: .engine), count: 1)
    }
}
