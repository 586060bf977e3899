import CPostgreSQL
import DequeModule
import Synchronization

/// What the I/O thread tells the pool.
protocol IOLoopDelegate: AnyObject, Sendable {
    func linkOpened(_ id: UInt64)
    func linkFailed(_ id: UInt64, _ error: PostgresError)
    func linkLost(_ id: UInt64, _ error: PostgresError)
    /// When ``tick(at:)`` must be called at the latest.
    func nextDeadline() -> ContinuousClock.Instant?
    func tick(at now: ContinuousClock.Instant)
}

/// The mailbox of the one thread that drives every connection of a client.
final class IOLoop: Sendable {
    enum Command: Sendable {
        case open(UInt64)
        case opened(UInt64, ConnectionHandle)
        case openFailed(UInt64, PostgresError)
        case submit(UInt64, Operation)
        case cancel(UInt64, operation: UInt64)
        case cancelFinished(UInt64)
        case close(UInt64)
        /// The next deadline has become an earlier one.
        case lookAtClock
        case stop
    }

    private struct State {
        var commands: Deque<Command> = []
        var isStarted = false
        var isStopped = false
    }

    let poller: Poller
    let configuration: PostgresConfiguration
    private let state = Mutex(State())

    init(configuration: PostgresConfiguration) throws(PostgresError) {
        self.configuration = configuration
        poller = try Poller()
    }

    /// Starts the thread, the first time.
    func start(_ delegate: any IOLoopDelegate) throws(PostgresError) {
        let isFirst = state.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted
        }
        guard isFirst else { return }
        let isRunning = NativeThread.detach(name: "postgres-io") {
            IOLoopWorker(loop: self, delegate: delegate).run()
        }
        guard !isRunning else { return }
        state.withLock { $0.isStarted = false }
        throw PostgresError(.system, "no thread for the database's connections")
    }

    /// Leaves a command; false when the thread has ended, and nothing will come of it.
    @discardableResult
    func post(_ command: Command) -> Bool {
        let (isTaken, wasEmpty) = state.withLock { state in
            guard !state.isStopped else { return (false, false) }
            defer { state.commands.append(command) }
            return (true, state.commands.isEmpty)
        }
        if wasEmpty { poller.ring() }
        return isTaken
    }

    func takeCommands(into commands: inout Deque<Command>) {
        state.withLock { swap(&$0.commands, &commands) }
    }

    /// Refuses further commands and returns those that nobody will run.
    func stopped() -> Deque<Command> {
        state.withLock { state in
            state.isStopped = true
            defer { state.commands.removeAll() }
            return state.commands
        }
    }
}
