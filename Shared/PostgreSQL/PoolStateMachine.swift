import DequeModule

/// Which connections exist, who holds them, who waits, and when to try again.
///
/// Every event returns what the shell must do once it has let go of its lock.
struct PoolStateMachine: Sendable {
    typealias ConnectionID = UInt64
    typealias WaiterID = UInt64
    typealias Instant = ContinuousClock.Instant

    struct Limits: Sendable {
        var minimum: Int
        var maximum: Int
        var maximumWaiters: Int
        var backoffBase: Duration
        var backoffMaximum: Duration
        var idleTimeout: Duration
    }

    enum Refusal: Hashable, Sendable {
        case tooManyWaiters
        case waitLimit
        case deadline
        case cancelled
        case shutdown
    }

    struct Grant: Hashable, Sendable {
        var waiter: WaiterID
        var connection: ConnectionID
    }

    struct Refused: Hashable, Sendable {
        var waiter: WaiterID
        var reason: Refusal
    }

    /// What is to be done after an event.
    struct Effects: Hashable, Sendable {
        var grants: [Grant] = []
        var refusals: [Refused] = []
        var opens: [ConnectionID] = []
        var closes: [ConnectionID] = []
        /// The pool is empty and shut down; said once.
        var isDrained = false
    }

    private enum Phase: Sendable {
        case created
        case running
        case draining(until: Instant)
        case closed
    }

    private enum Connection: Sendable {
        case connecting
        case idle(since: Instant)
        case leased
        /// Broken while somebody held it.
        case broken
    }

    private struct Waiter: Sendable {
        var waitLimit: Instant
        var deadline: Instant?

        var end: Instant { deadline.map { min($0, waitLimit) } ?? waitLimit }
    }

    private let limits: Limits
    private var phase = Phase.created
    private var connections: [ConnectionID: Connection] = [:]
    /// The idle ones, the one used last at the end: it is taken first, so the others can grow old and go.
    private var idle: Deque<ConnectionID> = []
    private var waiters: [WaiterID: Waiter] = [:]
    /// Order of arrival; ids that are no longer in `waiters` are skipped.
    private var order: Deque<WaiterID> = []
    /// No later than the first waiter's end.
    private var earliestEnd: Instant?
    private var lastID: ConnectionID = 0
    private var failures = 0
    private var retryAt: Instant?

    init(limits: Limits) {
        self.limits = limits
    }

    var waiterCount: Int { waiters.count }
    var connectionCount: Int { connections.count }
    var idleCount: Int { idle.count }
    /// Whether connecting has failed since it last worked.
    var isFailing: Bool { failures > 0 }

    /// When ``ticked(at:)`` must be called at the latest.
    var nextDeadline: Instant? {
        var next = waiters.isEmpty ? nil : earliestEnd
        func consider(_ instant: Instant?) {
            guard let instant else { return }
            next = next.map { min($0, instant) } ?? instant
        }
        if missingConnections > 0 { consider(retryAt) }
        if connections.count > limits.minimum, let oldest = idle.first, case .idle(let since) = connections[oldest] {
            consider(since.advanced(by: limits.idleTimeout))
        }
        if case .draining(let until) = phase { consider(until) }
        return next
    }

    // MARK: Events

    mutating func started(at now: Instant) -> Effects {
        var effects = Effects()
        guard case .created = phase else { return effects }
        phase = .running
        open(at: now, &effects)
        return effects
    }

    mutating func leaseRequested(
        by waiter: WaiterID,
        waitLimit: Instant,
        deadline: Instant?,
        at now: Instant
    ) -> Effects {
        var effects = Effects()
        switch phase {
        case .draining, .closed:
            effects.refusals.append(Refused(waiter: waiter, reason: .shutdown))
            return effects
        case .created, .running:
            break
        }
        if waiters.isEmpty, let connection = idle.popLast() {
            connections[connection] = .leased
            effects.grants.append(Grant(waiter: waiter, connection: connection))
            return effects
        }
        guard waiters.count < limits.maximumWaiters else {
            effects.refusals.append(Refused(waiter: waiter, reason: .tooManyWaiters))
            return effects
        }
        let entry = Waiter(waitLimit: waitLimit, deadline: deadline)
        if waiters.isEmpty { earliestEnd = nil }
        waiters[waiter] = entry
        order.append(waiter)
        earliestEnd = earliestEnd.map { min($0, entry.end) } ?? entry.end
        open(at: now, &effects)
        return effects
    }

    mutating func waiterCancelled(_ waiter: WaiterID) -> Effects {
        var effects = Effects()
        guard waiters.removeValue(forKey: waiter) != nil else { return effects }
        effects.refusals.append(Refused(waiter: waiter, reason: .cancelled))
        compactOrder()
        finishIfDrained(&effects)
        return effects
    }

    mutating func connected(_ connection: ConnectionID, at now: Instant) -> Effects {
        var effects = Effects()
        guard case .connecting = connections[connection] else {
            effects.closes.append(connection)
            return effects
        }
        failures = 0
        retryAt = nil
        offer(connection, at: now, &effects)
        open(at: now, &effects)
        finishIfDrained(&effects)
        return effects
    }

