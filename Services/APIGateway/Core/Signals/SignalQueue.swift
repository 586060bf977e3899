import DequeModule
import Synchronization

/// A request that waits for its signal to be committed.
struct WaitingSignal: Sendable {
    let signal: IncomingSignal
    let token: TokenHash
    /// The generation of the snapshot that the token was found in.
    let generation: Int64
    let deadline: ContinuousClock.Instant
    private let continuation: CheckedContinuation<SignalReceipt, any Error>

    init(
        signal: IncomingSignal,
        token: TokenHash,
        generation: Int64,
        deadline: ContinuousClock.Instant,
        continuation: CheckedContinuation<SignalReceipt, any Error>
    ) {
        self.signal = signal
        self.token = token
        self.generation = generation
        self.deadline = deadline
        self.continuation = continuation
    }

    /// Ends the wait; whoever takes it out of the queue calls exactly one of these, once.
    func answer(_ receipt: SignalReceipt) {
        continuation.resume(returning: receipt)
    }

    func refuse(_ problem: GatewayProblem) {
        continuation.resume(throwing: problem)
    }
}

/// The bounded queue between the requests and the intake's loops.
final class SignalQueue: Sendable {
    /// How much one batch may hold.
    struct BatchLimits: Sendable {
        var signals = 500
        var bytes = 4 * 1_024 * 1_024
    }

    private struct State {
        var waiting: Deque<WaitingSignal> = []
        var sleepers: Deque<CheckedContinuation<Void, Never>> = []
        var isClosed = false
    }

    private let capacity: Int
    private let limits: BatchLimits
    private let state = Mutex(State())

    init(capacity: Int, limits: BatchLimits = BatchLimits()) {
        self.capacity = capacity
        self.limits = limits
    }

    var count: Int { state.withLock { $0.waiting.count } }

    /// Puts a signal in, or refuses it where the queue is full or closed.
    func offer(_ signal: WaitingSignal) {
        let (problem, sleeper) = state.withLock { state -> (GatewayProblem?, CheckedContinuation<Void, Never>?) in
            guard !state.isClosed else {
                return (.draining, nil)
            }
            guard state.waiting.count < capacity else {
                return (.overloaded, nil)
            }
            state.waiting.append(signal)
            return (nil, state.sleepers.popFirst())
        }
        if let problem {
            signal.refuse(problem)
        }
        sleeper?.resume()
    }

    /// Whatever has arrived, within the limits of a batch; waits while nothing has, and is nil once closed and empty.
    ///
    /// A waiting caller is woken, not handed a signal: what arrives until it runs is part of its batch.
    func take() async -> [WaitingSignal]? {
        while true {
            enum Next {
                case batch([WaitingSignal])
                case ended
                case nothing
            }
            let next: Next = state.withLock { state in
                if !state.waiting.isEmpty {
                    return .batch(Self.batch(from: &state.waiting, limits))
                }
                return state.isClosed ? .ended : .nothing
            }
            switch next {
            case .batch(let batch): return batch
            case .ended: return nil
            case .nothing: await sleep()
            }
        }
    }

    /// Waits until there may be something to take.
    private func sleep() async {
        await withCheckedContinuation { continuation in
            let mayTake = state.withLock { state in
                guard state.waiting.isEmpty, !state.isClosed else {
                    return true
                }
                state.sleepers.append(continuation)
                return false
            }
            if mayTake {
                continuation.resume()
            }
        }
    }

    /// Takes out what has waited past its deadline.
    func removeExpired(at now: ContinuousClock.Instant) -> [WaitingSignal] {
        state.withLock { state in
            // Every wait is equally long, so the oldest are the first to expire.
            var expired: [WaitingSignal] = []
            while let first = state.waiting.first, first.deadline <= now {
                expired.append(state.waiting.removeFirst())
            }
            return expired
        }
    }

    /// Takes no more; what is in can still be taken out.
    func close() {
        let sleepers = state.withLock { state in
            state.isClosed = true
            defer { state.sleepers = [] }
            return state.sleepers
        }
        for sleeper in sleepers {
            sleeper.resume()
        }
    }

    private static func batch(from waiting: inout Deque<WaitingSignal>, _ limits: BatchLimits) -> [WaitingSignal] {
        var count = 0
        var bytes = 0
        for signal in waiting {
            bytes += signal.signal.event.count
            if count == limits.signals || (count > 0 && bytes > limits.bytes) {
                break
            }
            count += 1
        }
        let batch = Array(waiting.prefix(count))
        waiting.removeFirst(count)
        return batch
    }
}
