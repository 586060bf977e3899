import DequeModule

/// What has been delivered and not been handed out, and the callers that wait for it, in the order of their coming.
///
/// A caller says how much it wants at least. Less is handed out to it only once it has waited for ``patience``.
struct DeliveryBuffer<Caller> {
    /// Deliveries for a caller.
    typealias Served = (caller: Caller, batch: [Delivery])

    private struct Waiter {
        var id: UInt64
        var caller: Caller
        var maximum: Int
        var minimum: Int
    }

    /// How long deliveries wait for more of them.
    static var patience: Duration { .milliseconds(50) }

    private var deliveries: Deque<Delivery> = []
    private var waiters: Deque<Waiter> = []
    private var lastID: UInt64 = 0
    /// Since when there have been deliveries; nil where there are none.
    private var filledAt: ContinuousClock.Instant?

    /// When deliveries are to be handed out although they are fewer than any caller wants.
    var deadline: ContinuousClock.Instant? {
        waiters.isEmpty ? nil : filledAt.map { $0 + Self.patience }
    }

    /// Adds a delivery.
    mutating func append(_ delivery: Delivery, at now: ContinuousClock.Instant) {
        deliveries.append(delivery)
        filledAt = filledAt ?? now
    }

    /// Enters a caller, which is served by the next ``serve(at:)`` at the earliest.
    ///
    /// - Returns: What cancels its wait.
    mutating func enter(_ caller: Caller, maximum: Int, minimum: Int) -> UInt64 {
        lastID += 1
        waiters.append(Waiter(id: lastID, caller: caller, maximum: maximum, minimum: minimum))
        return lastID
    }

    /// Takes out a caller that still waits.
    mutating func cancel(_ id: UInt64) -> Caller? {
        waiters.firstIndex { $0.id == id }.map { waiters.remove(at: $0).caller }
    }

    /// Takes out the callers that can be served.
    mutating func serve(at now: ContinuousClock.Instant) -> [Served] {
        var served: [Served] = []
        while let waiter = nextServable(at: now) {
            served.append((waiter.caller, Array(deliveries.prefix(waiter.maximum))))
            deliveries.removeFirst(min(waiter.maximum, deliveries.count))
            filledAt = deliveries.isEmpty ? nil : now
        }
        return served
    }

    private mutating func nextServable(at now: ContinuousClock.Instant) -> Waiter? {
        guard let filledAt else { return nil }
        let isLate = filledAt + Self.patience <= now
        let index = waiters.firstIndex { $0.minimum <= deliveries.count || isLate }
        return index.map { waiters.remove(at: $0) }
    }

    /// Takes out all callers.
    mutating func removeCallers() -> [Caller] {
        defer { waiters.removeAll() }
        return waiters.map(\.caller)
    }

    /// Takes out all deliveries.
    @discardableResult
    mutating func removeDeliveries() -> [Delivery] {
        defer { deliveries.removeAll() }
        filledAt = nil
        return Array(deliveries)
    }
}
