/// An SQL text of several statements, taken apart where Postgres would.
///
/// It knows comments, strings with and without escapes, quoted names, dollar quotes, parentheses and the bodies of
/// `BEGIN ATOMIC`, as `psql` does, and nothing else of the language.
package struct SQLScript: Hashable, Sendable {
    /// One statement, without the semicolon and without the comments before it.
    package struct Statement: Hashable, Sendable {
        package let text: String
        /// The line, from 1, on which it begins.
        package let line: Int
    }

    /// The statements in order; none is empty.
    package let statements: [Statement]

    /// Takes a text apart.
    ///
    /// - Throws: ``PersistenceError/Code/script`` where the text ends inside something, names the line.
    package init(_ text: String) throws(PersistenceError) {
        var scanner = SQLScanner(text)
        statements = try scanner.statements()
    }

    /// Refuses what would end or nest the transaction around the script.
    ///
    /// - Throws: ``PersistenceError/Code/script``, names the line.
    package func requireNoTransactionControl() throws(PersistenceError) {
        for statement in statements {
            let words = statement.text.split(maxSplits: 2) { !$0.isLetter }.prefix(2).map { $0.lowercased() }
            guard let first = words.first else { continue }
            if Self.transactionControl.contains(first) || words == ["prepare", "transaction"] {
                throw PersistenceError(
                    .script,
                    "line \(statement.line): \(first.uppercased()) cannot stand in a migration, which is one transaction"
                )
            }
        }
    }

    private static let transactionControl: Set<String> = [
        "begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release",
    ]
}
