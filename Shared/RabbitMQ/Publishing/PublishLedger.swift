import DequeModule

/// The messages that callers wait for, from their submission to their outcome, over any number of connections.
///
/// It knows no socket and no continuation: each event answers which submissions are complete.
struct PublishLedger {
    /// A message on its way; a reference, because it moves between queues and is large.
    final class Item: Sendable {
        let submission: UInt64?
        let index: Int
        let message: OutgoingMessage

        init(submission: UInt64?, index: Int, message: OutgoingMessage) {
            self.submission = submission
            self.index = index
            self.message = message
        }

        var identity: ConfirmTracker<Item>.Identity? {
            guard message.isMandatory else { return nil }
            return .init(
                messageID: message.properties.messageID,
                exchange: message.exchange,
                routingKey: message.routingKey
            )
        }
    }

    /// A submission that has ended.
    struct Completion: Sendable {
        var submission: UInt64
        var result: Result<[PublishOutcome], RabbitMQError>
    }

    private struct Submission {
        var deadline: ContinuousClock.Instant
        var outcomes: [PublishOutcome?]
        var remaining: Int
        /// Whether a message that is sent once was given to the broker.
        var isGivenAway = false
        /// That an exchange is missing, which the caller is told at the deadline.
        var obstacle: RabbitMQError?
    }

    /// Messages to an exchange that the broker did not know, until the next trial.
    private struct Hold {
        var items: [Item] = []
        var until: ContinuousClock.Instant
        var attempt = 0
        var error: RabbitMQError
        /// Whether messages pass, to see whether the exchange is there by now.
        var isOnTrial = false
    }

    private let window: Int
    private let backoff: ReconnectBackoff
    private var pending: Deque<Item> = []
    private var pendingEvents = 0
    private var tracker = ConfirmTracker<Item>()
    private var submissions: [UInt64: Submission] = [:]
    private var nextSubmission: UInt64 = 0
    private var earliestDeadline: ContinuousClock.Instant?
    private var holds: [String: Hold] = [:]
    /// How many messages are sent one at a time, to find the one at which the broker closes the channel.
    private var suspects = 0
    /// Why the broker takes no messages, while it does not.
    private(set) var blockedReason: String?
    private var lastFailure: RabbitMQError?

    init(window: Int, backoff: ReconnectBackoff) {
        self.window = window
        self.backoff = backoff
    }

    /// Whether nobody waits for anything.
    var isIdle: Bool { submissions.isEmpty && pendingEvents == 0 && tracker.isEmpty }
    var isBlocked: Bool { blockedReason != nil }
    var outstandingCount: Int { tracker.count }
    /// The time of publishing of the oldest unconfirmed message, unless the broker has said that it takes none.
    var oldestUnconfirmed: ContinuousClock.Instant? { isBlocked ? nil : tracker.oldestPublishedAt }

    /// When something is to be done even if nothing arrives.
    var nextDeadline: ContinuousClock.Instant? {
        let trial = holds.values.lazy.filter { !$0.items.isEmpty && !$0.isOnTrial }.map(\.until).min()
        return [earliestDeadline, trial].compactMap { $0 }.min()
    }

    // MARK: Callers

    /// A caller submitted messages and waits.
    mutating func submitted(_ messages: [OutgoingMessage], deadline: ContinuousClock.Instant) -> UInt64 {
        nextSubmission += 1
        let id = nextSubmission
        submissions[id] = Submission(
            deadline: deadline,
            outcomes: Array(repeating: nil, count: messages.count),
            remaining: messages.count
        )
        for (index, message) in messages.enumerated() {
            pending.append(Item(submission: id, index: index, message: message))
        }
        earliestDeadline = min(earliestDeadline ?? deadline, deadline)
        return id
    }

    /// A caller handed over an event that nobody waits for.
    ///
    /// - Returns: Whether it was taken; not while the broker is blocked, the window's worth of events waits, or the
    ///   exchange has just been refused.
    mutating func sent(_ message: OutgoingMessage, at now: ContinuousClock.Instant) -> Bool {
        guard !isBlocked, pendingEvents < window else { return false }
        if let hold = holds[message.exchange], now < hold.until { return false }
        pendingEvents += 1
        pending.append(Item(submission: nil, index: 0, message: message))
        return true
    }

    /// A caller's task was cancelled.
    mutating func cancelled(_ submission: UInt64) -> Completion? {
        complete(submission, .failure(RabbitMQError(.cancelled, "the publish was cancelled")))
    }

