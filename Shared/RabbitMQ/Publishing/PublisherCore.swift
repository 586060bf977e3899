import Logging
import Synchronization

/// The shell around the publish ledger: mailbox, callers and owner thread.
final class PublisherCore: ConnectionClient {
    typealias Outcomes = Result<[PublishOutcome], RabbitMQError>
    typealias Caller = CheckedContinuation<Outcomes, Never>

    private struct State {
        var ledger: PublishLedger
        var callers: [UInt64: Caller] = [:]
        var phase = ClientPhase.running
        var hasStarted = false
        var isConnected = false
        var failure: RabbitMQError?
        var thread: CheckedContinuation<RabbitMQError?, Never>?

        /// Takes out who is to be told.
        mutating func answers(_ completions: [PublishLedger.Completion]) -> [Answer] {
            completions.compactMap { completion in
                callers.removeValue(forKey: completion.submission).map {
                    Answer(caller: $0, outcomes: completion.result)
                }
            }
        }
    }

    /// A caller and what it is told once the lock is released.
    private struct Answer: Sendable {
        var caller: Caller
        var outcomes: Outcomes
    }

    /// How many messages are sent before the broker's answers are looked at.
    private static let messagesPerRound = 128

    private let configuration: RabbitMQConfiguration
    private let topology: [TopologyDeclaration]
    private let state: Mutex<State>
    private let wake = WakeUp()
    private let post = Mutex<Watchdog.Post?>(nil)

    init(configuration: RabbitMQConfiguration, topology: [TopologyDeclaration]) {
        self.configuration = configuration
        self.topology = topology
        let ledger = PublishLedger(window: configuration.maximumOutstanding, backoff: configuration.backoff)
        state = Mutex(State(ledger: ledger))
        let post = Watchdog.Post { [weak self] now in self?.clockAdvanced(to: now) }
        self.post.withLock { $0 = post }
    }

    deinit {
        if let post = post.withLock({ $0 }) { Watchdog.shared.remove(post) }
    }

    var outstandingCount: Int { state.withLock { $0.ledger.outstandingCount } }

    var blockedReason: String? { state.withLock { $0.isConnected ? $0.ledger.blockedReason : nil } }

    var status: ConnectionStatus {
        state.withLock { state in
            if case .ended(let error) = state.phase { return .stopped(error) }
            if state.isConnected { return .connected(isBlocked: state.ledger.isBlocked) }
            return state.failure.map { .disconnected($0) } ?? .connecting
        }
    }

    // MARK: Calls from any thread

    /// Starts the owner thread and waits for its end.
    ///
    /// - Returns: What ended it, if that was an error.
    func runThread(logger: Logger) async throws -> RabbitMQError? {
        try state.withLock { state throws(RabbitMQError) in
            guard !state.hasStarted else { throw RabbitMQError(.configuration, "a publisher runs only once") }
            state.hasStarted = true
        }
        guard let post = post.withLock({ $0 }) else { return nil }
        post.leave()
        let loop = ConnectionLoop(configuration: configuration, client: self, wake: wake, post: post, logger: logger)
        return await withCheckedContinuation { continuation in
            state.withLock { $0.thread = continuation }
            guard !OwnerThread.start(name: "amqp-publish", { loop.run() }) else { return }
            ended(RabbitMQError(.connectFailed, "the system gives no thread"))
        }
    }

    /// Begins the end: with a drain, or at once.
    func shutDown(isGraceful: Bool) {
        state.withLock { state in
            if case .ended = state.phase { return }
            state.phase = isGraceful ? .draining(until: .now + configuration.drainTimeout) : .cancelled
        }
        wake.signal()
    }

    func submit(
        _ messages: [OutgoingMessage],
        deadline: ContinuousClock.Instant,
        slot: CallSlot,
        caller: Caller
    ) {
        let (refusal, id, hasStarted) = state.withLock { state -> (RabbitMQError?, UInt64, Bool) in
            if let refusal = state.phase.refusal { return (refusal, 0, true) }
            let id = state.ledger.submitted(messages, deadline: deadline)
            state.callers[id] = caller
            return (nil, id, state.hasStarted)
        }
        if let refusal { return caller.resume(returning: .failure(refusal)) }
        guard slot.entered(as: id) else { return cancel(id) }
        if !hasStarted { watchWithoutThread() }
        wake.signal()
    }

    func cancel(_ submission: UInt64) {
        give(state.withLock { state in state.answers(state.ledger.cancelled(submission).map { [$0] } ?? []) })
    }

    func send(_ event: OutgoingMessage) -> Bool {
        let isTaken = state.withLock { state in
            guard case .running = state.phase, state.isConnected else { return false }
            return state.ledger.sent(event, at: .now)
        }
        if isTaken { wake.signal() }
        return isTaken
    }

    /// Lets callers meet their deadlines although nobody runs the publisher.
    private func watchWithoutThread() {
        guard let post = post.withLock({ $0 }) else { return }
        Watchdog.shared.add(post)
        Watchdog.shared.enter(post, limit: .now + configuration.publishTimeout)
        // The thread may have started meanwhile; it marks its own calls.
        if state.withLock({ $0.hasStarted }) { post.leave() }
    }