    /// With a jitter from 0 to 1, the pause is between half and the whole of the step that the backoff has reached.
    mutating func connectFailed(_ connection: ConnectionID, at now: Instant, jitter: Double) -> Effects {
        var effects = Effects()
        guard case .connecting = connections[connection] else { return effects }
        connections[connection] = nil
        failures += 1
        let step = limits.backoffBase * (1 << min(failures - 1, 16))
        retryAt = now.advanced(by: min(step, limits.backoffMaximum) * (0.5 + jitter / 2))
        finishIfDrained(&effects)
        return effects
    }

    mutating func connectionLost(_ connection: ConnectionID, at now: Instant) -> Effects {
        var effects = Effects()
        switch connections[connection] {
        case .idle:
            connections[connection] = nil
            idle.removeAll { $0 == connection }
            open(at: now, &effects)
            finishIfDrained(&effects)
        case .leased:
            connections[connection] = .broken
        case .connecting, .broken, nil:
            break
        }
        return effects
    }

    /// `isReusable` is false when the session is in a state that the next holder must not see.
    mutating func released(_ connection: ConnectionID, isReusable: Bool, at now: Instant) -> Effects {
        var effects = Effects()
        switch connections[connection] {
        case .leased where isReusable:
            offer(connection, at: now, &effects)
        case .leased:
            connections[connection] = nil
            effects.closes.append(connection)
            open(at: now, &effects)
        case .broken:
            connections[connection] = nil
            open(at: now, &effects)
        case .connecting, .idle, nil:
            break
        }
        finishIfDrained(&effects)
        return effects
    }

    mutating func ticked(at now: Instant) -> Effects {
        var effects = Effects()
        expireWaiters(at: now, &effects)
        closeOldIdle(at: now, &effects)
        open(at: now, &effects)
        if case .draining(let until) = phase, now >= until { close(&effects) }
        finishIfDrained(&effects)
        return effects
    }

    /// New requests are refused; those that wait are still served, until the given instant.
    mutating func shutdownBegan(until: Instant) -> Effects {
        var effects = Effects()
        switch phase {
        case .created, .running:
            phase = .draining(until: until)
            finishIfDrained(&effects)
        case .draining, .closed:
            break
        }
        return effects
    }

    // MARK: Steps

    private var connectingCount: Int {
        var count = 0
        for case .connecting in connections.values { count += 1 }
        return count
    }

    /// How many connections should be opened now, if there were no backoff.
    private var missingConnections: Int {
        let minimum: Int
        switch phase {
        case .created, .closed: return 0
        case .running: minimum = limits.minimum
        case .draining: minimum = 0
        }
        let connecting = connectingCount
        let wanted = max(minimum - connections.count, waiters.count - connecting)
        let allowed = limits.maximum - connections.count
        // One at a time while the server does not answer.
        return min(wanted, allowed, failures > 0 ? 1 - connecting : allowed)
    }

    private mutating func open(at now: Instant, _ effects: inout Effects) {
        if let retryAt, now < retryAt { return }
        for _ in 0..<max(0, missingConnections) {
            lastID += 1
            connections[lastID] = .connecting
            effects.opens.append(lastID)
        }
    }

    /// Gives a free connection to who waits longest, else keeps it.
    private mutating func offer(_ connection: ConnectionID, at now: Instant, _ effects: inout Effects) {
        while let waiter = order.popFirst() {
            guard waiters.removeValue(forKey: waiter) != nil else { continue }
            connections[connection] = .leased
            effects.grants.append(Grant(waiter: waiter, connection: connection))
            return
        }
        connections[connection] = .idle(since: now)
        idle.append(connection)
    }

    private mutating func expireWaiters(at now: Instant, _ effects: inout Effects) {
        guard let earliestEnd, now >= earliestEnd else { return }
        var next: Instant?
        for waiter in order {
            guard let entry = waiters[waiter] else { continue }
            if now >= entry.end {
                waiters[waiter] = nil
                let isDeadline = entry.deadline.map { $0 <= entry.waitLimit } ?? false
                effects.refusals.append(Refused(waiter: waiter, reason: isDeadline ? .deadline : .waitLimit))
            } else {
                next = next.map { min($0, entry.end) } ?? entry.end
            }
        }
        self.earliestEnd = next
        compactOrder()
    }

    private mutating func compactOrder() {
        guard order.count > 2 * waiters.count + 16 else { return }
        order.removeAll { waiters[$0] == nil }
    }

    private mutating func closeOldIdle(at now: Instant, _ effects: inout Effects) {
        while connections.count > limits.minimum, let oldest = idle.first {
            guard case .idle(let since) = connections[oldest], now >= since.advanced(by: limits.idleTimeout) else {
                return
            }
            idle.removeFirst()
            connections[oldest] = nil
            effects.closes.append(oldest)
        }
    }

    private mutating func finishIfDrained(_ effects: inout Effects) {
        guard case .draining = phase, waiters.isEmpty else { return }
        effects.closes.append(contentsOf: idle)
        for connection in idle { connections[connection] = nil }
        idle.removeAll()
        for (connection, state) in connections {
            // Nobody waits for it any more; it is closed when it comes.
            if case .connecting = state { connections[connection] = nil }
        }
        guard connections.isEmpty else { return }
        close(&effects)
    }

    private mutating func close(_ effects: inout Effects) {
        phase = .closed
        effects.closes.append(contentsOf: connections.keys.sorted())
        for waiter in order where waiters[waiter] != nil {
            effects.refusals.append(Refused(waiter: waiter, reason: .shutdown))
        }
        connections.removeAll()
        idle.removeAll()
        waiters.removeAll()
        order.removeAll()
        effects.isDrained = true
    }
}
