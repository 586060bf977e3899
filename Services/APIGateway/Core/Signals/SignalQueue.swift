import DequeModule
import Domain
import Synchronization

/// A request that waits for its signals to be committed, all of them in one transaction.
struct WaitingSignals: Sendable {
    let signals: [IncomingSignal]
    let tenant: Tenant
    /// What is checked again in the transaction; nil where nothing of it is held in memory.
    let credential: TokenCredential?
    let deadline: ContinuousClock.Instant
    let bytes: Int
    private let continuation: CheckedContinuation<[SignalReceipt], any Error>

    init(
        _ signals: [IncomingSignal],
        of tenant: Tenant,
        credential: TokenCredential?,
        deadline: ContinuousClock.Instant,
        continuation: CheckedContinuation<[SignalReceipt], any Error>
    ) {
        self.signals = signals
        self.tenant = tenant
        self.credential = credential
        self.deadline = deadline
        self.continuation = continuation
        bytes = signals.reduce(0) { $0 + $1.event.count }
    }

    /// How much of the queue it takes up; an empty batch waits like one signal.
    var weight: Int { max(1, signals.count) }

    /// Ends the wait; whoever takes it out of the queue calls exactly one of these, once.
    func answer(_ receipts: [SignalReceipt]) {
        continuation.resume(returning: receipts)
    }

    func refuse(_ problem: GatewayProblem) {
        continuation.resume(throwing: problem)
    }
}

/// The token that signals came with.
package struct TokenCredential: Sendable {
    package let token: TokenHash
    /// The generation of the snapshot that the token was found in.
    package let generation: Int64

    package init(token: TokenHash, generation: Int64) {
        self.token = token
        self.generation = generation
    }
}

/// The bounded queue between the requests and the intake's loops.
///
/// What a batch costs is nearly the same for one signal and for fifty. So while one batch is under way, a second one is
/// begun only when enough waits to fill it, or when the first one takes unusually long; otherwise what waits becomes
/// the next batch as soon as the first one ends.
final class SignalQueue: Sendable {
    /// How much one batch may hold.
    struct BatchLimits: Sendable {
        var signals = 500
        var bytes = 4 * 1_024 * 1_024
        /// As many waiting signals begin another batch beside those under way.
        var pressure = 128
        /// A batch that takes longer than this holds no other one back, once more arrives or somebody nudges.
        var patience = Duration.milliseconds(50)
    }

    private struct State {
        var waiting = TenantLines()
        var sleepers: Deque<CheckedContinuation<Void, Never>> = []
        /// Since when the loops with a batch have had it.
        var busy: [Int: ContinuousClock.Instant] = [:]
        var isClosed = false

        /// Whether a batch may begin now.
        func mayBegin(_ limits: BatchLimits) -> Bool {
            guard !waiting.isEmpty else {
                return false
            }
            guard let oldest = busy.values.min(), waiting.signals < limits.pressure, !isClosed else {
                return true
            }
            return ContinuousClock.now - oldest >= limits.patience
        }
    }

    private let capacity: Int
    private let limits: BatchLimits
    private let state = Mutex(State())

    init(capacity: Int, limits: BatchLimits = BatchLimits()) {
        self.capacity = capacity
        self.limits = limits
    }

    /// How many callers wait for something to take.
    var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// How many callers have a batch.
    var busyCount: Int { state.withLock { $0.busy.count } }

    /// How many signals wait.
    var count: Int { state.withLock { $0.waiting.signals } }

    /// Puts signals in, or refuses them where the queue is full, for all or for their tenant, or closed.
    ///
    /// - Returns: What they were refused with; nil where they wait now.
    @discardableResult
    func offer(_ signals: WaitingSignals) -> GatewayProblem? {
        let (problem, sleeper) = state.withLock { state -> (GatewayProblem?, CheckedContinuation<Void, Never>?) in
            guard !state.isClosed else {
                return (.draining, nil)
            }
            switch state.waiting.append(signals, capacity: capacity) {
            case .full: return (.overloaded, nil)
            case .tenantFull: return (.tooManyWaiting, nil)
            case .taken: return (nil, state.mayBegin(limits) ? state.sleepers.popFirst() : nil)
            }
        }
        if let problem {
            signals.refuse(problem)
        }
        sleeper?.resume()
        return problem
    }

    /// Waits for what has arrived, within the limits of a batch.
    ///
    /// A waiting caller is woken, not handed a signal: what arrives until it runs is part of its batch.
    ///
    /// - Parameter loop: The caller, whose batch before this one has ended.
    /// - Returns: The next batch; nil once the queue is closed and empty.
    func take(_ loop: Int) async -> [WaitingSignals]? {
        while true {
            enum Next {
                case batch([WaitingSignals])
                case ended
                case nothing
            }
            let next: Next = state.withLock { state in
                state.busy[loop] = nil
                if state.mayBegin(limits) {
                    state.busy[loop] = .now
                    return .batch(state.waiting.takeBatch(limits))
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
                guard !state.mayBegin(limits), !state.isClosed else {
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

    /// Wakes a caller if something waits behind a batch that takes long.
    func nudge() {
        let sleeper = state.withLock { $0.mayBegin(limits) ? $0.sleepers.popFirst() : nil }
        sleeper?.resume()
    }

    /// Takes out what has waited past its deadline.
    func removeExpired(at now: ContinuousClock.Instant) -> [WaitingSignals] {
        state.withLock { $0.waiting.removeExpired(at: now) }
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
}
