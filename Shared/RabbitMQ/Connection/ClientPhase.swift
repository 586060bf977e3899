/// How far a client is in its life.
enum ClientPhase {
    case running
    /// Takes nothing new and finishes what it has, until the limit.
    case draining(until: ContinuousClock.Instant)
    case cancelled
    case ended(RabbitMQError?)

    /// What a call gets that comes too late; `nil` while calls are welcome.
    var refusal: RabbitMQError? {
        switch self {
        case .running: nil
        case .ended(let error?): error
        case .draining, .cancelled, .ended: RabbitMQError(.stopped, "the broker client is shutting down")
        }
    }
}
