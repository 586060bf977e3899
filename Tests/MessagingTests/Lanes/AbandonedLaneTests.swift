import Domain
import Persistence
import TestSupport
import Testing

@testable import Messaging

@Suite("Lanes that nobody keeps")
struct AbandonedLaneTests {
    @Test("an open lane is abandoned for all but its own instance, unless that holds its lease")
    func open() async throws {
        try await ServiceDatabase.with(.engine) { storage in
            let repository = LaneRepository(schema: "engine", database: storage.client)
            let (own, other) = (UUIDv7.make(), UUIDv7.make())
            let deadline = ContinuousClock.now + .seconds(60)
            // Its lease was never taken: both begin at the same time.
            let epoch = try await repository.open(producer: "automation-engine/a/0", keeper: own, deadline: deadline)
            #expect(try await repository.abandonedLanes(besides: [], by: own, limit: 10).map(\.epoch) == [])
            #expect(try await repository.abandonedLanes(besides: [], by: other, limit: 10).map(\.epoch) == [epoch])
            #expect(try await repository.abandonedLanes(besides: [epoch], by: other, limit: 10).map(\.epoch) == [])
            try await repository.renewLease(of: own, replica: "a", seconds: 3_600, deadline: deadline)
            #expect(try await repository.abandonedLanes(besides: [], by: other, limit: 10).map(\.epoch) == [])
        }
    }
}
