import Synchronization

/// A transaction on a connection of its own.
///
/// `BEGIN` travels with the first statements.
package final class PostgresTransaction: Sendable {
    /// What distinguishes one transaction from another.
    package struct Options: Sendable, Hashable {
        package enum Isolation: String, Sendable, Hashable {
            case readCommitted = "READ COMMITTED"
            case repeatableRead = "REPEATABLE READ"
            case serializable = "SERIALIZABLE"
        }

        package var isolation: Isolation
        package var isReadOnly: Bool

        package init(isolation: Isolation = .readCommitted, isReadOnly: Bool = false) {
            self.isolation = isolation
            self.isReadOnly = isReadOnly
        }

        var begin: String {
            "BEGIN ISOLATION LEVEL \(isolation.rawValue)\(isReadOnly ? " READ ONLY" : "")"
        }
    }

    enum Phase: Hashable, Sendable {
        /// Nothing has been sent.
        case unopened
        case open
        /// A commit was sent, or the transaction was rolled back.
        case finished
    }

    private let connection: PostgresConnection
    private let options: Options
    private let deadline: ContinuousClock.Instant?
    private let phase = Mutex(Phase.unopened)

    init(_ connection: PostgresConnection, _ options: Options, deadline: ContinuousClock.Instant?) {
        self.connection = connection
        self.options = options
        self.deadline = deadline
    }

    /// Runs one statement.
    @discardableResult
    package func execute(
        _ statement: PostgresStatement,
        deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> PostgresRows {
        guard let rows = try await pipeline([statement], deadline: deadline).first else {
            throw PostgresError(.unsupported, "the statement was not answered")
        }
        return rows
    }

    /// Runs statements in one round trip.
    @discardableResult
    package func pipeline(
        _ statements: [PostgresStatement],
        deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> [PostgresRows] {
        guard !statements.isEmpty else { return [] }
        return try await run(statements, commits: false, deadline)
    }

    /// Commits, running the last statements in the same round trip.
    ///
    /// Throws ``PostgresError/Code/commitOutcomeUnknown`` when the answer was lost, and
    /// ``PostgresError/Code/transactionAborted`` when an earlier statement had failed.
    @discardableResult
    package func commit(_ last: [PostgresStatement] = []) async throws(PostgresError) -> [PostgresRows] {
        guard connection.status != .failedTransaction else {
            throw PostgresError(.transactionAborted, "a statement of the transaction has failed")
        }
        return try await run(last, commits: true, nil)
    }

    var isFinished: Bool {
        phase.withLock { $0 == .finished }
    }

    /// Commits what the body left open; nothing is sent if nothing was.
    func commitIfOpen() async throws(PostgresError) {
        guard phase.withLock({ $0 == .open }) else { return }
        _ = try await commit()
    }

    private func run(
        _ statements: [PostgresStatement],
        commits: Bool,
        _ deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> [PostgresRows] {
        for statement in statements { try statement.validate() }
        let (operation, before) = try phase.withLock { (phase) throws(PostgresError) -> (Operation?, Phase) in
            let before = phase
            guard before != .finished else {
                throw PostgresError(.transactionFinished, "the transaction is over")
            }
            phase = commits ? .finished : .open
            guard before == .open || !statements.isEmpty else { return (nil, before) }
            let operation = Operation(
                id: connection.pool.nextID(),
                prologue: before == .unopened ? options.begin : nil,
                content: .statements(statements),
                commits: commits,
                commitPoint: commits && !options.isReadOnly ? .whenSent : .never,
                isReadOnly: options.isReadOnly,
                deadline: PostgresConnection.earlier(deadline, self.deadline)
            )
            // Under the lock, so that nothing overtakes the BEGIN.
            try connection.submit(operation)
            return (operation, before)
        }
        guard let operation else { return [] }
        do {
            return try await connection.finish(operation)
        } catch {
            // A BEGIN that was never sent is due with whatever comes next.
            if before == .unopened, connection.status == .idle, !commits { phase.withLock { $0 = .unopened } }
            throw error
        }
    }
}
