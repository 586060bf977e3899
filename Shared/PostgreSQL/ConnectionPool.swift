import Logging
import Synchronization

/// Lends connections to operations: the shell around ``PoolStateMachine``.
final class ConnectionPool: Sendable {
    typealias LeaseResult = Result<UInt64, PostgresError>

    private struct State {
        var machine: PoolStateMachine
        var waiters: [UInt64: OneShot<LeaseResult>] = [:]
        var connectError: PostgresError?
    }

    let configuration: PostgresConfiguration
    private let logger: Logger
    private let state: Mutex<State>
    private let loop: Mutex<IOLoop?> = Mutex(nil)
    private let lastID = Atomic<UInt64>(0)
    /// Filled when the last connection is closed.
    private let drained = OneShot<Void>()

    init(configuration: PostgresConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        let limits = PoolStateMachine.Limits(
            minimum: configuration.pool.minimum,
            maximum: configuration.pool.maximum,
            maximumWaiters: configuration.pool.maximumWaiters,
            backoffBase: configuration.backoffBase,
            backoffMaximum: configuration.backoffMaximum,
            idleTimeout: configuration.pool.idleTimeout
        )
        state = Mutex(State(machine: PoolStateMachine(limits: limits)))
    }

    func nextID() -> UInt64 {
        lastID.wrappingAdd(1, ordering: .relaxed).newValue
    }

    // MARK: Life

    func start() throws(PostgresError) {
        _ = try runningLoop()
        mutate { $0.started(at: .now) }
    }

    /// Refuses new requests, waits for the connections that are held, and closes everything.
    ///
    /// - Parameter limit: How long to wait for those who hold or await a connection.
    func drain(limit: Duration) async {
        mutate { $0.shutdownBegan(until: .now.advanced(by: limit)) }
        post(.lookAtClock)
        await drained.wait()
        post(.stop)
    }

    /// Ends the thread when nobody can use the client any more.
    func abandon() {
        post(.stop)
    }

    private func runningLoop() throws(PostgresError) -> IOLoop {
        try loop.withLock { (existing) throws(PostgresError) -> IOLoop in
            if let existing { return existing }
            try configuration.validate()
            let new = try IOLoop(configuration: configuration)
            try new.start(self)
            existing = new
            return new
        }
    }

    @discardableResult
    private func post(_ command: IOLoop.Command) -> Bool {
        loop.withLock(\.self)?.post(command) ?? false
    }

    // MARK: Leases

    /// A connection that nobody else uses until it is given back.
    func lease(deadline: ContinuousClock.Instant?) async throws(PostgresError) -> UInt64 {
        guard !Task.isCancelled else { throw Link.error(for: .cancellation) }
        let now = ContinuousClock.now
        if let deadline, now >= deadline { throw Link.error(for: .deadline) }
        _ = try runningLoop()
        let slot = OneShot<LeaseResult>()
        let waiter = nextID()
        mutate(waiter: waiter, slot) {
            $0.leaseRequested(
                by: waiter,
                waitLimit: now.advanced(by: configuration.pool.waitLimit),
                deadline: deadline,
                at: now
            )
        }
        return try await slot.wait { mutate { $0.waiterCancelled(waiter) } }.get()
    }

    func release(_ connection: UInt64, isReusable: Bool) {
        mutate { $0.released(connection, isReusable: isReusable, at: .now) }
    }

    // MARK: Operations

    /// Hands an operation over, without waiting.
    func submit(_ operation: Operation, on connection: UInt64) {
        guard !post(.submit(connection, operation)) else { return }
        operation.resolve(.failure(PostgresError(.shutdown, "the database client is shut down")), .broken)
    }

    /// The end of an operation that was submitted; a cancelled task makes the server stop.
    func outcome(of operation: Operation, on connection: UInt64) async -> OperationOutcome {
        await operation.outcome.wait { post(.cancel(connection, operation: operation.id)) }
    }

    // MARK: Effects

    private func mutate(
        waiter: UInt64? = nil,
        _ slot: OneShot<LeaseResult>? = nil,
        _ event: (inout PoolStateMachine) -> PoolStateMachine.Effects
    ) {
        typealias Answer = (slot: OneShot<LeaseResult>, result: LeaseResult)
        let (effects, answers, isEarlier) = state.withLock { state in
            if let waiter, let slot { state.waiters[waiter] = slot }
            let before = state.machine.nextDeadline
            let effects = event(&state.machine)
            let after = state.machine.nextDeadline
            var answers: [Answer] = []
            for grant in effects.grants {
                guard let slot = state.waiters.removeValue(forKey: grant.waiter) else { continue }
                answers.append((slot, .success(grant.connection)))
            }
            for refused in effects.refusals {
                guard let slot = state.waiters.removeValue(forKey: refused.waiter) else { continue }
                answers.append((slot, .failure(Self.error(refused.reason, state.connectError))))
            }
            let isEarlier = after.map { after in before.map { after < $0 } ?? true } ?? false
            return (effects, answers, isEarlier)
        }
        for answer in answers { answer.slot.resolve(answer.result) }
        for connection in effects.opens { post(.open(connection)) }
        for connection in effects.closes { post(.close(connection)) }
        if isEarlier { post(.lookAtClock) }
        if effects.isDrained { drained.resolve(()) }
    }

    private static func error(_ refusal: PoolStateMachine.Refusal, _ connectError: PostgresError?) -> PostgresError {
        switch refusal {
        case .tooManyWaiters: PostgresError(.poolExhausted, "too many callers wait for a connection")
        case .waitLimit:
            if let connectError {
                PostgresError(connectError.code, connectError.message, cause: connectError)
            } else {
                PostgresError(.poolExhausted, "no connection became free within the wait limit")
            }
        case .deadline: PostgresError(.deadlineExceeded, "the deadline passed before a connection became free")
        case .cancelled: Link.error(for: .cancellation)
        case .shutdown: PostgresError(.shutdown, "the database client is shut down")
        }
    }
}

extension ConnectionPool: IOLoopDelegate {
    func linkOpened(_ id: UInt64) {
        let hadFailed = state.withLock { state in
            defer { state.connectError = nil }
            return state.connectError != nil
        }
        if hadFailed { logger.notice("The database can be reached again") }
        mutate { $0.connected(id, at: .now) }
    }

    func linkFailed(_ id: UInt64, _ error: PostgresError) {
        let isFirst = state.withLock { state in
            defer { state.connectError = error }
            return state.connectError == nil
        }
        logger.log(
            level: isFirst ? .warning : .debug,
            "Connecting to the database failed",
            metadata: ["error": "\(error)"]
        )
        mutate { $0.connectFailed(id, at: .now, jitter: Double.random(in: 0...1)) }
    }

    func linkLost(_ id: UInt64, _ error: PostgresError) {
        logger.warning("A database connection was lost", metadata: ["error": "\(error)"])
        mutate { $0.connectionLost(id, at: .now) }
    }

    func nextDeadline() -> ContinuousClock.Instant? {
        state.withLock { $0.machine.nextDeadline }
    }

    func tick(at now: ContinuousClock.Instant) {
        mutate { $0.ticked(at: now) }
    }
}
