import DequeModule

/// What one connection has been asked to do and which answers are still due.
///
/// Operations go out one at a time, so a cancel request can only hit the one that it is meant for. An operation is a
/// list of steps that ends in one sync point; libpq answers each step with a result and an end, then the sync point.
struct PipelineStateMachine: Sendable {
    typealias OperationID = UInt64

    /// One command of an operation.
    enum Step: Hashable, Sendable {
        /// A command of our own, whose result nobody needs: `BEGIN`, `DEALLOCATE ALL`.
        case control
        /// The preparation of the statement at this position.
        case prepare(Int)
        /// The execution of the statement at this position.
        case statement(Int)
        /// `COMMIT`.
        case commit
    }

    /// What marks the end of an operation.
    enum Framing: Hashable, Sendable {
        /// A sync point, in pipeline mode.
        case pipeline
        /// The end of a simple query, which may hold several commands, outside pipeline mode.
        case script
    }

    /// From when on an operation can have been committed without an answer.
    enum CommitPoint: Hashable, Sendable {
        /// It commits nothing.
        case never
        /// The implicit transaction commits at the sync point, the last bytes to be sent.
        case whenFlushed
        /// It holds a command that commits.
        case whenSent
    }

    /// One answer of libpq, boiled down.
    enum Reply: Hashable, Sendable {
        case success
        /// An error; `endsSession` when the server closes the connection with it.
        case failure(endsSession: Bool)
        /// Skipped, because something before it failed.
        case aborted
        case endOfCommand
        case sync
        /// COPY, or something unknown.
        case unsupported
    }

    enum EnqueueAction: Hashable, Sendable {
        case send(OperationID)
        case wait
        case refuse
    }

    enum ReceiveAction: Hashable, Sendable {
        case wait
        /// Keep the result of the statement at this position.
        case keep(statement: Int)
        case markPrepared(statement: Int)
        /// Check that the tag says COMMIT.
        case checkCommit
        /// The first error of the operation; nil when it belongs to no statement of the caller's.
        case fail(statement: Int?)
        case finish(OperationID, failed: Bool)
        /// The answer fits nothing that is due: the connection must go.
        case disconnect
    }

    enum CancelAction: Hashable, Sendable {
        /// It had not been sent; it is out of the queue.
        case removed
        /// It is running: ask the server to stop it.
        case cancelOnServer
        /// It is over, or being cancelled already.
        case ignore
    }

    /// What is known of an operation whose connection broke.
    enum Verdict: Hashable, Sendable {
        case notCommitted
        /// The server had refused it before.
        case failed
        case unknown
    }

    /// What a broken connection leaves behind.
    struct Remains: Hashable, Sendable {
        var current: OperationID?
        var verdict: Verdict
        var waiting: [OperationID]
    }

    private struct Flight: Sendable {
        let id: OperationID
        let steps: [Step]
        let framing: Framing
        let commitPoint: CommitPoint
        /// The step whose answer is due; the count of steps when the sync point is.
        var next = 0
        /// Whether the step's result has come, and its end is due.
        var isAnswered = false
        var hasFailed = false
        /// Whether the session ended in a moment in which the commit may have been made.
        var isInDoubt = false
        var isFlushed = false

        var isAtSync: Bool { next == steps.count }
        var isAtCommit: Bool { isAtSync || steps[next] == .commit }
    }

    private enum State: Sendable {
        case idle
        /// The shell was told to send it.
        case sending(OperationID)
        case flying(Flight)
        case lost
    }

    private var state = State.idle
    private var waiting: Deque<OperationID> = []
    /// A cancel request is under way and might hit whatever is sent now.
    private var isHeld = false

    /// Whether answers are due.
    var isFlying: Bool {
        if case .flying = state { true } else { false }
    }

    /// The operation that is being sent or answered.
    var current: OperationID? {
        switch state {
        case .idle, .lost: nil
        case .sending(let id): id
        case .flying(let flight): flight.id
        }
    }

    /// Whether all that was sent has reached the kernel.
    var isFlushed: Bool {
        if case .flying(let flight) = state { flight.isFlushed } else { true }
    }

    mutating func enqueued(_ id: OperationID) -> EnqueueAction {
        switch state {
        case .idle where !isHeld && waiting.isEmpty:
            state = .sending(id)
            return .send(id)
        case .idle, .sending, .flying:
            waiting.append(id)
            return .wait
        case .lost:
            return .refuse
        }
    }

    /// Every step has been handed to libpq; called before the sync point is, which sends.
    mutating func sent(_ steps: [Step], framing: Framing, commitPoint: CommitPoint) {
        guard case .sending(let id) = state else { preconditionFailure("sent without having been told to send") }
        state = .flying(Flight(id: id, steps: steps, framing: framing, commitPoint: commitPoint))
    }

