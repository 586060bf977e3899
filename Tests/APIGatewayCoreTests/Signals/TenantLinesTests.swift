import Domain
import Testing

@testable import APIGatewayCore

/// The lines are pure, but what stands in them has somebody waiting; every test answers all of them.
@Suite struct TenantLinesTests {
    @Test func aTenantHoldsWhatItLeavesFree() async throws {
        var test = Lines(capacity: 12)
        #expect(try await test.add("a", signals: 5) == .taken)
        #expect(try await test.add("a", signals: 2) == .tenantFull)
        #expect(try await test.add("a", signals: 1) == .taken)
        #expect(try await test.add("a", signals: 1) == .tenantFull)
        #expect(try await test.add("b", signals: 3) == .taken)
        #expect(try await test.add("b", signals: 1) == .tenantFull)
        // There is always something left for one that comes now.
        #expect(try await test.add("c", signals: 1) == .taken)
        #expect(try await test.add("d", signals: 9) == .taken)
        #expect(try await test.add("e", signals: 1) == .full)
        #expect(test.lines.signals == 19)
        test.end()
    }

    @Test func oneThatIsAloneMayHoldAHalf() async throws {
        var test = Lines(capacity: 2_000)
        var taken = 0
        while try await test.add("a", signals: 1) == .taken { taken += 1 }
        #expect(taken == 1_000)
        taken = 0
        while try await test.add("b", signals: 1) == .taken { taken += 1 }
        #expect(taken == 500)
        test.end()
    }

    @Test func aQuietTenantIsInTheNextBatchWhateverWaits() async throws {
        var test = Lines(capacity: 100_000)
        for _ in 0..<2_000 { _ = try await test.add("loud") }
        _ = try await test.add("quiet")
        let batch = test.take(signals: 500)
        #expect(batch.count == 500)
        #expect(batch.count { $0 == "quiet" } == 1)
        // Alone again, it fills whole batches, in its order.
        #expect(test.take(signals: 500) == [String](repeating: "loud", count: 500))
        #expect(test.isInOrder)
        test.end()
    }

    @Test func tenantsShareABatchAndTheRestOfItIsUsed() async throws {
        var test = Lines(capacity: 100_000)
        for _ in 0..<100 { _ = try await test.add("a") }
        for _ in 0..<2 { _ = try await test.add("b") }
        for _ in 0..<100 { _ = try await test.add("c") }
        let first = test.take(signals: 12)
        #expect(["a", "b", "c"].map { tenant in first.count { $0 == tenant } } == [6, 2, 4])
        // Now `c` comes first and has what room is left.
        let second = test.take(signals: 13)
        #expect(["a", "b", "c"].map { tenant in second.count { $0 == tenant } } == [6, 0, 7])
        #expect(test.isInOrder)
        test.end()
    }

    @Test func whoGotNothingComesFirstTheNextTime() async throws {
        var test = Lines(capacity: 100_000)
        for tenant in ["a", "b", "c"] {
            for _ in 0..<3 { _ = try await test.add(tenant, signals: 10) }
        }
        // One is as much as a batch may hold, and larger ones are batches by themselves.
        let batches = (0..<9).map { _ in test.take(signals: 5) }
        #expect(batches == ["a", "b", "c", "a", "b", "c", "a", "b", "c"].map { [$0] })
        #expect(test.take(signals: 5).isEmpty)
        test.end()
    }

    @Test func largeRequestsAndSmallOnesAlternate() async throws {
        var test = Lines(capacity: 100_000)
        for _ in 0..<3 { _ = try await test.add("large", signals: 600) }
        for _ in 0..<700 { _ = try await test.add("small") }
        #expect(test.take(signals: 500) == ["large"])
        #expect(test.take(signals: 500) == [String](repeating: "small", count: 500))
        #expect(test.take(signals: 500) == ["large"])
        #expect(test.take(signals: 500) == [String](repeating: "small", count: 200))
        #expect(test.take(signals: 500) == ["large"])
        #expect(test.lines.isEmpty && test.lines.signals == 0)
        test.end()
    }