    private func give(_ answers: [Answer]) {
        for answer in answers { answer.caller.resume(returning: answer.outcomes) }
    }

    // MARK: Calls from the owner thread

    func connectionOpened(_ connection: AMQPConnection, epoch: UInt64) throws(RabbitMQError) {
        try connection.declare(topology)
        try connection.selectConfirms()
        state.withLock { state in
            state.isConnected = true
            state.failure = nil
            state.ledger.connected()
        }
    }

    func transmit(_ connection: AMQPConnection, at now: ContinuousClock.Instant) throws(RabbitMQError) -> Bool {
        let items = state.withLock { $0.ledger.publishable(maximum: Self.messagesPerRound, at: now) }
        guard !items.isEmpty else { return false }
        try connection.batched { () throws(RabbitMQError) in
            for item in items { try connection.publish(item.message) }
        }
        return items.count == Self.messagesPerRound
    }

    func received(_ events: [BrokerEvent], at now: ContinuousClock.Instant) throws(RabbitMQError) {
        let (answers, failure) = state.withLock { state -> ([Answer], RabbitMQError?) in
            var completions: [PublishLedger.Completion] = []
            var failure: RabbitMQError?
            for event in events where failure == nil {
                failure = Self.apply(event, to: &state.ledger, &completions, at: now)
            }
            return (state.answers(completions), failure)
        }
        give(answers)
        if let failure { throw failure }
    }

    /// Tells the ledger what the broker said.
    ///
    /// - Returns: Why the connection cannot be used any more, if so.
    private static func apply(
        _ event: BrokerEvent,
        to ledger: inout PublishLedger,
        _ completions: inout [PublishLedger.Completion],
        at now: ContinuousClock.Instant
    ) -> RabbitMQError? {
        switch event {
        case .acknowledged(let tag, let multiple):
            completions += ledger.acknowledged(tag: tag, multiple: multiple)
        case .nacked(let tag, let multiple):
            if let settled = ledger.nacked(tag: tag, multiple: multiple) {
                completions += settled
                return nil
            }
            return RabbitMQError(.nacked, "the broker refused message \(tag)\(multiple ? " and those before it" : "")")
        case .returned(let message):
            guard case .return(let code, let text) = message.origin else { return nil }
            ledger.returned(message, code: code, text: text)
        case .blocked(let reason):
            ledger.blocked(reason: reason)
        case .unblocked:
            ledger.unblocked(at: now)
        case .channelClosed(let closure):
            if closure.isAboutPublishing { completions += ledger.refused(closure, at: now) }
            // The caller at fault has been told; for everybody else the connection is merely lost.
            return RabbitMQError(.connectionLost, "the broker closed the channel: \(closure.error.message)")
        case .connectionClosed(let code, let text):
            return RabbitMQError(.connectionLost, "the broker closed the connection: \(code) \(text)")
        case .delivered, .consumeConfirmed, .consumerCancelled, .cancelConfirmed, .queueChecked:
            return RabbitMQError(.protocolViolation, "a consumer's method arrived on a publishing connection")
        }
        return nil
    }

    func clockAdvanced(to now: ContinuousClock.Instant) {
        give(state.withLock { state in state.answers(state.ledger.clockAdvanced(to: now)) })
    }

    func checkLimits(at now: ContinuousClock.Instant) throws(RabbitMQError) {
        guard let oldest = state.withLock({ $0.ledger.oldestUnconfirmed }) else { return }
        guard oldest + configuration.confirmTimeout <= now else { return }
        throw RabbitMQError(.confirmTimeout, "the broker confirmed nothing for \(configuration.confirmTimeout)")
    }

    func connectionLost(_ error: RabbitMQError) {
        let answers = state.withLock { state in
            state.isConnected = false
            state.failure = error
            return state.answers(state.ledger.connectionLost(error))
        }
        give(answers)
    }

    func nextDeadline(connected: Bool) -> ContinuousClock.Instant? {
        state.withLock { state in
            let confirm = connected ? state.ledger.oldestUnconfirmed.map { $0 + configuration.confirmTimeout } : nil
            var drain: ContinuousClock.Instant?
            if case .draining(let until) = state.phase { drain = until }
            return [state.ledger.nextDeadline, confirm, drain].compactMap { $0 }.min()
        }
    }

    func isFinished(connected: Bool, at now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            switch state.phase {
            case .running: false
            case .draining(let until): state.ledger.isIdle || until <= now
            case .cancelled, .ended: true
            }
        }
    }

    func ended(_ error: RabbitMQError?) {
        let (answers, thread) = state.withLock { state in
            state.phase = .ended(error)
            state.isConnected = false
            let reason = error ?? RabbitMQError(.stopped, "the publisher stopped before the broker confirmed")
            let answers = state.answers(state.ledger.stopped(reason))
            defer { state.thread = nil }
            return (answers, state.thread)
        }
        give(answers)
        thread?.resume(returning: error)
    }
}
