/// Decides when to subscribe to the queue and when to cancel.
struct SubscriptionStateMachine {
    /// What to send to the broker.
    enum Action: Equatable {
        case none
        case consume
        case cancel
    }

    private enum State {
        case inactive
        case starting(since: ContinuousClock.Instant)
        case active
        case cancelling(since: ContinuousClock.Instant)
    }

    private var state = State.inactive
    private var isWanted = true

    /// Whether deliveries that arrive are to be kept rather than given back.
    var keepsDeliveries: Bool {
        guard isWanted else { return false }
        switch state {
        case .starting, .active: return true
        case .inactive, .cancelling: return false
        }
    }

    /// Whether the broker has confirmed the subscription.
    var isActive: Bool {
        switch state {
        case .active: true
        case .inactive, .starting, .cancelling: false
        }
    }

    /// Whether no delivery can arrive any more.
    var isInactive: Bool {
        switch state {
        case .inactive: true
        case .starting, .active, .cancelling: false
        }
    }

    /// When the broker was asked what it has not answered yet.
    var askedAt: ContinuousClock.Instant? {
        switch state {
        case .starting(let since), .cancelling(let since): since
        case .inactive, .active: nil
        }
    }

    /// The owner wants deliveries, or wants none.
    mutating func wanted(_ isWanted: Bool) { self.isWanted = isWanted }

    /// The owner thread has a connection and asks what to send on it.
    mutating func polled(at now: ContinuousClock.Instant) -> Action {
        switch state {
        case .inactive where isWanted:
            state = .starting(since: now)
            return .consume
        case .active where !isWanted:
            state = .cancelling(since: now)
            return .cancel
        case .inactive, .starting, .active, .cancelling:
            return .none
        }
    }

    /// The broker confirmed the subscription.
    mutating func consumeConfirmed() {
        switch state {
        case .starting: state = .active
        case .inactive, .active, .cancelling: break
        }
    }

    /// The broker confirmed the cancellation.
    mutating func cancelConfirmed() {
        switch state {
        case .cancelling: state = .inactive
        case .inactive, .starting, .active: break
        }
    }

    /// The connection is gone, and the subscription with it.
    mutating func connectionLost() { state = .inactive }
}
