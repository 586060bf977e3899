package import Logging
import ServiceLifecycle

/// A pool of connections to one database.
///
/// `run()` opens them and keeps them; before it runs, calls wait, at most for the pool's wait limit. Every call stops
/// at its deadline or when its task is cancelled, and the server stops working on it too.
package final class PostgresClient: Service, Sendable {
    private let pool: ConnectionPool

    package init(configuration: PostgresConfiguration, logger: Logger) {
        pool = ConnectionPool(configuration: configuration, logger: logger)
    }

    deinit {
        pool.abandon()
    }

    /// Keeps the pool until shutdown, then waits for connections that are held and closes all.
    ///
    /// Throws ``PostgresError`` when the configuration is unusable. It may run once.
    package func run() async throws {
        try pool.start()
        try? await gracefulShutdown()
        await pool.drain(limit: Task.isCancelled ? .zero : pool.configuration.shutdownLimit)
    }

    /// Runs one statement, which commits by itself.
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

    /// Runs statements in one round trip and one implicit transaction: they commit together or not at all.
    ///
    /// The error of the first that fails is thrown, with its index. When the connection breaks before the answer, the
    /// code is ``PostgresError/Code/commitOutcomeUnknown`` unless all statements are read-only.
    @discardableResult
    package func pipeline(
        _ statements: [PostgresStatement],
        deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> [PostgresRows] {
        guard !statements.isEmpty else { return [] }
        for statement in statements { try statement.validate() }
        let connection = try await lease(deadline)
        do {
            let rows = try await connection.pipeline(statements)
            await connection.release()
            return rows
        } catch {
            await connection.release()
            throw error
        }
    }

    /// Runs a text of several commands, without parameters or results, as a migration has them.
    package func executeScript(_ sql: String, deadline: ContinuousClock.Instant? = nil) async throws(PostgresError) {
        let connection = try await lease(deadline)
        do {
            try await connection.executeScript(sql)
            await connection.release()
        } catch {
            await connection.release()
            throw error
        }
    }

    /// Lends one connection to the body, for what needs a session, such as advisory locks.
    ///
    /// The deadline holds for every statement that the body runs.
    package func withConnection<R>(
        deadline: ContinuousClock.Instant? = nil,
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        let connection = try await lease(deadline)
        do {
            let value = try await body(connection)
            await connection.release()
            return value
        } catch {
            await connection.release()
            throw error
        }
    }

    /// Runs the body in a transaction: it commits when the body returns, unless that has, and is undone when it throws.
    ///
    /// The body may end with ``PostgresTransaction/commit(_:)``, which saves a round trip. The deadline holds for every
    /// statement that the body runs, and for the commit.
    package func withTransaction<R>(
        _ options: PostgresTransaction.Options = PostgresTransaction.Options(),
        deadline: ContinuousClock.Instant? = nil,
        _ body: (PostgresTransaction) async throws -> R
    ) async throws -> R {
        try await withConnection(deadline: deadline) { connection in
            let transaction = PostgresTransaction(connection, options, deadline: deadline)
            let value = try await body(transaction)
            try await transaction.commitIfOpen()
            return value
        }
    }

    private func lease(_ deadline: ContinuousClock.Instant?) async throws(PostgresError) -> PostgresConnection {
        PostgresConnection(id: try await pool.lease(deadline: deadline), pool: pool, deadline: deadline)
    }
}