    /// The last byte has reached the kernel.
    mutating func flushed() {
        guard case .flying(var flight) = state else { return }
        flight.isFlushed = true
        state = .flying(flight)
    }

    mutating func received(_ reply: Reply) -> ReceiveAction {
        switch state {
        case .flying(var flight):
            let action: ReceiveAction
            switch flight.framing {
            case .pipeline: action = Self.receivedInPipeline(reply, &flight)
            case .script: action = Self.receivedInScript(reply, &flight)
            }
            if case .finish = action { state = .idle } else { state = .flying(flight) }
            return action
        case .idle, .sending:
            return reply == .endOfCommand ? .wait : .disconnect
        case .lost:
            return .wait
        }
    }

    private static func receivedInPipeline(_ reply: Reply, _ flight: inout Flight) -> ReceiveAction {
        switch reply {
        case .success:
            guard !flight.isAtSync, !flight.isAnswered else { return .disconnect }
            flight.isAnswered = true
            switch flight.steps[flight.next] {
            case .control: return .wait
            case .prepare(let index): return .markPrepared(statement: index)
            case .statement(let index): return .keep(statement: index)
            case .commit: return .checkCommit
            }
        case .failure(let endsSession):
            return failed(endsSession: endsSession, &flight)
        case .aborted:
            guard flight.hasFailed else { return .disconnect }
            if !flight.isAtSync { flight.isAnswered = true }
            return .wait
        case .endOfCommand:
            // After an error at the sync point there is an end that belongs to no step.
            guard !flight.isAtSync else { return .wait }
            guard flight.isAnswered else { return .disconnect }
            flight.next += 1
            flight.isAnswered = false
            return .wait
        case .sync:
            guard flight.isAtSync else { return .disconnect }
            return .finish(flight.id, failed: flight.hasFailed)
        case .unsupported:
            return .disconnect
        }
    }

    private static func failed(endsSession: Bool, _ flight: inout Flight) -> ReceiveAction {
        // A session that is ended while a commit is due may have committed; an error that leaves it open has not.
        if endsSession, flight.isAtCommit, !flight.hasFailed { flight.isInDoubt = true }
        if !flight.isAtSync { flight.isAnswered = true }
        guard !flight.hasFailed else { return .wait }
        flight.hasFailed = true
        guard !flight.isAtSync else { return .fail(statement: nil) }
        switch flight.steps[flight.next] {
        case .prepare(let index), .statement(let index): return .fail(statement: index)
        case .control, .commit: return .fail(statement: nil)
        }
    }

    private static func receivedInScript(_ reply: Reply, _ flight: inout Flight) -> ReceiveAction {
        switch reply {
        case .success:
            return .wait
        case .failure(let endsSession):
            if endsSession { flight.isInDoubt = true }
            guard !flight.hasFailed else { return .wait }
            flight.hasFailed = true
            return .fail(statement: nil)
        case .endOfCommand:
            return .finish(flight.id, failed: flight.hasFailed)
        case .aborted, .sync, .unsupported:
            return .disconnect
        }
    }

    /// The caller gave up, by its deadline or by cancellation.
    mutating func cancelRequested(_ id: OperationID) -> CancelAction {
        if let position = waiting.firstIndex(of: id) {
            waiting.remove(at: position)
            return .removed
        }
        guard current == id, !isHeld else { return .ignore }
        isHeld = true
        return .cancelOnServer
    }

    /// The cancel request has been delivered or has failed; nothing sent from now on can be hit by it.
    mutating func cancelFinished() {
        isHeld = false
    }

    /// The next operation to send, if the connection is free.
    mutating func nextToSend() -> OperationID? {
        guard case .idle = state, !isHeld, let next = waiting.popFirst() else { return nil }
        state = .sending(next)
        return next
    }

    mutating func connectionLost() -> Remains {
        var remains = Remains(current: current, verdict: .notCommitted, waiting: Array(waiting))
        if case .flying(let flight) = state { remains.verdict = Self.verdict(on: flight) }
        state = .lost
        waiting.removeAll()
        return remains
    }

    private static func verdict(on flight: Flight) -> Verdict {
        switch flight.commitPoint {
        case .never: return flight.hasFailed ? .failed : .notCommitted
        case .whenFlushed, .whenSent:
            if flight.isInDoubt { return .unknown }
            if flight.hasFailed { return .failed }
            return flight.isFlushed || flight.commitPoint == .whenSent ? .unknown : .notCommitted
        }
    }
}
