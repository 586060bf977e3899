import Logging
import Synchronization

/// The shell around the delivery ledger: buffer, waiting callers, mailbox and owner thread.
final class ConsumerCore: ConnectionClient {
    typealias Batch = Result<[Delivery]?, RabbitMQError>
    typealias Caller = CheckedContinuation<Batch, Never>

    /// What is consumed, and how.
    struct Subscription: Sendable {
        var queue: QueueDeclaration
        var bindings: [Binding]
        var prefetch: Int
        var declaresQueue: Bool
        var exchanges: [ExchangeDeclaration]
        var isExclusive: Bool
    }

    /// What a caller wants sent.
    enum Settlement: Sendable {
        case acknowledge([Delivery.Token])
        case acknowledgeThrough(Delivery.Token)
        case reject(Delivery.Token, requeue: Bool)
    }

    private struct State {
        var phase = ClientPhase.running
        var hasStarted = false
        var isConnected = false
        var failure: RabbitMQError?
        var queueName: String?
        var epoch: UInt64 = 0
        var isPaused = false
        var isStopping = false
        var subscription = SubscriptionStateMachine()
        var watch = QueueWatch()
        var ledger = DeliveryLedger()
        var buffer = DeliveryBuffer<Caller>()
        var mailbox: [Settlement] = []
        var stoppers: [CheckedContinuation<Void, Never>] = []
        var thread: CheckedContinuation<RabbitMQError?, Never>?

        /// Takes out the waiting callers that can be served.
        mutating func serve(at now: ContinuousClock.Instant) -> [Answer] {
            guard subscription.keepsDeliveries else { return [] }
            return buffer.serve(at: now).map { Answer(caller: $0.caller, batch: .success($0.batch)) }
        }

        mutating func releaseCallers(_ batch: Batch) -> [Answer] {
            buffer.removeCallers().map { Answer(caller: $0, batch: batch) }
        }

        mutating func takeStoppers() -> [CheckedContinuation<Void, Never>] {
            defer { stoppers = [] }
            return stoppers
        }

        /// Forgets everything that was valid on the connection only.
        mutating func disconnect() {
            isConnected = false
            queueName = nil
            subscription.connectionLost()
            watch = watch.anew
            ledger = DeliveryLedger()
            buffer.removeDeliveries()
            mailbox.removeAll()
        }
    }

    /// A caller and what it is told once the lock is released.
    private struct Answer: Sendable {
        var caller: Caller
        var batch: Batch
    }

    private static let consumerTag = "consumer"

    private let configuration: RabbitMQConfiguration
    private let subscription: Subscription
    private let state = Mutex(State())
    private let wake = WakeUp()

    init(configuration: RabbitMQConfiguration, subscription: Subscription) {
        self.configuration = configuration
        self.subscription = subscription
        if subscription.queue.isSingleActiveConsumer {
            state.withLock { $0.watch = QueueWatch(needed: QueueWatch.proofsOfStandby) }
        }
    }

    var isConsuming: Bool { state.withLock { $0.isConnected && $0.subscription.isActive } }
    var queueName: String? { state.withLock { $0.queueName } }

    var status: ConnectionStatus {
        state.withLock { state in
            if case .ended(let error) = state.phase { return .stopped(error) }
            if state.isConnected { return .connected(isBlocked: false) }
            return state.failure.map { .disconnected($0) } ?? .connecting
        }
    }

    // MARK: Calls from any thread

    /// Starts the owner thread and waits for its end.
    ///
    /// - Returns: What ended it, if that was an error.
    func runThread(logger: Logger) async throws -> RabbitMQError? {
        guard (1...65_535).contains(subscription.prefetch) else {
            throw RabbitMQError(.configuration, "the prefetch must be between 1 and 65535")
        }
        try state.withLock { state throws(RabbitMQError) in
            guard !state.hasStarted else { throw RabbitMQError(.configuration, "a consumer runs only once") }
            state.hasStarted = true
        }
        let post = Watchdog.Post { [weak self] now in self?.clockAdvanced(to: now) }
        let loop = ConnectionLoop(configuration: configuration, client: self, wake: wake, post: post, logger: logger)
        return await withCheckedContinuation { continuation in
            state.withLock { $0.thread = continuation }
            guard !OwnerThread.start(name: "amqp-consume", { loop.run() }) else { return }
            ended(RabbitMQError(.connectFailed, "the system gives no thread"))
        }
    }

