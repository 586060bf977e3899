import Domain
import Synchronization
import TestSupport
import Testing

@testable import APIGatewayCore

@Suite(.timeLimit(.minutes(2))) struct SignalQueueTests {
    @Test func aBatchIsWhatHasArrivedWithinItsLimits() async throws {
        let queue = SignalQueue(capacity: 1_000, limits: .init(signals: 5, bytes: 100))
        let sizes = [10, 10, 10, 10, 10, 10, 80, 30, 500, 10]
        let sizesOfBatches = try await withThrowingTaskGroup(of: [SignalReceipt].self) { group in
            for (index, size) in sizes.enumerated() {
                group.addTask { try await Self.offer(size, to: queue) }
                try await eventually("the signal waits") { queue.count == index + 1 }
            }
            var batches: [[Int]] = []
            while queue.count > 0, let batch = await queue.take(0) {
                batches.append(batch.map(\.bytes))
                for signal in batch {
                    signal.answer(signal.signals.map { SignalReceipt(signalID: $0.signalID, isDuplicate: false) })
                }
            }
            try await group.waitForAll()
            return batches
        }
        #expect(sizesOfBatches == [[10, 10, 10, 10, 10], [10, 80], [30], [500], [10]])
    }

    @Test func aLoneSignalWaitsForNobody() async throws {
        let queue = SignalQueue(capacity: 1)
        let answered = Task {
            for signal in await queue.take(0) ?? [] {
                signal.answer(signal.signals.map { SignalReceipt(signalID: $0.signalID, isDuplicate: false) })
            }
        }
        let receipt = try await Self.offer(1, to: queue)
        #expect(receipt.map(\.isDuplicate) == [false])
        await answered.value
    }

    @Test(arguments: [
        (pressure: 3, patience: Duration.seconds(1_000), begins: false), (2, .seconds(1_000), true), (3, .zero, true),
    ])
    func aSecondBatchBeginsUnderPressureOnly(pressure: Int, patience: Duration, begins: Bool) async throws {
        let queue = SignalQueue(capacity: 100, limits: .init(pressure: pressure, patience: patience))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await Self.offer(1, to: queue) }
            let first = await queue.take(0)
            group.addTask { _ = try await Self.offer([1, 1], to: queue) }
            try await eventually("the second one waits") { queue.count == 2 }
            let second = Task { await queue.take(1) }
            if begins {
                #expect(await second.value?.count == 1)
            } else {
                try await eventually("the second caller sleeps") { queue.sleeperCount == 1 }
                // Only the end of the first batch, or of everything, lets it go on.
                let next = await queue.take(0)
                #expect(next?.count == 1)
                Self.answer(next)
                queue.close()
                #expect(await second.value?.count == nil)
            }
            Self.answer(first)
            if begins { Self.answer(await second.value) }
            try await group.waitForAll()
        }
    }

    @Test func whatWaitsBehindASlowBatchIsTakenAfterANudge() async throws {
        let queue = SignalQueue(capacity: 100, limits: .init(patience: .milliseconds(50)))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await Self.offer(1, to: queue) }
            let first = await queue.take(0)
            let isTaken = Atomic(false)
            group.addTask { Self.answer(await queue.take(1)) }
            group.addTask {
                _ = try await Self.offer(1, to: queue)
                isTaken.store(true, ordering: .relaxed)
            }
            try await eventually("the second one is taken") {
                queue.nudge()
                return isTaken.load(ordering: .relaxed)
            }
            Self.answer(first)
            try await group.waitForAll()
        }
    }

    private static func answer(_ batch: [WaitingSignals]?) {
        for signal in batch ?? [] {
            signal.answer(signal.signals.map { SignalReceipt(signalID: $0.signalID, isDuplicate: false) })
        }
    }

    @Test func aFullOrClosedQueueRefuses() async throws {
        let queue = SignalQueue(capacity: 0)
        let problem = await #expect(throws: GatewayProblem.self) { try await Self.offer(1, to: queue) }
        #expect(problem?.status == 503)
        #expect(problem?.retryAfter == 1)
        queue.close()
        await #expect(throws: GatewayProblem.draining) { try await Self.offer(1, to: queue) }
        let batch = await queue.take(0)
        #expect(batch?.count == nil)
    }

    @Test func whatHasWaitedTooLongIsTakenOut() async throws {
        let queue = SignalQueue(capacity: 2)
        let refused = Task { try await Self.offer(1, to: queue) }
        try await eventually("the signal waits") { queue.count == 1 }
        #expect(queue.removeExpired(at: .now).isEmpty)
        let expired = queue.removeExpired(at: .now + .seconds(60))
        #expect(expired.count == 1)
        for signal in expired {
            signal.refuse(.databaseAway)
        }
        await #expect(throws: GatewayProblem.databaseAway) { try await refused.value }
    }

    @Test func aGroupIsNeverSplitAndCountsAsItsSignals() async throws {
        let queue = SignalQueue(capacity: 24, limits: .init(signals: 5, bytes: 100))
        let sizes = [[1, 1], [1, 1, 1], [1], [1, 1, 1, 1, 1, 1]]
        let batches = try await withThrowingTaskGroup(of: [SignalReceipt].self) { group in
            var count = 0
            for signals in sizes {
                group.addTask { try await Self.offer(signals, to: queue) }
                count += signals.count
                try await eventually("the signals wait") { [count] in queue.count == count }
            }
            // They take up a half of it, which is as much as one tenant may.
            let problem = await #expect(throws: GatewayProblem.self) { try await Self.offer([], to: queue) }
            #expect(problem?.status == 429)
            #expect(problem?.retryAfter == 1)
            var batches: [[Int]] = []
            while queue.count > 0, let batch = await queue.take(0) {
                batches.append(batch.map(\.signals.count))
                for group in batch {
                    group.answer(group.signals.map { SignalReceipt(signalID: $0.signalID, isDuplicate: false) })
                }
            }
            try await group.waitForAll()
            return batches
        }
        #expect(batches == [[2, 3], [1], [6]])
    }

    private static func offer(_ size: Int, to queue: SignalQueue) async throws -> [SignalReceipt] {
        try await offer([size], to: queue)
    }

    private static func offer(_ sizes: [Int], to queue: SignalQueue) async throws -> [SignalReceipt] {
        let tenant = try TestGateway.tenant()
        let signals = sizes.map { size in
            IncomingSignal(
                signalID: UUIDv7.make(),
                tenant: tenant,
                type: "t",
                source: "s",
                id: "i",
                digest: [],
                event: [UInt8](repeating: 0, count: size),
                traceparent: nil
            )
        }
        return try await withCheckedThrowingContinuation { continuation in
            queue.offer(
                WaitingSignals(
                    signals,
                    of: tenant,
                    credential: TokenCredential(token: TokenHash([]), generation: 1),
                    deadline: .now + .seconds(30),
                    continuation: continuation
                )
            )
        }
    }
}
