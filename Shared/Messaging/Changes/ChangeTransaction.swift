package import PostgreSQL

/// One transaction that may change what users see: the one place where a ``ChangeStatement`` is executed.
///
/// It is used by the one task that runs the body of ``LaneGroup/change(deadline:_:)``, and by nothing afterwards.
package final class ChangeTransaction {
    /// The lane's transaction, for what others are to be told besides the entries.
    package let lane: LaneTransaction
    /// Whether a statement has written a row, or will with the commit.
    private(set) var hasWritten = false

    init(_ lane: LaneTransaction) {
        self.lane = lane
    }

    /// The database's transaction, for reading and locking.
    package var database: PostgresTransaction { lane.database }

    /// Runs one statement.
    ///
    /// - Parameter statement: The statement; one that writes no row changes nothing.
    /// - Returns: Its rows.
    /// - Throws: `PostgresError`.
    @discardableResult
    package func execute(_ statement: ChangeStatement) async throws(PostgresError) -> PostgresRows {
        let rows = try await database.execute(statement.statement)
        if rows.affectedRows > 0 { hasWritten = true }
        return rows
    }

    /// Runs statements in one round trip.
    ///
    /// - Parameter statements: The statements; at least one of them changes something.
    /// - Returns: The rows of each.
    /// - Throws: `PostgresError`.
    @discardableResult
    package func pipeline(_ statements: [ChangeStatement]) async throws(PostgresError) -> [PostgresRows] {
        hasWritten = hasWritten || !statements.isEmpty
        return try await database.pipeline(statements.map(\.statement))
    }

    /// Statements for the last round trip, which they share with the entries and COMMIT.
    package func enqueue(_ statements: [ChangeStatement]) {
        hasWritten = hasWritten || !statements.isEmpty
        lane.enqueue(statements.map(\.statement))
    }
}

extension LaneGroup {
    /// Changes what users see, and leaves the entries of that in the audit log, in one transaction on a free lane.
    ///
    /// Every write operation of every service goes through here, whoever asks for it. This is how one is added:
    ///
    /// 1. The statements that write its object are ``ChangeStatement``s, next to the object's other SQL. Nothing but the
    ///    transaction of such a change can execute them.
    /// 2. The body reads and locks the object, throws what speaks against the change, and answers ``Change/none(_:)`` where
    ///    everything is as asked for already. Else it runs the statements, and answers ``Change/made(_:_:and:)`` with an entry
    ///    that says who, what, and the object's state before and after. ``ChangeTransaction/once(_:_:)`` carries out what has
    ///    an idempotency key.
    /// 3. A new table is named in `AuditTests`, with why its rows are audited or not; a new route has its row in
    ///    `AuditedOperationsTests`, and neither compiles nor passes without.
    ///
    /// What is too large for an entry goes to the audit-writer by itself. Nothing is repeated, as with
    /// ``transaction(deadline:_:)``, which is left for what changes nothing that users see.
    ///
    /// - Parameters:
    ///   - deadline: When to give up; 15 seconds from now if nil.
    ///   - body: Makes the change; what it throws rolls the transaction back.
    /// - Returns: The change's result, once it is committed.
    /// - Throws: ``UnauditedChangeError`` where something was written and no entry named: nothing has happened then;
    ///   `LaneError`, `PostgresError`, or what the body throws.
    package func change<R: Sendable>(
        deadline: ContinuousClock.Instant? = nil,
        _ body: (ChangeTransaction) async throws -> Change<R>
    ) async throws -> R {
        try await transaction(deadline: deadline) { lane in
            let transaction = ChangeTransaction(lane)
            let change = try await body(transaction)
            guard !transaction.hasWritten || !change.entries.isEmpty else {
                throw UnauditedChangeError()
            }
            lane.audit(change: change.entries)
            return change.result
        }
    }
}
