import Testing

@testable import RabbitMQ

@Suite struct DeliveryBufferTests {
    private let start = ContinuousClock.now
    private var patience: Duration { DeliveryBuffer<String>.patience }

    /// A buffer with so many deliveries, tagged from 1.
    private func buffer(_ count: UInt64) -> DeliveryBuffer<String> {
        var buffer = DeliveryBuffer<String>()
        for tag in 0..<count { buffer.append(delivery(tag + 1), at: start) }
        return buffer
    }

    private func delivery(_ tag: UInt64) -> Delivery {
        Delivery(
            token: Delivery.Token(epoch: 1, tag: tag),
            exchange: "",
            routingKey: "",
            isRedelivered: false,
            properties: MessageProperties(),
            body: []
        )
    }

    /// What was served, as text: `caller: tags`.
    private func text(_ served: [DeliveryBuffer<String>.Served]) -> [String] {
        served.map { "\($0.caller): \($0.batch.map(\.token.tag))" }
    }

    @Test("serves callers in their order, and each with no more than it wants")
    func order() {
        var buffer = buffer(0)
        _ = buffer.enter("first", maximum: 2, minimum: 1)
        _ = buffer.enter("second", maximum: 10, minimum: 1)
        _ = buffer.enter("third", maximum: 10, minimum: 1)
        #expect(buffer.serve(at: start).isEmpty)
        for tag in 1...5 { buffer.append(delivery(UInt64(tag)), at: start) }
        #expect(text(buffer.serve(at: start)) == ["first: [1, 2]", "second: [3, 4, 5]"])
        #expect(buffer.removeCallers() == ["third"])
    }

    @Test("a caller that wants much lets others pass until there is as much")
    func minimum() {
        var buffer = buffer(2)
        _ = buffer.enter("helper", maximum: 10, minimum: 3)
        #expect(buffer.serve(at: start).isEmpty)
        _ = buffer.enter("worker", maximum: 10, minimum: 1)
        #expect(text(buffer.serve(at: start)) == ["worker: [1, 2]"])
        for tag in 3...5 { buffer.append(delivery(UInt64(tag)), at: start) }
        #expect(text(buffer.serve(at: start)) == ["helper: [3, 4, 5]"])
    }

    @Test("less than a caller wants is handed out once it has waited long")
    func patienceEnds() {
        var buffer = buffer(1)
        #expect(buffer.deadline == nil, "nobody waits")
        _ = buffer.enter("helper", maximum: 10, minimum: 3)
        buffer.append(delivery(2), at: start + patience / 2)
        #expect(buffer.deadline == start + patience, "counted from the oldest delivery")
        #expect(buffer.serve(at: start + patience - .milliseconds(1)).isEmpty)
        #expect(text(buffer.serve(at: start + patience)) == ["helper: [1, 2]"])
        #expect(buffer.deadline == nil, "nothing waits")
    }

    @Test("what a caller leaves behind waits anew")
    func rest() {
        var buffer = buffer(3)
        _ = buffer.enter("worker", maximum: 2, minimum: 1)
        _ = buffer.enter("helper", maximum: 10, minimum: 2)
        let later = start + patience / 2
        #expect(text(buffer.serve(at: later)) == ["worker: [1, 2]"])
        #expect(buffer.deadline == later + patience)
    }

    @Test("a caller that has cancelled gets nothing, and deliveries that are taken out reach nobody")
    func removal() {
        var buffer = buffer(0)
        let id = buffer.enter("gone", maximum: 1, minimum: 1)
        _ = buffer.enter("stays", maximum: 1, minimum: 1)
        #expect(buffer.cancel(id) == "gone")
        #expect(buffer.cancel(id) == nil)
        buffer.append(delivery(1), at: start)
        #expect(buffer.removeDeliveries().map(\.token.tag) == [1])
        #expect(buffer.deadline == nil)
        #expect(buffer.serve(at: start + patience).isEmpty)
        buffer.append(delivery(2), at: start)
        #expect(text(buffer.serve(at: start)) == ["stays: [2]"])
    }
}