    /// Time passed.
    mutating func clockAdvanced(to now: ContinuousClock.Instant) -> [Completion] {
        guard let earliestDeadline, earliestDeadline <= now else { return [] }
        let expired = submissions.lazy.filter { $0.value.deadline <= now }.map(\.key).sorted()
        let completions = expired.compactMap { complete($0, .failure(expiry(of: $0))) }
        self.earliestDeadline = submissions.values.lazy.map(\.deadline).min()
        return completions
    }

    /// The client ends; nothing will be published any more.
    mutating func stopped(_ error: RabbitMQError) -> [Completion] {
        pending.removeAll()
        holds.removeAll()
        pendingEvents = 0
        let remainder = tracker.connectionLost()
        return resolve(remainder.resolved) + giveUp(remainder.unresolved, error)
            + submissions.keys.sorted().compactMap { complete($0, .failure(error)) }
    }

    // MARK: Connection

    /// Takes messages to publish now, in order, and opens their slots.
    mutating func publishable(maximum: Int, at now: ContinuousClock.Instant) -> [Item] {
        releaseHolds(at: now)
        var out: [Item] = []
        while !isBlocked, out.count < maximum, let item = pending.first {
            guard tracker.count < (suspects > 0 ? 1 : window) else { break }
            pending.removeFirst()
            if suspects > 0 { suspects -= 1 }
            if item.submission == nil { pendingEvents -= 1 }
            guard isWanted(item) else { continue }
            guard !isHeld(item) else { continue }
            tracker.published(item, identity: item.identity, at: now)
            if item.message.isSentOnce, let id = item.submission { submissions[id]?.isGivenAway = true }
            out.append(item)
            if suspects > 0 { break }
        }
        return out
    }

    /// The broker confirmed.
    mutating func acknowledged(tag: UInt64, multiple: Bool) -> [Completion] {
        resolve(tracker.acknowledged(tag: tag, multiple: multiple))
    }

    /// The broker refused responsibility, because a queue is full or has failed.
    ///
    /// - Returns: Nil where messages are among those refused that are to be published again: on another connection.
    mutating func nacked(tag: UInt64, multiple: Bool) -> [Completion]? {
        var settled = tracker
        let items = settled.nacked(tag: tag, multiple: multiple)
        guard !items.isEmpty, items.allSatisfy(\.message.isSentOnce) else { return nil }
        tracker = settled
        let error = RabbitMQError(.nacked, "the broker refused the message")
        return items.compactMap(\.submission).compactMap { complete($0, .failure(error)) }
    }

    /// The broker returned a mandatory message; the confirm that follows completes it.
    mutating func returned(_ message: ReceivedMessage, code: UInt16, text: String) {
        let identity = ConfirmTracker<Item>.Identity(
            messageID: message.properties.messageID,
            exchange: message.exchange,
            routingKey: message.routingKey
        )
        tracker.returned(identity, code: Int(code), text: text)
    }

    /// The broker raised an alarm and reads no more.
    mutating func blocked(reason: String) { blockedReason = reason }

    /// The alarm is over.
    mutating func unblocked(at now: ContinuousClock.Instant) {
        blockedReason = nil
        tracker.resumed(at: now)
    }

    /// The connection is gone; what it left open is published again on the next, before anything else.
    mutating func connectionLost(_ error: RabbitMQError) -> [Completion] {
        lastFailure = error
        blockedReason = nil
        let remainder = tracker.connectionLost()
        let completions = giveUp(remainder.unresolved, error)
        requeue(remainder.unresolved)
        return resolve(remainder.resolved) + completions
    }

    /// A connection is ready.
    mutating func connected() {
        blockedReason = nil
    }

    /// The broker closed the channel over a message that was published.
    ///
    /// Its text names the exchange, and the routing key where that was at fault. Where it names nothing that is
    /// open, everything open is published again one at a time until the culprit is met.
    mutating func refused(_ closure: ChannelClosure, at now: ContinuousClock.Instant) -> [Completion] {
        let error = closure.error
        lastFailure = error
        let open = tracker.outstanding
        let culprits = open.count == 1 ? open : open.filter { closure.names($0.message) }
        let isHolding = error.code == .notFound || culprits.allSatisfy { $0.submission == nil }
        if isHolding, let exchange = culprits.first?.message.exchange { hold(exchange, error, at: now) }
        var completions: [Completion] = []
        for culprit in culprits {
            guard let id = culprit.submission else { continue }
            submissions[id]?.obstacle = error
            guard error.code != .notFound || culprit.message.isSentOnce, let completion = complete(id, .failure(error))
            else { continue }
            completions.append(completion)
        }
        let remainder = tracker.connectionLost()
        completions += resolve(remainder.resolved) + giveUp(remainder.unresolved, error)
        let requeued = requeue(remainder.unresolved)
        if culprits.isEmpty { suspects = requeued }
        return completions
    }

