import Testing

@testable import RabbitMQ

@Suite("The publish ledger")
struct PublishLedgerTests {
    private let start = ContinuousClock.now
    private let backoff = ReconnectBackoff(initial: .milliseconds(100), maximum: .seconds(1))
    private let lost = RabbitMQError(.connectionLost, "lost")

    private var later: ContinuousClock.Instant { start + .seconds(30) }

    private func message(_ id: String, exchange: String = "x", key: String = "k") -> OutgoingMessage {
        OutgoingMessage(exchange: exchange, routingKey: key, properties: MessageProperties(messageID: id), body: [])
    }

    private func closure(_ code: UInt16, _ text: String) -> ChannelClosure {
        ChannelClosure(code: code, text: text, classID: 60, methodID: 40)
    }

    private func ids(_ items: [PublishLedger.Item]) -> [String?] { items.map(\.message.properties.messageID) }

    @Test("keeps to the window and completes a submission with its last message")
    func window() throws {
        var ledger = PublishLedger(window: 2, backoff: backoff)
        let id = ledger.submitted([message("a"), message("b"), message("c")], deadline: later)
        #expect(ids(ledger.publishable(maximum: 10, at: start)) == ["a", "b"])
        #expect(ledger.publishable(maximum: 10, at: start).isEmpty)
        #expect(ledger.acknowledged(tag: 2, multiple: true).isEmpty)
        #expect(ids(ledger.publishable(maximum: 10, at: start)) == ["c"])
        let completion = try #require(ledger.acknowledged(tag: 3, multiple: false).first)
        #expect(completion.submission == id)
        #expect(try completion.result.get() == [.confirmed, .confirmed, .confirmed])
        #expect(ledger.isIdle)
    }

    @Test("publishes again, first and in order, what a connection left open")
    func republishes() {
        var ledger = PublishLedger(window: 10, backoff: backoff)
        _ = ledger.submitted(["a", "b", "c"].map { message($0) }, deadline: later)
        _ = ledger.publishable(maximum: 2, at: start)
        _ = ledger.acknowledged(tag: 1, multiple: false)
        #expect(ledger.connectionLost(lost).isEmpty)
        ledger.connected()
        #expect(ids(ledger.publishable(maximum: 10, at: start)) == ["b", "c"])
    }

    private func once(_ id: String) -> OutgoingMessage {
        var message = message(id)
        message.isSentOnce = true
        return message
    }

    private func codes(_ completions: [PublishLedger.Completion]?) -> [RabbitMQError.Code?]? {
        completions?.map { completion in
            guard case .failure(let error) = completion.result else { return nil }
            return error.code
        }
    }

    @Test("a message that is sent once is not published again, and its caller learns what is known")
    func sentOnce() {
        var ledger = PublishLedger(window: 10, backoff: backoff)
        _ = ledger.submitted([once("a")], deadline: later)
        _ = ledger.submitted([message("b")], deadline: later)
        #expect(ids(ledger.publishable(maximum: 10, at: start)) == ["a", "b"])
        #expect(codes(ledger.connectionLost(lost)) == [.connectionLost])
        ledger.connected()
        #expect(ids(ledger.publishable(maximum: 10, at: start)) == ["b"])
        // Not given away, given away, and refused for want of an exchange.
        _ = ledger.submitted([once("c")], deadline: start + .seconds(1))
        ledger.blocked(reason: "memory")
        #expect(ledger.publishable(maximum: 10, at: start).isEmpty)
        #expect(codes(ledger.clockAdvanced(to: start + .seconds(2))) == [.blocked])
        ledger.unblocked(at: start)
        _ = ledger.submitted([once("d")], deadline: start + .seconds(3))
        #expect(ids(ledger.publishable(maximum: 10, at: start)) == ["d"])
        #expect(codes(ledger.clockAdvanced(to: start + .seconds(4))) == [.confirmTimeout])
        _ = ledger.submitted([once("e")], deadline: later)
        _ = ledger.publishable(maximum: 10, at: start)
        let closure = closure(404, "NOT_FOUND - no exchange 'x' in vhost '/'")
        #expect(codes(ledger.refused(closure, at: start)) == [.notFound])
    }

