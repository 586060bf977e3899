package import PostgreSQL

extension PostgresClient {
    /// Reads one page of a long list in the order of an index.
    ///
    /// The planner is kept from two things that make a page dear: from reading and sorting all rows of a key that its
    /// statistics do not know yet and that it takes for a few, and from planning over all partitions anew for each
    /// page, which takes ten times as long as reading it.
    ///
    /// - Parameters:
    ///   - statement: Reads the page; an index has its order.
    ///   - deadline: When to give up.
    /// - Returns: The rows.
    /// - Throws: `PostgresError`.
    package func page(
        _ statement: PostgresStatement,
        deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> PostgresRows {
        // The settings hold for the implicit transaction of these two statements.
        let settings = PostgresStatement(
            "SELECT set_config('enable_sort', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)",
            isReadOnly: true
        )
        guard let rows = try await pipeline([settings, statement], deadline: deadline).last else {
            throw PostgresError(.unsupported, "the statement was not answered")
        }
        return rows
    }
}
