package import Persistence

/// Rows of a table without partitions that are deleted when they are old.
package struct RowRetention: Sendable {
    /// The table, without its schema.
    package let table: String
    private let sql: String
    private let parameters: [PostgresValue]

    /// Rows that the service's role may delete.
    ///
    /// - Parameters:
    ///   - table: The table, without its schema.
    ///   - schema: The service's own.
    ///   - condition: Which rows are old; an index has to lead to them.
    ///   - order: What they are deleted in the order of.
    package init(_ table: String, in schema: ServiceSchema, where condition: String, orderedBy order: String) {
        let name = "\(schema.name).\(table)"
        self.table = table
        parameters = []
        sql = """
            WITH turn AS MATERIALIZED (
                -- One replica at a time; the others come again later.
                SELECT pg_try_advisory_xact_lock(hashtextextended('\(name)', 3)) AS is_ours
            ), gone AS (
                DELETE FROM \(name) WHERE ctid = ANY (ARRAY(
                    SELECT ctid FROM \(name) WHERE (SELECT is_ours FROM turn) AND \(condition)
                    ORDER BY \(order) LIMIT $1
                ))
                RETURNING 1
            )
            SELECT count(*) FROM gone
            """
    }

    /// Rows that a function of the schema deletes, which decides itself what may go.
    ///
    /// - Parameters:
    ///   - table: The table, without its schema.
    ///   - schema: The service's own.
    ///   - function: The function; it takes days and a number of rows, and answers how many it has deleted.
    ///   - days: How many days the rows are kept.
    package init(_ table: String, in schema: ServiceSchema, by function: String, keeping days: Int) {
        self.table = table
        parameters = [.int4(Int32(clamping: days))]
        sql = "SELECT \(schema.name).\(function)($2, $1)"
    }

    /// Deletes up to a number of old rows, and answers how many there were.
    func deletion(of limit: Int) -> PostgresStatement {
        PostgresStatement(sql, [.int4(Int32(clamping: limit))] + parameters)
    }
}

extension RowRetention {
    /// How long the answers of requests are kept, for callers that ask again.
    package static let answerDays = 7

    /// What every schema has.
    package static func common(_ schema: ServiceSchema, keeping days: Int) -> [RowRetention] {
        [
            RowRetention(
                "requests",
                in: schema,
                where: "created_at < now() - interval '\(answerDays) days'",
                orderedBy: "created_at"
            ),
            RowRetention("dead_letters", in: schema, by: "forget_dead_letters", keeping: days),
            RowRetention("lanes", in: schema, by: "forget_lanes", keeping: days),
        ]
    }
}