    @Test("a refused message that is sent once ends alone, and with others the connection has to go")
    func refusedOnce() throws {
        var ledger = PublishLedger(window: 10, backoff: backoff)
        _ = ledger.submitted([once("a")], deadline: later)
        let other = ledger.submitted([message("b")], deadline: later)
        _ = ledger.submitted([once("c")], deadline: later)
        _ = ledger.publishable(maximum: 10, at: start)
        #expect(codes(ledger.nacked(tag: 1, multiple: false)) == [.nacked])
        #expect(codes(ledger.nacked(tag: 3, multiple: true)) == nil)
        #expect(codes(ledger.nacked(tag: 9, multiple: false)) == nil)
        #expect(ledger.acknowledged(tag: 2, multiple: false).map(\.submission) == [other])
        #expect(codes(ledger.stopped(lost)) == [.connectionLost])
    }

    @Test("tells only the caller at fault of a refusal")
    func refusal() {
        var ledger = PublishLedger(window: 10, backoff: backoff)
        _ = ledger.submitted([message("a")], deadline: later)
        let culprit = ledger.submitted([message("b", exchange: "y", key: "secret")], deadline: later)
        _ = ledger.submitted([message("c", exchange: "y", key: "open")], deadline: later)
        _ = ledger.publishable(maximum: 10, at: start)
        let text = "ACCESS_REFUSED - write access to topic 'secret' in exchange 'y' in vhost '/' refused for user 'u'"
        let completions = ledger.refused(closure(403, text), at: start)
        #expect(completions.map(\.submission) == [culprit])
        guard case .failure(let error)? = completions.first?.result else {
            Issue.record("no error")
            return
        }
        #expect(error.code == .accessRefused)
        #expect(ids(ledger.publishable(maximum: 10, at: start)) == ["a", "c"])
    }

    @Test("holds messages to a missing exchange while others pass, and tries again")
    func missingExchange() {
        var ledger = PublishLedger(window: 10, backoff: backoff)
        let id = ledger.submitted([message("a", exchange: "gone")], deadline: later)
        _ = ledger.submitted([message("b")], deadline: later)
        _ = ledger.publishable(maximum: 10, at: start)
        let missing = closure(404, "NOT_FOUND - no exchange 'gone' in vhost '/'")
        #expect(ledger.refused(missing, at: start).isEmpty)
        #expect(ids(ledger.publishable(maximum: 10, at: start)) == ["b"])
        #expect(ledger.nextDeadline == start + .milliseconds(100))
        #expect(ledger.sent(message("event", exchange: "gone"), at: start) == false)
        _ = ledger.acknowledged(tag: 1, multiple: false)
        #expect(ids(ledger.publishable(maximum: 10, at: start + .milliseconds(100))) == ["a"])
        #expect(ledger.refused(missing, at: start + .milliseconds(100)).isEmpty)
        #expect(ledger.publishable(maximum: 10, at: start + .milliseconds(299)).isEmpty)
        #expect(ids(ledger.publishable(maximum: 10, at: start + .milliseconds(300))) == ["a"])
        let completions = ledger.clockAdvanced(to: later)
        #expect(completions.map(\.submission) == [id])
        guard case .failure(let error)? = completions.first?.result else {
            Issue.record("no error")
            return
        }
        #expect(error.code == .notFound)
    }

