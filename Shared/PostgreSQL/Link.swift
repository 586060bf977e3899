import CPostgreSQL
import Glibc

/// One connection, driven by the I/O thread, which alone touches it.
final class Link {
    /// Why an operation is being stopped.
    enum CancelReason {
        case deadline
        case cancellation
    }

    /// What is known of the operation that is on the wire.
    struct Flight {
        var rows: [PostgresRows?] = []
        var error: PostgresError?
        /// Preparations whose answer is due, by the statement's position.
        var preparations: [Int: (key: StatementCache.Key, name: String)] = [:]
        var receivedBytes = 0
        /// Whether the server has stopped waiting for its synchronous standby, and committed on its own.
        var isUnreplicated = false
        var wasIdle = false
        var cancelReason: CancelReason?
        /// When the connection is dropped, if the server does not stop.
        var cancelLimit: ContinuousClock.Instant?
        /// When the server is asked again: it ignores a request that comes before the statement does.
        var cancelAgain: ContinuousClock.Instant?
    }

    let id: UInt64
    let connection: OpaquePointer
    let configuration: PostgresConfiguration
    private let descriptor: Int32
    private let poller: Poller
    private let sendCancel: @Sendable (ConnectionHandle) -> Void
    private var interest: Poller.Interest = .read

    var machine = PipelineStateMachine()
    var operations: [UInt64: Operation] = [:]
    var flight = Flight()
    var cache = StatementCache()
    /// Operations that have had their one repetition after a stale statement.
    var repeated: Set<UInt64> = []
    /// Why the connection is gone, once it is.
    private(set) var lostBecause: PostgresError?

    /// Takes over the connection; `sendCancel` delivers a cancel request on another thread, frees it, and reports back.
    init(
        id: UInt64,
        owning handle: ConnectionHandle,
        configuration: PostgresConfiguration,
        poller: Poller,
        sendCancel: @escaping @Sendable (ConnectionHandle) -> Void
    ) {
        self.id = id
        connection = handle.pointer
        self.configuration = configuration
        self.poller = poller
        self.sendCancel = sendCancel
        descriptor = PQsocket(handle.pointer)
        listenToNotices()
        if !poller.watch(descriptor, key: id, .read) {
            lose(PostgresError(.system, "the socket cannot be watched: errno \(errno)"))
        }
    }

    deinit {
        PQfinish(connection)
    }

    /// Hears what the server says beside its answers: only from within libpq's calls, which this link alone makes.
    private func listenToNotices() {
        let receiver: PQnoticeReceiver = { argument, result in
            guard let argument, let result else { return }
            Unmanaged<Link>.fromOpaque(argument).takeUnretainedValue().noticed(result)
        }
        _ = PQsetNoticeReceiver(connection, receiver, Unmanaged.passUnretained(self).toOpaque())
    }

    private func noticed(_ notice: OpaquePointer) {
        // The routine's name, since the text is in the server's language.
        guard let routine = PQresultErrorField(notice, Int32(PostgresResult.ErrorField.routine.rawValue.value)) else {
            return
        }
        if String(cString: routine) == "SyncRepWaitForLSN" { flight.isUnreplicated = true }
    }

    // MARK: Events

    func submit(_ operation: Operation) {
        guard lostBecause == nil else {
            return operation.resolve(.failure(Self.lostError), .broken)
        }
        if let deadline = operation.deadline, ContinuousClock.now >= deadline {
            return operation.resolve(.failure(Self.error(for: .deadline)), .unchanged)
        }
        operations[operation.id] = operation
        switch machine.enqueued(operation.id) {
        case .send: send(operation)
        case .wait: break
        case .refuse:
            operations[operation.id] = nil
            operation.resolve(.failure(Self.lostError), .broken)
        }
    }

    func becameReady(isReadable: Bool, isWritable: Bool) {
        if isReadable { receive() }
        if isWritable, lostBecause == nil { flush() }
    }

