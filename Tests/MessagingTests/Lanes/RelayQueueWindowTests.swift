import FoundationEssentials
import TestSupport
import Testing

@testable import Messaging

/// How much a relay takes out of its queue while the consumer is not known to hold it.
@Suite("What a relay may publish ahead of its consumer")
struct RelayQueueWindowTests {
    private func message(_ first: Int64, _ last: Int64, bytes: Int = 10) -> OutboxMessage {
        OutboxMessage(
            id: UUID(),
            destination: .signals,
            firstSeq: first,
            lastSeq: last,
            tenant: "acme",
            routingKey: "orders.paid",
            type: "batuta.signals.accepted",
            schemaVersion: 1,
            traceparent: nil,
            items: [],
            body: [UInt8](repeating: 1, count: bytes)
        )
    }

    /// The first numbers of what is taken, or what else is to be done.
    private func taken(_ queue: inout RelayQueue, maximum: Int = 10) -> String {
        switch queue.next(maximum: maximum) {
        case .messages(let messages): "\(messages.map(\.firstSeq))"
        case .read(let after, let through, _): "read \(after)...\(through)"
        case .held: "held"
        case .nothing: "nothing"
        }
    }

    @Test("a full window holds the relay, and what is verified lets it go on")
    func window() {
        var queue = RelayQueue(taken: 0, committed: 0, window: 3)
        for seq in 1...5 { queue.committed(message(Int64(seq), Int64(seq))) }
        #expect(taken(&queue) == "[1, 2, 3]")
        #expect(queue.isHeld && taken(&queue) == "held")
        queue.verified(1)
        #expect(!queue.isHeld)
        #expect(taken(&queue) == "read 3...4", "what waited is in the outbox alone")
        queue.read([message(4, 4)])
        #expect(taken(&queue) == "held")
        queue.verified(4)
        #expect(taken(&queue) == "read 4...7")
        queue.read([message(5, 5)])
        #expect(taken(&queue) == "nothing" && !queue.isHeld)
        queue.committed(message(6, 6))
        #expect(taken(&queue) == "[6]", "memory is used again")
    }

    @Test("a message of many goes out whole where its first item fits")
    func wholeMessages() {
        var queue = RelayQueue(taken: 0, committed: 0, window: 10)
        queue.committed(message(1, 8))
        queue.committed(message(9, 16))
        queue.committed(message(17, 24))
        #expect(taken(&queue) == "[1, 9]")
        #expect(taken(&queue) == "held")
        queue.verified(8)
        #expect(taken(&queue) == "read 16...18")
    }

    @Test("while the relay is held, memory keeps nothing of what is committed")
    func memory() {
        var queue = RelayQueue(taken: 0, committed: 0, window: 2)
        queue.committed(message(1, 2))
        #expect(taken(&queue) == "[1]")
        for seq in 3...100 { queue.committed(message(Int64(seq), Int64(seq))) }
        queue.verified(2)
        #expect(taken(&queue) == "read 2...4", "no copy stands beyond the gap")
        #expect(queue.waiting == 98)
    }

    @Test("what is committed while a short rest is read from the outbox follows from memory")
    func gap() {
        var queue = RelayQueue(taken: 0, committed: 5, window: 100)
        #expect(taken(&queue) == "read 0...100")
        queue.committed(message(6, 6))
        queue.committed(message(7, 7))
        #expect(taken(&queue) == "read 0...5", "up to what memory holds")
        queue.read([message(1, 5)])
        #expect(taken(&queue) == "[6, 7]")
    }

    @Test("a reading may run ahead of the news of a commit, and nothing is taken twice")
    func readAhead() {
        var queue = RelayQueue(taken: 0, committed: 1, window: 100)
        #expect(taken(&queue) == "read 0...100")
        queue.read([message(1, 1), message(2, 2)])
        queue.committed(message(2, 2))
        #expect(taken(&queue) == "nothing")
        queue.committed(message(3, 3))
        #expect(taken(&queue) == "[3]")
    }

    @Test("fewer large messages are read at a time")
    func readLimit() {
        var queue = RelayQueue(taken: 0, committed: 10_000)
        func limit() -> Int {
            guard case .read(_, _, let limit) = queue.next(maximum: 10) else { return 0 }
            return limit
        }
        let before = limit()
        queue.read([message(1, 1, bytes: RelayQueue.readBytes + 1)])
        #expect(limit() == before / 2)
        for start in 0..<4 {
            let first = Int64(2 + start * 1_000)
            queue.read((0..<Int64(limit())).map { message(first + $0, first + $0) })
        }
        #expect(limit() == RelayQueue.readLimits.upperBound)
    }

    @Test("random commits, readings and verifications: every message goes out once, in order, within the window")
    func random() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        var queue = RelayQueue(taken: 0, committed: 0, window: 20)
        var outbox: [OutboxMessage] = []
        var published: [Int64] = []
        var verified: Int64 = 0
        for _ in 0..<5_000 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let first = (outbox.last?.lastSeq ?? 0) + 1
                let next = message(first, first + Int64.random(in: 0..<4, using: &random))
                outbox.append(next)
                queue.committed(next)
            case 1, 2:
                let read: [OutboxMessage]
                switch queue.next(maximum: 3) {
                case .messages(let messages): read = messages
                case .read(let after, let through, let limit):
                    read = Array(outbox.filter { $0.lastSeq > after && $0.firstSeq <= through }.prefix(min(limit, 2)))
                    queue.read(read)
                case .held, .nothing: read = []
                }
                published += read.map(\.firstSeq)
                #expect(queue.takenSeq - verified < 20 + 4, "seed \(seed)")
            default:
                verified = Int64.random(in: verified...max(verified, queue.takenSeq), using: &random)
                queue.verified(verified)
            }
        }
        #expect(published == outbox.prefix(published.count).map(\.firstSeq), "seed \(seed)")
        #expect(published.count > 100, "seed \(seed)")
    }
}
