package import PostgreSQL

/// A statement that writes what users see, such as an automation, a token or a hook.
///
/// It can be executed by a ``ChangeTransaction`` and by nothing else, and thus not without an entry in the audit log. A test
/// that reads the sources (`AuditTests`) says which tables hold what users see, and that all that writes them is made as such
/// a statement.
package struct ChangeStatement: Sendable {
    let statement: PostgresStatement

    /// - Parameters:
    ///   - sql: The text, with `$1`, `$2`, … for the parameters.
    ///   - parameters: Their values.
    package init(_ sql: String, _ parameters: [PostgresValue] = []) {
        statement = PostgresStatement(sql, parameters)
    }

    /// A statement that is not of that kind in itself, and part of such a change here.
    package init(_ statement: PostgresStatement) {
        self.statement = statement
    }
}