    // MARK: Inner workings

    /// Whether somebody still waits for the message's outcome.
    private func isWanted(_ item: Item) -> Bool {
        guard let id = item.submission else { return true }
        guard let submission = submissions[id] else { return false }
        return submission.outcomes[item.index] == nil
    }

    /// Tells the callers of messages that are sent once that nobody knows what has become of them.
    private mutating func giveUp(_ items: [Item], _ error: RabbitMQError) -> [Completion] {
        let lost = RabbitMQError(.connectionLost, "the broker has not confirmed the message: \(error)")
        return items.filter(\.message.isSentOnce).compactMap(\.submission)
            .compactMap { complete($0, .failure(lost)) }
    }

    /// Puts what a lost connection left open before everything that waits.
    ///
    /// - Returns: How many messages that are.
    @discardableResult
    private mutating func requeue(_ items: [Item]) -> Int {
        // Events are not worth a second publish.
        let kept = items.filter { $0.submission != nil && isWanted($0) }
        pending.removeAll { $0.submission == nil }
        pending.prepend(contentsOf: kept)
        pendingEvents = 0
        return kept.count
    }

    private mutating func hold(_ exchange: String, _ error: RabbitMQError, at now: ContinuousClock.Instant) {
        var hold = holds[exchange] ?? Hold(until: now, error: error)
        hold.attempt += 1
        hold.until = now + backoff.delay(attempt: hold.attempt, endpoints: 1, jitter: 1)
        hold.error = error
        hold.isOnTrial = false
        holds[exchange] = hold
    }

    /// Puts a message aside while its exchange is known to be missing.
    private mutating func isHeld(_ item: Item) -> Bool {
        guard item.submission != nil, let hold = holds[item.message.exchange] else { return false }
        guard !hold.isOnTrial, hold.error.code == .notFound else { return false }
        holds[item.message.exchange]?.items.append(item)
        return true
    }

    private mutating func releaseHolds(at now: ContinuousClock.Instant) {
        guard !holds.isEmpty else { return }
        for (exchange, hold) in holds where hold.until <= now && !hold.isOnTrial {
            pending.prepend(contentsOf: hold.items)
            holds[exchange]?.items = []
            holds[exchange]?.isOnTrial = true
        }
    }

    private mutating func resolve(_ resolutions: [ConfirmTracker<Item>.Resolution]) -> [Completion] {
        var completions: [Completion] = []
        for resolution in resolutions {
            let item = resolution.payload
            if !holds.isEmpty { holds[item.message.exchange] = nil }
            guard let id = item.submission, isWanted(item) else { continue }
            submissions[id]?.outcomes[item.index] = resolution.outcome
            submissions[id]?.remaining -= 1
            guard submissions[id]?.remaining == 0 else { continue }
            let outcomes = submissions[id]?.outcomes.compactMap { $0 } ?? []
            if let completion = complete(id, .success(outcomes)) { completions.append(completion) }
        }
        return completions
    }

    private mutating func complete(
        _ submission: UInt64,
        _ result: Result<[PublishOutcome], RabbitMQError>
    ) -> Completion? {
        guard submissions.removeValue(forKey: submission) != nil else { return nil }
        return Completion(submission: submission, result: result)
    }

    private func expiry(of submission: UInt64) -> RabbitMQError {
        if submissions[submission]?.isGivenAway == true {
            return RabbitMQError(.confirmTimeout, "the deadline passed before the broker confirmed")
        }
        if let blockedReason { return RabbitMQError(.blocked, "the broker takes no messages: \(blockedReason)") }
        if let obstacle = submissions[submission]?.obstacle { return obstacle }
        guard let lastFailure else {
            return RabbitMQError(.deadlineExceeded, "the deadline passed before the broker confirmed")
        }
        return RabbitMQError(.deadlineExceeded, "the deadline passed; the last failure was \(lastFailure)")
    }
}

extension ChannelClosure {
    /// Whether the text says that this message was at fault.
    func names(_ message: OutgoingMessage) -> Bool {
        guard let exchange = quoted(after: "exchange '"), exchange == message.exchange else { return false }
        guard let key = quoted(after: "topic '") else { return true }
        return key == message.routingKey
    }

    private func quoted(after prefix: String) -> Substring? {
        guard let start = text.firstRange(of: prefix)?.upperBound else { return nil }
        let rest = text[start...]
        // A name may hold a quote itself; what follows one of ours is known.
        let end = [rest.firstRange(of: "' in "), rest.firstRange(of: "' ")].compactMap { $0 }.first
        guard let end else { return nil }
        return rest[..<end.lowerBound]
    }
}