    @Test func theBytesOfABatchAreSharedToo() async throws {
        var test = Lines(capacity: 100_000)
        for _ in 0..<10 { _ = try await test.add("a", bytes: 30) }
        for _ in 0..<10 { _ = try await test.add("b", bytes: 30) }
        #expect(test.take(signals: 500, bytes: 120) == ["a", "a", "b", "b"])
        test.end()
    }

    @Test func whatExpiresLeavesItsLine() async throws {
        var test = Lines(capacity: 10)
        _ = try await test.add("a")
        _ = try await test.add("b")
        #expect(test.lines.removeExpired(at: .now).isEmpty)
        let expired = test.lines.removeExpired(at: .now + .seconds(60))
        #expect(expired.map(\.tenant.key) == ["a", "b"])
        for group in expired { group.refuse(.databaseAway) }
        #expect(test.lines.isEmpty && test.lines.signals == 0)
        #expect(try await test.add("b") == .taken)
        #expect(test.take(signals: 5) == ["b"])
        test.end()
    }

    @Test func withManyTenantsNobodyWaitsLongerThanARound() async throws {
        var test = Lines(capacity: 1_000_000)
        let tenants = (0..<40).map { "t\($0)" }
        for tenant in tenants {
            for _ in 0..<50 { _ = try await test.add(tenant) }
        }
        var waited: [String: Int] = [:]
        while !test.lines.isEmpty {
            let batch = Set(test.take(signals: 7))
            for tenant in tenants {
                waited[tenant] = batch.contains(tenant) ? 0 : waited[tenant, default: 0] + 1
                guard test.left[tenant, default: 0] > 0 else { continue }
                // Forty tenants, seven in a batch.
                #expect(waited[tenant, default: 0] <= 6, "\(tenant)")
            }
        }
        #expect(test.isInOrder)
        test.end()
    }

    /// Lines with whoever waits in them.
    private struct Lines {
        var lines = TenantLines()
        /// How many groups of each tenant are in.
        var left: [String: Int] = [:]
        /// Whether each tenant's groups came out in the order in which they were put in.
        var isInOrder = true
        private let capacity: Int
        private var numbers: [String: Int] = [:]
        private var last: [String: Int] = [:]

        init(capacity: Int) {
            self.capacity = capacity
        }

        mutating func add(_ name: String, signals: Int = 1, bytes: Int = 1) async throws -> TenantLines.Admission {
            let tenant = try #require(Tenant(name))
            let number = numbers[name, default: 0]
            numbers[name] = number + 1
            let group = await Self.group(of: tenant, number: number, signals: signals, bytes: bytes)
            let admission = lines.append(group, capacity: capacity)
            if admission == .taken {
                left[name, default: 0] += 1
            } else {
                group.refuse(.overloaded)
            }
            return admission
        }

        mutating func take(signals: Int, bytes: Int = 4 << 20) -> [String] {
            let groups = lines.takeBatch(SignalQueue.BatchLimits(signals: signals, bytes: bytes))
            for group in groups {
                group.answer([])
                let name = group.tenant.key
                left[name, default: 0] -= 1
                let number = group.signals.first.flatMap { Int($0.id) } ?? -1
                isInOrder = isInOrder && number > last[name, default: -1]
                last[name] = number
            }
            return groups.map(\.tenant.key)
        }

        /// Answers whoever still waits.
        mutating func end() {
            while !lines.isEmpty { _ = take(signals: 1_000) }
        }

        private static func group(
            of tenant: Tenant,
            number: Int,
            signals: Int,
            bytes: Int
        ) async -> WaitingSignals {
            let signals = (0..<signals).map { _ in
                IncomingSignal(
                    signalID: UUIDv7.make(),
                    tenant: tenant,
                    type: "t",
                    source: "s",
                    id: String(number),
                    digest: [],
                    event: [UInt8](repeating: 0, count: bytes),
                    traceparent: nil
                )
            }
            return await withCheckedContinuation { made in
                Task {
                    try await withCheckedThrowingContinuation { continuation in
                        made.resume(
                            returning: WaitingSignals(
                                signals,
                                of: tenant,
                                credential: nil,
                                deadline: .now + .seconds(30),
                                continuation: continuation
                            )
                        )
                    }
                }
            }
        }
    }
}
