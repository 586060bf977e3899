package import PostgreSQL

/// Why a schema could not be prepared, checked or kept.
package struct PersistenceError: Error, Sendable {
    /// What kind of failure it was.
    package let code: Code
    /// A sentence for operators, which says what to do where something can be done.
    package let message: String
    /// The database's own error, where there was one.
    package let cause: PostgresError?

    package init(_ code: Code, _ message: String, cause: PostgresError? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Whether the same call, made again, may succeed.
    ///
    /// All calls of this module may be repeated.
    package var isRetryable: Bool {
        guard code == .database, let cause else { return false }
        return cause.isRetryable || cause.code == .commitOutcomeUnknown || cause.code == .deadlineExceeded
    }

    /// An error of the database, put into the words of what was being done.
    static func during(_ work: String, _ error: any Error) -> PersistenceError {
        if let error = error as? PersistenceError { return error }
        if let error = error as? PostgresError { return PersistenceError(.database, "\(work): \(error)", cause: error) }
        return PersistenceError(.database, "\(work): \(error)")
    }
}

extension PersistenceError {
    /// A kind of failure; new ones may be added.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        package let description: String

        private init(_ description: String) {
            self.description = description
        }

        /// The folder of migrations or a file in it is not as it must be.
        package static let migrationFiles = Code("migrationFiles")
        /// An SQL text ends inside a string, comment or block, or controls the transaction that it runs in.
        package static let script = Code("script")
        /// A migration that was applied has another text now.
        package static let changedMigration = Code("changedMigration")
        /// The database lacks a migration before one that it has.
        package static let historyGap = Code("historyGap")
        /// A migration failed; nothing of it was kept.
        package static let migrationFailed = Code("migrationFailed")
        /// A role or its password cannot be as it must be.
        package static let role = Code("role")
        /// The schema does not exist, or the role may not look into it.
        package static let schemaMissing = Code("schemaMissing")
        /// The schema is older than the release needs.
        package static let schemaTooOld = Code("schemaTooOld")
        /// The schema has moved on so far that the release must not use it.
        package static let schemaIncompatible = Code("schemaIncompatible")
        /// The database could not be reached or refused a statement.
        package static let database = Code("database")
    }
}

extension PersistenceError: CustomStringConvertible {
    package var description: String { message }
}