    func cancel(_ id: UInt64, _ reason: CancelReason) {
        switch machine.cancelRequested(id) {
        case .removed:
            operations.removeValue(forKey: id)?.resolve(.failure(Self.error(for: reason)), .unchanged)
        case .cancelOnServer:
            let now = ContinuousClock.now
            if flight.cancelReason == nil {
                flight.cancelReason = reason
                flight.cancelLimit = now.advanced(by: configuration.cancellationGrace)
            }
            flight.cancelAgain = now.advanced(by: .milliseconds(200))
            guard let request = PQgetCancel(connection) else {
                return machine.cancelFinished()
            }
            sendCancel(ConnectionHandle(pointer: request))
        case .ignore:
            break
        }
    }

    func cancelFinished() {
        machine.cancelFinished()
        sendNext()
    }

    /// When ``tick(at:)`` must be called at the latest.
    var nextDeadline: ContinuousClock.Instant? {
        var next: ContinuousClock.Instant?
        for operation in operations.values {
            let isStopping = operation.id == machine.current && flight.cancelReason != nil
            let instants = isStopping ? [flight.cancelLimit, flight.cancelAgain] : [operation.deadline]
            for case .some(let instant) in instants { next = next.map { min($0, instant) } ?? instant }
        }
        return next
    }

    func tick(at now: ContinuousClock.Instant) {
        guard let nextDeadline, now >= nextDeadline else { return }
        for operation in operations.values {
            guard operation.id == machine.current, let reason = flight.cancelReason else {
                if let deadline = operation.deadline, now >= deadline { cancel(operation.id, .deadline) }
                continue
            }
            if let limit = flight.cancelLimit, now >= limit {
                return lose(PostgresError(.connectionLost, "the server did not stop a cancelled statement in time"))
            }
            if let again = flight.cancelAgain, now >= again {
                // A request that is still under way makes this one be ignored; look again later.
                flight.cancelAgain = now.advanced(by: .milliseconds(200))
                cancel(operation.id, reason)
            }
        }
    }

    // MARK: The socket

    func flush() {
        switch PQflush(connection) {
        case 0:
            machine.flushed()
            watch(.read)
        case 1:
            // The server may be unable to read because it wants to write, so both directions are served.
            watch([.read, .write])
        default:
            // What the server had to say before it hung up is still to be read.
            receive()
            if lostBecause == nil { lose(connectionError()) }
        }
    }

    private func watch(_ wanted: Poller.Interest) {
        guard wanted != interest else { return }
        interest = wanted
        poller.change(descriptor, key: id, wanted)
    }

    /// How many bytes wait in the socket; libpq does not say how many it read.
    func pendingBytes() -> Int {
        var count: Int32 = 0
        return ioctl(descriptor, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }

    func connectionError() -> PostgresError {
        PostgresError(.connectionLost, Connector.errorMessage(of: connection))
    }

    // MARK: The end

    /// Gives up the connection; everything asked of it is answered here.
    func lose(_ error: PostgresError) {
        guard lostBecause == nil else { return }
        lostBecause = error
        poller.forget(descriptor)
        let remains = machine.connectionLost()
        if let current = remains.current, let operation = operations.removeValue(forKey: current) {
            operation.resolve(.failure(finalError(for: operation, remains.verdict, error)), .broken)
        }
        for id in remains.waiting {
            operations.removeValue(forKey: id)?.resolve(.failure(Self.lostError), .broken)
        }
    }

    private func finalError(
        for operation: Operation,
        _ verdict: PipelineStateMachine.Verdict,
        _ error: PostgresError
    ) -> PostgresError {
        switch verdict {
        case .failed:
            return flight.error ?? error
        case .unknown:
            return PostgresError(
                .commitOutcomeUnknown,
                "the connection was lost between a commit and its answer",
                cause: flight.error ?? error
            )
        case .notCommitted:
            guard let reason = flight.cancelReason else { return error }
            var stopped = Self.error(for: reason)
            stopped.cause = error
            return stopped
        }
    }

    static let lostError = PostgresError(.connectionLost, "the connection was lost before the statement was sent")

    static func error(for reason: CancelReason) -> PostgresError {
        switch reason {
        case .deadline: PostgresError(.deadlineExceeded, "the deadline passed")
        case .cancellation: PostgresError(.cancelled, "the task was cancelled")
        }
    }
}