    @Test("finds the culprit of a refusal that names nobody by sending one at a time")
    func isolation() {
        var ledger = PublishLedger(window: 10, backoff: backoff)
        let submissions = ["a", "b", "c"].map { ledger.submitted([message($0)], deadline: later) }
        _ = ledger.publishable(maximum: 10, at: start)
        #expect(ledger.refused(closure(406, "PRECONDITION_FAILED - invalid"), at: start).isEmpty)
        #expect(ids(ledger.publishable(maximum: 10, at: start)) == ["a"])
        #expect(ledger.publishable(maximum: 10, at: start).isEmpty)
        #expect(ledger.acknowledged(tag: 1, multiple: false).map(\.submission) == [submissions[0]])
        #expect(ids(ledger.publishable(maximum: 10, at: start)) == ["b"])
        let refused = ledger.refused(closure(406, "PRECONDITION_FAILED - invalid"), at: start)
        #expect(refused.map(\.submission) == [submissions[1]])
        #expect(ids(ledger.publishable(maximum: 10, at: start)) == ["c"])
    }

    @Test("publishes nothing while blocked, and names that at the deadline")
    func blocked() {
        var ledger = PublishLedger(window: 10, backoff: backoff)
        _ = ledger.submitted([message("a")], deadline: later)
        _ = ledger.publishable(maximum: 1, at: start)
        ledger.blocked(reason: "low on memory")
        let waiting = ledger.submitted([message("b")], deadline: start + .seconds(1))
        #expect(ledger.publishable(maximum: 10, at: start).isEmpty)
        #expect(ledger.oldestUnconfirmed == nil)
        let completions = ledger.clockAdvanced(to: start + .seconds(1))
        #expect(completions.map(\.submission) == [waiting])
        guard case .failure(let error)? = completions.first?.result else {
            Issue.record("no error")
            return
        }
        #expect(error.code == .blocked)
        ledger.unblocked(at: start + .seconds(5))
        #expect(ledger.oldestUnconfirmed == start + .seconds(5))
    }

    @Test("completes every submission exactly once, whatever happens", arguments: 0..<40)
    func random(run: Int) {
        let seed = UInt64.random(in: 1...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        var ledger = PublishLedger(window: 7, backoff: backoff)
        var completed: [UInt64: Int] = [:]
        var submitted: Set<UInt64> = []
        var issued: UInt64 = 0
        var now = start
        for step in 0..<800 {
            now += .milliseconds(Int.random(in: 0..<20, using: &generator))
            var completions: [PublishLedger.Completion] = []
            switch Int.random(in: 0..<12, using: &generator) {
            case 0..<3:
                let messages = (0..<Int.random(in: 1..<5, using: &generator)).map {
                    message("\(step).\($0)", exchange: Bool.random(using: &generator) ? "x" : "y")
                }
                let limit = now + .milliseconds(Int.random(in: 0..<3000, using: &generator))
                submitted.insert(ledger.submitted(messages, deadline: limit))
            case 3..<6:
                issued += UInt64(ledger.publishable(maximum: 3, at: now).count)
            case 6..<8:
                let tag = UInt64.random(in: 0...issued, using: &generator)
                completions = ledger.acknowledged(tag: tag, multiple: Bool.random(using: &generator))
            case 8:
                completions = ledger.clockAdvanced(to: now)
            case 9:
                _ = ledger.sent(message("event"), at: now)
            case 10:
                if let id = submitted.randomElement(using: &generator) {
                    completions = ledger.cancelled(id).map { [$0] } ?? []
                }
            default:
                let texts = ["no exchange 'y' in vhost '/'", "access to exchange 'x' in vhost '/' refused", "other"]
                let text = texts.randomElement(using: &generator) ?? ""
                let code: UInt16 = Bool.random(using: &generator) ? 404 : 403
                if Bool.random(using: &generator) { completions = ledger.refused(closure(code, text), at: now) }
                completions += ledger.connectionLost(lost)
                ledger.connected()
                issued = 0
            }
            for completion in completions { completed[completion.submission, default: 0] += 1 }
            #expect(ledger.outstandingCount <= 7, "seed \(seed)")
        }
        for completion in ledger.stopped(lost) { completed[completion.submission, default: 0] += 1 }
        #expect(Set(completed.keys) == submitted, "seed \(seed)")
        #expect(completed.values.allSatisfy { $0 == 1 }, "seed \(seed)")
        #expect(ledger.isIdle, "seed \(seed)")
    }
}
