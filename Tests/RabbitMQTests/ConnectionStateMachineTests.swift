import Testing

@testable import RabbitMQ

@Suite("The connection's state machines")
struct ConnectionStateMachineTests {
    private let start = ContinuousClock.now
    private let backoff = ReconnectBackoff(initial: .milliseconds(100), maximum: .seconds(1))
    private let refusal = RabbitMQError(.connectFailed, "refused")

    @Test("tries every host at once, then waits longer and longer")
    func rotation() {
        var machine = ConnectionStateMachine(endpoints: 2, backoff: backoff)
        #expect(machine.started() == .connect(endpoint: 0))
        var delays: [Duration] = []
        var hosts: [Int] = []
        for _ in 0..<12 {
            guard case .wait(let until) = machine.failed(refusal, at: start, jitter: 1) else { return }
            delays.append(start.duration(to: until))
            guard case .connect(let endpoint) = machine.clockAdvanced(to: until) else { return }
            hosts.append(endpoint)
        }
        #expect(hosts == [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0])
        let expected = [0, 100, 100, 200, 200, 400, 400, 800, 800, 1000, 1000, 1000].map { Duration.milliseconds($0) }
        #expect(delays == expected)
    }

    @Test("takes away up to half of a delay")
    func jitter() {
        #expect(backoff.delay(attempt: 1, endpoints: 1, jitter: 0) == .milliseconds(50))
        #expect(backoff.delay(attempt: 1, endpoints: 1, jitter: 1) == .milliseconds(100))
        #expect(backoff.delay(attempt: .max, endpoints: 1, jitter: 7) == .seconds(1))
        #expect(backoff.delay(attempt: 5, endpoints: 0, jitter: -1) == .milliseconds(500))
    }

    @Test("starts over only after a connection that lasted")
    func lasting() {
        var machine = ConnectionStateMachine(endpoints: 1, backoff: backoff)
        _ = machine.started()
        _ = machine.failed(refusal, at: start, jitter: 1)
        _ = machine.clockAdvanced(to: start + .seconds(1))
        #expect(machine.connected(at: start) == 1)
        let short = machine.failed(refusal, at: start + .milliseconds(900), jitter: 1)
        #expect(short == .wait(until: start + .milliseconds(1100)))
        #expect(machine.clockAdvanced(to: start + .milliseconds(1099)) == short)
        #expect(machine.clockAdvanced(to: start + .milliseconds(1100)) == .connect(endpoint: 0))
        #expect(machine.connected(at: start + .seconds(2)) == 2)
        let long = machine.failed(refusal, at: start + .seconds(3), jitter: 1)
        #expect(long == .wait(until: start + .seconds(3)))
    }

    @Test("stops at refusals", arguments: [true, false])
    func refusals(afterConnection: Bool) {
        let codes: [(RabbitMQError.Code, Bool)] = [
            (.accessRefused, !afterConnection), (.preconditionFailed, true), (.configuration, true),
            (.authenticationFailed, !afterConnection), (.notFound, false), (.tls, false), (.resourceLocked, false),
        ]
        for (code, isFatal) in codes {
            var machine = ConnectionStateMachine(endpoints: 1, backoff: backoff)
            _ = machine.started()
            if afterConnection {
                _ = machine.connected(at: start)
                _ = machine.failed(refusal, at: start + .seconds(2), jitter: 0)
                _ = machine.clockAdvanced(to: start + .seconds(2))
            }
            let error = RabbitMQError(code, "no")
            let action = machine.failed(error, at: start + .seconds(2), jitter: 0)
            #expect((action == .stop(error)) == isFatal, "\(code)")
            if isFatal { #expect(machine.clockAdvanced(to: start) == .stop(error)) }
        }
    }

    @Test("stops when what it does is refused, though its login was not")
    func refusalWhileConnected() {
        var machine = ConnectionStateMachine(endpoints: 1, backoff: backoff)
        _ = machine.started()
        _ = machine.connected(at: start)
        let error = RabbitMQError(.accessRefused, "no")
        #expect(machine.failed(error, at: start + .seconds(2), jitter: 0) == .stop(error))
    }

    @Test("subscribes and cancels as wanted, one question at a time")
    func subscription() {
        var machine = SubscriptionStateMachine()
        #expect(machine.polled(at: start) == .consume)
        #expect(machine.polled(at: start) == .none)
        #expect(machine.askedAt == start && machine.keepsDeliveries && !machine.isActive)
        machine.wanted(false)
        #expect(machine.polled(at: start) == .none)
        #expect(!machine.keepsDeliveries)
        machine.consumeConfirmed()
        #expect(machine.polled(at: start) == .cancel)
        machine.wanted(true)
        #expect(machine.polled(at: start) == .none)
        machine.cancelConfirmed()
        #expect(machine.isInactive)
        #expect(machine.polled(at: start) == .consume)
        machine.connectionLost()
        #expect(machine.polled(at: start) == .consume)
    }

    @Test("puts messages together and refuses what is out of order")
    func assembler() throws {
        let message = ReceivedMessage(origin: .delivery(tag: 1, isRedelivered: false), exchange: "x", routingKey: "k")
        var assembler = MessageAssembler(maximumSize: 10)
        try assembler.begun(message)
        #expect(try assembler.header(MessageProperties(), bodySize: 0)?.body == [])
        try assembler.begun(message)
        #expect(try assembler.header(MessageProperties(), bodySize: 3) == nil)
        #expect(try [1, 2].withUnsafeBytes { try assembler.body($0.prefix(2).rebased) } == nil)
        #expect(try [UInt8(9)].withUnsafeBytes { try assembler.body($0) }?.body == [1, 0, 9])
        #expect(throws: RabbitMQError.self) { try assembler.header(MessageProperties(), bodySize: 1) }
        try assembler.begun(message)
        #expect(throws: RabbitMQError.self) { try assembler.begun(message) }
        #expect(throws: RabbitMQError.self) { try assembler.header(MessageProperties(), bodySize: 11) }
        var second = MessageAssembler(maximumSize: 10)
        try second.begun(message)
        _ = try second.header(MessageProperties(), bodySize: 1)
        #expect(throws: RabbitMQError.self) { try [UInt8(1), 2].withUnsafeBytes { try second.body($0) } }
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate var rebased: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self) }
}