    func next(maximum: Int, minimum: Int, slot: CallSlot, caller: Caller) {
        enum Entry {
            case refused(Batch)
            case entered(UInt64, [Answer], hasDeadline: Bool)
        }
        let entry: Entry = state.withLock { state in
            if case .ended(let error?) = state.phase { return .refused(.failure(error)) }
            guard !state.isStopping, state.phase.refusal == nil else { return .refused(.success(nil)) }
            let id = state.buffer.enter(caller, maximum: maximum, minimum: minimum)
            return .entered(id, state.serve(at: .now), hasDeadline: state.buffer.deadline != nil)
        }
        switch entry {
        case .refused(let batch):
            caller.resume(returning: batch)
        case .entered(let id, let answers, let hasDeadline):
            give(answers)
            // The owner thread is to know of the deadline that this caller has brought.
            if hasDeadline { wake.signal() }
            if !slot.entered(as: id) { cancelWait(id) }
        }
    }

    func cancelWait(_ id: UInt64) {
        let caller = state.withLock { $0.buffer.cancel(id) }
        caller?.resume(returning: .failure(RabbitMQError(.cancelled, "the wait for deliveries was cancelled")))
    }

    func settle(_ settlement: Settlement) {
        state.withLock { $0.mailbox.append(settlement) }
        wake.signal()
    }

    func setPaused(_ isPaused: Bool) {
        state.withLock { state in
            state.isPaused = isPaused
            state.subscription.wanted(!isPaused && !state.isStopping)
        }
        wake.signal()
    }

    /// Ends the subscription; the continuation is resumed when no delivery can come any more.
    func stop(_ stopper: CheckedContinuation<Void, Never>) {
        let (answers, isDone) = state.withLock { state in
            let answers = Self.beginStop(&state)
            let isDone = !state.isConnected || state.subscription.isInactive
            if !isDone { state.stoppers.append(stopper) }
            return (answers, isDone)
        }
        if isDone { stopper.resume() }
        give(answers)
        wake.signal()
    }

    /// Begins the end: letting what is handed out be settled, or at once.
    func shutDown(isGraceful: Bool) {
        let answers = state.withLock { state -> [Answer] in
            if case .ended = state.phase { return [] }
            state.phase = isGraceful ? .draining(until: .now + configuration.drainTimeout) : .cancelled
            return Self.beginStop(&state)
        }
        give(answers)
        wake.signal()
    }

    private static func beginStop(_ state: inout State) -> [Answer] {
        state.isStopping = true
        state.subscription.wanted(false)
        return state.releaseCallers(.success(nil))
    }

    private func give(_ answers: [Answer]) {
        for answer in answers { answer.caller.resume(returning: answer.batch) }
    }

    // MARK: Calls from the owner thread

    func connectionOpened(_ connection: AMQPConnection, epoch: UInt64) throws(RabbitMQError) {
        for exchange in subscription.exchanges { try connection.declare(exchange) }
        var name = subscription.queue.name
        if subscription.declaresQueue { name = try connection.declare(subscription.queue) }
        for binding in subscription.bindings {
            var binding = binding
            if binding.queue.isEmpty { binding.queue = name }
            try connection.bind(binding)
        }
        try connection.setPrefetch(subscription.prefetch)
        state.withLock { state in
            state.disconnect()
            state.isConnected = true
            state.failure = nil
            state.queueName = name
            state.epoch = epoch
        }
    }

