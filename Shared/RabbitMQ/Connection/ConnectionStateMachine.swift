/// Decides when to connect, to which host, and when to give up.
///
/// It knows no socket: the owner thread reports what happened and does what is answered.
struct ConnectionStateMachine {
    /// What to do next.
    enum Action: Equatable {
        case connect(endpoint: Int)
        case wait(until: ContinuousClock.Instant)
        case stop(RabbitMQError?)
    }

    private enum State {
        case idle
        case connecting
        case connected(since: ContinuousClock.Instant)
        case waiting(until: ContinuousClock.Instant)
        case stopped(RabbitMQError?)
    }

    /// How long a connection must last before the next attempt counts as the first again.
    static let lastingAge = Duration.seconds(1)

    private let endpoints: Int
    private let backoff: ReconnectBackoff
    private var state = State.idle
    private var endpoint = 0
    private var attempt = 0
    private var hasConnected = false
    /// Counts connections; a delivery tag is valid in one epoch only.
    private(set) var epoch: UInt64 = 0

    init(endpoints: Int, backoff: ReconnectBackoff, firstEndpoint: Int = 0) {
        self.endpoints = max(endpoints, 1)
        self.backoff = backoff
        endpoint = firstEndpoint % self.endpoints
    }

    /// The thread began.
    mutating func started() -> Action {
        switch state {
        case .idle:
            state = .connecting
            return .connect(endpoint: endpoint)
        case .stopped(let error):
            return .stop(error)
        case .connecting, .connected, .waiting:
            preconditionFailure("A connection cannot start twice")
        }
    }

    /// The connection is set up and in use.
    ///
    /// - Returns: Its epoch.
    mutating func connected(at now: ContinuousClock.Instant) -> UInt64 {
        switch state {
        case .connecting:
            state = .connected(since: now)
            hasConnected = true
            epoch += 1
            return epoch
        case .idle, .connected, .waiting, .stopped:
            preconditionFailure("Only an attempt can succeed")
        }
    }

    /// An attempt failed or a connection ended.
    mutating func failed(_ error: RabbitMQError, at now: ContinuousClock.Instant, jitter: Double) -> Action {
        let isLogin: Bool
        switch state {
        case .connecting:
            isLogin = true
            attempt += 1
        case .connected(let since):
            isLogin = false
            attempt = since.duration(to: now) >= Self.lastingAge ? 0 : attempt + 1
        case .stopped(let error):
            return .stop(error)
        case .idle, .waiting:
            preconditionFailure("Nothing was connecting or connected")
        }
        guard !isFatal(error, isLogin: isLogin) else {
            state = .stopped(error)
            return .stop(error)
        }
        endpoint = (endpoint + 1) % endpoints
        let until = now + backoff.delay(attempt: attempt, endpoints: endpoints, jitter: jitter)
        state = .waiting(until: until)
        return .wait(until: until)
    }

    /// Time passed while waiting.
    mutating func clockAdvanced(to now: ContinuousClock.Instant) -> Action {
        switch state {
        case .waiting(let until) where now < until:
            return .wait(until: until)
        case .waiting:
            state = .connecting
            return .connect(endpoint: endpoint)
        case .stopped(let error):
            return .stop(error)
        case .idle, .connecting, .connected:
            preconditionFailure("Nothing was waiting")
        }
    }

    /// Nobody needs the connection any more.
    mutating func stopRequested() -> Action {
        if case .stopped(let error) = state { return .stop(error) }
        state = .stopped(nil)
        return .stop(nil)
    }

    /// Whether a refusal ends the client, because no repetition mends it.
    ///
    /// Only one of the credentials, or of the virtual host, may be mended by the broker once they have been good: when its
    /// own store comes back, or is filled anew user by user.
    private func isFatal(_ error: RabbitMQError, isLogin: Bool) -> Bool {
        guard !error.isRetryable else { return false }
        return !(hasConnected && isLogin && [.authenticationFailed, .accessRefused].contains(error.code))
    }
}
