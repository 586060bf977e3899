import Logging
import Messaging
import Synchronization
import TestSupport
import Testing

/// A source that hands out what it was given and records what is done with it.
private final class ScriptedSource: BatchSource {
    struct State {
        var batches: [[Delivery]] = []
        var acknowledged: [UInt64] = []
        var calls: [String] = []
        var minimums: [Int] = []
    }

    let state: Mutex<State>

    init(_ batches: [[Delivery]]) {
        state = Mutex(State(batches: batches.reversed()))
    }

    func nextBatch(maximum: Int, minimum: Int) async throws -> [Delivery]? {
        state.withLock { state in
            state.minimums.append(minimum)
            return state.batches.popLast()
        }
    }

    func acknowledge(_ deliveries: [Delivery]) {
        state.withLock { $0.acknowledged += deliveries.map(\.token.tag) }
    }

    func pause() { state.withLock { $0.calls.append("pause") } }
    func resume() { state.withLock { $0.calls.append("resume") } }
}

@Suite struct BatchConsumerTests {
    private struct Outage: Error {}
    private struct Poison: Error {}

    private static let settings = BatchConsumer.Settings(
        firstPause: .milliseconds(1),
        longestPause: .milliseconds(2)
    )

    private static func delivery(_ tag: UInt64, redeliveries: Int64 = 0) -> Delivery {
        var properties = MessageProperties()
        properties.headers["x-delivery-count"] = .int64(redeliveries)
        return Delivery(
            token: Delivery.Token(epoch: 1, tag: tag),
            exchange: "batuta.signals",
            routingKey: "a",
            isRedelivered: redeliveries > 0,
            properties: properties,
            body: [UInt8(tag)]
        )
    }

    @Test func thePoisonIsBuriedAndTheOthersAreProcessed() async throws {
        let source = ScriptedSource([(1...20).map { Self.delivery($0) }])
        let seen = Mutex<[UInt64]>([])
        let buried = Mutex<[UInt64]>([])
        let consumer = BatchConsumer(
            label: "test",
            source: source,
            settings: Self.settings,
            process: { deliveries in
                guard !deliveries.contains(where: { $0.token.tag == 13 }) else { throw Poison() }
                seen.withLock { $0 += deliveries.map(\.token.tag) }
            },
            classify: { _ in .data },
            bury: { delivery, reason in
                #expect(reason.contains("Poison"))
                buried.withLock { $0.append(delivery.token.tag) }
            },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await consumer.run()
        #expect(buried.withLock { $0 } == [13])
        #expect(seen.withLock { $0.sorted() } == (1...20).filter { $0 != 13 })
        #expect(source.state.withLock { $0.acknowledged.sorted() } == Array(1...20))
        #expect(source.state.withLock { $0.calls } == [])
    }

    @Test func anOutagePausesAndTheSameDeliveriesComeAgain() async throws {
        let source = ScriptedSource([[Self.delivery(1), Self.delivery(2)], [Self.delivery(3)]])
        let attempts = Mutex<[[UInt64]]>([])
        let consumer = BatchConsumer(
            label: "test",
            source: source,
            settings: Self.settings,
            process: { deliveries in
                let count = attempts.withLock { attempts in
                    attempts.append(deliveries.map(\.token.tag))
                    return attempts.count
                }
                if count < 4 { throw Outage() }
            },
            classify: { $0 is Outage ? .retry : .data },
            bury: { _, _ in Issue.record("nothing is to be buried") },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await consumer.run()
        #expect(attempts.withLock { $0 } == [[1, 2], [1], [1], [1], [2], [3]])
        #expect(source.state.withLock { $0.calls } == ["pause", "resume"])
        #expect(source.state.withLock { $0.acknowledged } == [1, 2, 3])
    }

    @Test func anOutageWhileBuryingLosesNothing() async throws {
        let source = ScriptedSource([[Self.delivery(1, redeliveries: Int64(BatchPlan.redeliveriesAtAll))]])
        let attempts = Mutex(0)
        let consumer = BatchConsumer(
            label: "test",
            source: source,
            settings: Self.settings,
            process: { _ in Issue.record("it is not to be processed once more") },
            classify: { _ in .retry },
            bury: { _, _ in
                let count = attempts.withLock { attempts in
                    attempts += 1
                    return attempts
                }
                #expect(source.state.withLock { $0.acknowledged } == [])
                if count < 3 { throw Outage() }
            },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await consumer.run()
        #expect(attempts.withLock { $0 } == 3)
        #expect(source.state.withLock { $0.acknowledged } == [1])
    }

    @Test func severalWorkersPauseOnceAndResumeOnce() async throws {
        let source = ScriptedSource((1...4).map { [Self.delivery($0)] })
        let isDown = Mutex(true)
        let arrived = Mutex<Set<UInt64>>([])
        var settings = Self.settings
        settings.workers = 4
        let consumer = BatchConsumer(
            label: "test",
            source: source,
            settings: settings,
            process: { deliveries in
                let count = arrived.withLock { arrived in
                    arrived.formUnion(deliveries.map(\.token.tag))
                    return arrived.count
                }
                if count == 4 { isDown.withLock { $0 = false } }
                if isDown.withLock({ $0 }) { throw Outage() }
            },
            classify: { _ in .retry },
            bury: { _, _ in },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await consumer.run()
        let calls = source.state.withLock { $0.calls }
        #expect(source.state.withLock { $0.acknowledged.sorted() } == [1, 2, 3, 4])
        // However the workers came and went, pauses and resumptions alternate and the last word is to resume.
        #expect(calls.enumerated().allSatisfy { $0.element == ($0.offset.isMultiple(of: 2) ? "pause" : "resume") })
        #expect(calls.count.isMultiple(of: 2))
    }

    @Test func oneWorkerTakesWhatIsThereAndTheOthersHelpUnderPressure() async throws {
        let source = ScriptedSource([])
        var settings = Self.settings
        settings.workers = 3
        settings.pressure = 7
        let consumer = BatchConsumer(
            label: "test",
            source: source,
            settings: settings,
            process: { _ in },
            classify: { _ in .data },
            bury: { _, _ in },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await consumer.run()
        #expect(source.state.withLock { $0.minimums.sorted() } == [1, 7, 7])
    }

    @Test func aCancelledOutageEndsWithoutAcknowledging() async throws {
        let source = ScriptedSource([[Self.delivery(1)]])
        var settings = Self.settings
        settings.firstPause = .seconds(3_600)
        settings.longestPause = .seconds(3_600)
        let consumer = BatchConsumer(
            label: "test",
            source: source,
            settings: settings,
            process: { _ in throw Outage() },
            classify: { _ in .retry },
            bury: { _, _ in },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await consumer.run() }
            try await eventually("the outage pauses the source") { source.state.withLock { $0.calls == ["pause"] } }
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(source.state.withLock { $0.acknowledged } == [])
    }
}