    func transmit(_ connection: AMQPConnection, at now: ContinuousClock.Instant) throws(RabbitMQError) -> Bool {
        let (action, asks, queue, commands) = state.withLock { state in
            let action = state.subscription.polled(at: now)
            let interval = configuration.queueCheckInterval
            let asks = state.subscription.isActive && state.watch.polled(at: now, every: interval)
            return (action, asks, state.queueName ?? subscription.queue.name, Self.commands(&state))
        }
        if asks { try connection.sendCheck(queue: queue) }
        switch action {
        case .none: break
        case .consume:
            try connection.sendConsume(
                queue: queue,
                consumerTag: Self.consumerTag,
                isExclusive: subscription.isExclusive
            )
        case .cancel:
            // Before anything is given back, or it would be delivered here again.
            try connection.sendCancel(consumerTag: Self.consumerTag)
        }
        guard !commands.isEmpty else { return false }
        try connection.batched { () throws(RabbitMQError) in
            for command in commands {
                switch command {
                case .acknowledge(let acknowledgement): try connection.acknowledge(acknowledgement)
                case .reject(let tag, let requeue): try connection.reject(tag: tag, requeue: requeue)
                }
            }
        }
        return false
    }

    private enum Command {
        case acknowledge(DeliveryLedger.Acknowledgement)
        case reject(tag: UInt64, requeue: Bool)
    }

    /// Empties the mailbox into commands, folding neighbouring acknowledgements and dropping stale ones.
    private static func commands(_ state: inout State) -> [Command] {
        var commands: [Command] = []
        var tags: [UInt64] = []
        func flush(_ ledger: inout DeliveryLedger) {
            guard !tags.isEmpty else { return }
            commands += ledger.acknowledged(tags).map { .acknowledge($0) }
            tags.removeAll(keepingCapacity: true)
        }
        for settlement in state.mailbox {
            switch settlement {
            case .acknowledge(let tokens):
                for token in tokens where token.epoch == state.epoch { tags.append(token.tag) }
            case .acknowledgeThrough(let token):
                flush(&state.ledger)
                guard token.epoch == state.epoch else { continue }
                if let all = state.ledger.acknowledged(through: token.tag) { commands.append(.acknowledge(all)) }
            case .reject(let token, let requeue):
                flush(&state.ledger)
                guard token.epoch == state.epoch, state.ledger.rejected(tag: token.tag) else { continue }
                commands.append(.reject(tag: token.tag, requeue: requeue))
            }
        }
        flush(&state.ledger)
        state.mailbox.removeAll(keepingCapacity: true)
        if !state.subscription.keepsDeliveries {
            for delivery in state.buffer.removeDeliveries() where state.ledger.rejected(tag: delivery.token.tag) {
                commands.append(.reject(tag: delivery.token.tag, requeue: true))
            }
        }
        return commands
    }

    func received(_ events: [BrokerEvent], at now: ContinuousClock.Instant) throws(RabbitMQError) {
        let (answers, stoppers, failure) = state.withLock { state in
            var failure: RabbitMQError?
            for event in events where failure == nil {
                failure = Self.apply(event, at: now, prefetch: subscription.prefetch, to: &state)
            }
            let answers = state.serve(at: now)
            let isStopped = state.isStopping && state.subscription.isInactive
            return (answers, isStopped ? state.takeStoppers() : [], failure)
        }
        give(answers)
        for stopper in stoppers { stopper.resume() }
        if let failure { throw failure }
    }

