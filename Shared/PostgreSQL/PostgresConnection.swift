import Synchronization

/// A connection that one caller holds: for session advisory locks and other state of a session.
///
/// Whatever the holder sets on the session, it must unset; an open transaction is rolled back when it is given back.
package final class PostgresConnection: Sendable {
    private struct State {
        var status = SessionStatus.idle
        var isReleased = false
    }

    let id: UInt64
    let pool: ConnectionPool
    private let deadline: ContinuousClock.Instant?
    private let state = Mutex(State())

    init(id: UInt64, pool: ConnectionPool, deadline: ContinuousClock.Instant?) {
        self.id = id
        self.pool = pool
        self.deadline = deadline
    }

    /// Runs one statement; outside a transaction it commits by itself.
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

    /// Runs statements in one round trip; outside a transaction they commit together or not at all.
    @discardableResult
    package func pipeline(
        _ statements: [PostgresStatement],
        deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> [PostgresRows] {
        guard !statements.isEmpty else { return [] }
        for statement in statements { try statement.validate() }
        let operation = Operation(
            id: pool.nextID(),
            content: .statements(statements),
            commitPoint: statements.allSatisfy(\.isReadOnly) ? .never : .whenFlushed,
            deadline: Self.earlier(deadline, self.deadline)
        )
        return try await run(operation)
    }

    /// Runs a text of several commands, without parameters or results, as a migration has them.
    ///
    /// They are one transaction unless the text says otherwise.
    package func executeScript(_ sql: String, deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) {
        guard !sql.utf8.contains(0) else { throw PostgresError(.encoding, "the script holds a NUL character") }
        let operation = Operation(
            id: pool.nextID(),
            content: .script(sql),
            commitPoint: .whenSent,
            deadline: Self.earlier(deadline, self.deadline)
        )
        _ = try await run(operation)
    }

    func run(_ operation: Operation) async throws(PostgresError) -> [PostgresRows] {
        try submit(operation)
        return try await finish(operation)
    }

    /// Hands the operation over; throws when the lease is over.
    func submit(_ operation: Operation) throws(PostgresError) {
        guard !state.withLock(\.isReleased) else {
            throw PostgresError(.transactionFinished, "the connection was given back already")
        }
        pool.submit(operation, on: id)
    }

    /// Awaits what was submitted.
    func finish(_ operation: Operation) async throws(PostgresError) -> [PostgresRows] {
        let outcome = await pool.outcome(of: operation, on: id)
        noteStatus(outcome.status)
        return try outcome.result.get()
    }

    var status: SessionStatus {
        state.withLock(\.status)
    }

    private func noteStatus(_ new: SessionStatus) {
        guard new != .unchanged else { return }
        state.withLock { state in
            if state.status != .broken { state.status = new }
        }
    }

    /// Ends an open transaction.
    ///
    /// It is not cancelled with the task, but has a limit of its own.
    func rollback() async {
        let operation = Operation(
            id: pool.nextID(),
            content: .statements([.simple("ROLLBACK")]),
            commitPoint: .never,
            deadline: .now.advanced(by: pool.configuration.cancellationGrace)
        )
        pool.submit(operation, on: id)
        let outcome = await operation.outcome.wait()
        noteStatus(outcome.status == .unchanged ? .broken : outcome.status)
    }

    /// Gives the connection back; the session's state decides whether anybody gets it again.
    func release() async {
        state.withLock { $0.isReleased = true }
        switch status {
        case .inTransaction, .failedTransaction: await rollback()
        case .idle, .unchanged, .broken: break
        }
        pool.release(id, isReusable: status == .idle)
    }

    static func earlier(
        _ one: ContinuousClock.Instant?,
        _ other: ContinuousClock.Instant?
    ) -> ContinuousClock.Instant? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }
}