    /// Notes what the broker said.
    ///
    /// - Returns: Why the connection cannot be used any more, if so.
    private static func apply(
        _ event: BrokerEvent,
        at now: ContinuousClock.Instant,
        prefetch: Int,
        to state: inout State
    ) -> RabbitMQError? {
        switch event {
        case .delivered(let message):
            state.watch.delivered(at: now)
            return deliver(message, at: now, to: &state)
        case .consumeConfirmed:
            state.subscription.consumeConfirmed()
            state.watch.subscribed(at: now)
        case .queueChecked(let messages):
            let hasRoom = state.subscription.isActive && state.ledger.openCount < prefetch
            guard state.watch.answered(at: now, messages: messages, hasRoom: hasRoom) else { return nil }
            return RabbitMQError(.connectionLost, "the queue holds \(messages) messages and delivers none of them")
        case .cancelConfirmed:
            state.subscription.cancelConfirmed()
        case .consumerCancelled:
            return RabbitMQError(.consumerCancelled, "the broker cancelled the consumer; its queue may be gone")
        case .channelClosed(let closure):
            // Only the answer to basic.consume refuses us; other closures end what was in flight.
            guard closure.classID == 60, closure.methodID == 20 else {
                return RabbitMQError(.connectionLost, "the broker closed the channel: \(closure.error.message)")
            }
            return closure.error
        case .connectionClosed(let code, let text):
            return RabbitMQError(.connectionLost, "the broker closed the connection: \(code) \(text)")
        case .blocked, .unblocked:
            break
        case .acknowledged, .nacked, .returned:
            return RabbitMQError(.protocolViolation, "a publisher's method arrived on a consuming connection")
        }
        return nil
    }

    private static func deliver(
        _ message: ReceivedMessage,
        at now: ContinuousClock.Instant,
        to state: inout State
    ) -> RabbitMQError? {
        guard case .delivery(let tag, let isRedelivered) = message.origin else { return nil }
        guard state.ledger.delivered(tag: tag) else {
            return RabbitMQError(.protocolViolation, "delivery tag \(tag) is out of order")
        }
        // While cancelling, what still comes is given back with the next commands.
        state.buffer.append(
            Delivery(
                token: Delivery.Token(epoch: state.epoch, tag: tag),
                exchange: message.exchange,
                routingKey: message.routingKey,
                isRedelivered: isRedelivered,
                properties: message.properties,
                body: message.body
            ),
            at: now
        )
        return nil
    }

    func clockAdvanced(to now: ContinuousClock.Instant) {
        give(state.withLock { $0.serve(at: now) })
    }

    func checkLimits(at now: ContinuousClock.Instant) throws(RabbitMQError) {
        guard let askedAt = state.withLock({ $0.subscription.askedAt ?? $0.watch.askedAt }) else { return }
        guard askedAt + configuration.rpcTimeout <= now else { return }
        throw RabbitMQError(.connectionLost, "the broker did not answer within \(configuration.rpcTimeout)")
    }

    func connectionLost(_ error: RabbitMQError) {
        let stoppers = state.withLock { state in
            state.disconnect()
            state.failure = error
            return state.takeStoppers()
        }
        for stopper in stoppers { stopper.resume() }
    }

    func nextDeadline(connected: Bool) -> ContinuousClock.Instant? {
        state.withLock { state in
            var drain: ContinuousClock.Instant?
            if case .draining(let until) = state.phase { drain = until }
            guard connected else { return drain }
            let answer = (state.subscription.askedAt ?? state.watch.askedAt).map { $0 + configuration.rpcTimeout }
            let check = state.subscription.isActive ? state.watch.next(every: configuration.queueCheckInterval) : nil
            return [drain, answer, check, state.buffer.deadline].compactMap { $0 }.min()
        }
    }

    func isFinished(connected: Bool, at now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            switch state.phase {
            case .running: return false
            case .cancelled, .ended: return true
            case .draining(let until):
                guard connected, now < until else { return true }
                return state.subscription.isInactive && state.ledger.openCount == 0 && state.mailbox.isEmpty
            }
        }
    }

    func ended(_ error: RabbitMQError?) {
        let (answers, stoppers, thread) = state.withLock { state in
            state.disconnect()
            state.phase = .ended(error)
            state.isStopping = true
            defer { state.thread = nil }
            let answers = state.releaseCallers(error.map { .failure($0) } ?? .success(nil))
            return (answers, state.takeStoppers(), state.thread)
        }
        give(answers)
        for stopper in stoppers { stopper.resume() }
        thread?.resume(returning: error)
    }
}
