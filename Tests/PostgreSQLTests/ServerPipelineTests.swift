import Testing

@testable import PostgreSQL

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.skipped))
struct ServerPipelineTests {
    /// Lends a table `(id int8 PRIMARY KEY, parent int8 REFERENCES … DEFERRABLE)` and a count of its rows.
    private func withTable(
        _ body: (PostgresClient, String, () async throws -> Int) async throws -> Void
    ) async throws {
        let table = TestDatabase.uniqueName()
        try await TestDatabase.withClient { client in
            try await client.execute(
                .simple(
                    """
                    CREATE TABLE \(table) (id int8 PRIMARY KEY,
                        parent int8 REFERENCES \(table) DEFERRABLE INITIALLY DEFERRED)
                    """
                )
            )
            let count: () async throws -> Int = {
                let rows = try await client.execute(PostgresStatement("SELECT count(*) FROM \(table)"))
                return try #require(rows.first).decode(0)
            }
            try await body(client, table, count)
            try await client.execute(.simple("DROP TABLE \(table)"))
        }
    }

    private func expectCount(
        _ expected: Int,
        _ count: () async throws -> Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let actual = try await count()
        #expect(actual == expected, sourceLocation: sourceLocation)
    }

    private func insert(_ table: String, _ id: Int64, parent: Int64? = nil) -> PostgresStatement {
        PostgresStatement("INSERT INTO \(table) VALUES ($1, $2)", [.int8(id), .int8(parent)])
    }

    @Test func aPipelineIsAtomicAndNamesTheCulprit() async throws {
        try await withTable { client, table, count in
            try await client.pipeline([insert(table, 1), insert(table, 2)])
            let error = await TestDatabase.error {
                try await client.pipeline([insert(table, 3), insert(table, 1), insert(table, 4)])
            }
            #expect(error?.code == .server && error?.isUniqueViolation == true)
            #expect(error?.statementIndex == 1)
            #expect(error?.constraint == "\(table)_pkey")
            #expect(error?.isRetryable == false)
            try await expectCount(2, count)
        }
    }

    @Test func aViolationAtTheCommitIsAnError() async throws {
        try await withTable { client, table, count in
            let implicit = await TestDatabase.error { try await client.pipeline([insert(table, 1, parent: 9)]) }
            #expect(implicit?.sqlState == "23503")
            let explicit = await TestDatabase.error {
                try await client.withTransaction { try await $0.commit([insert(table, 1, parent: 9)]) }
            }
            #expect(explicit?.sqlState == "23503")
            try await expectCount(0, count)
        }
    }

    @Test func syntaxErrorsAndParameterCountsComeFromTheServer() async throws {
        try await TestDatabase.withClient { client in
            let syntax = await TestDatabase.error {
                try await client.pipeline([PostgresStatement("SELECT 1"), PostgresStatement("SELEC 1")])
            }
            #expect(syntax?.sqlState == "42601" && syntax?.statementIndex == 1)
            let count = await TestDatabase.error { try await client.execute(PostgresStatement("SELECT $1::int8")) }
            #expect(count?.sqlState == "08P01")
            let copy = await TestDatabase.error { try await client.execute(.simple("COPY (SELECT 1) TO STDOUT")) }
            #expect(copy?.code == .commitOutcomeUnknown || copy?.code == .unsupported)
            let rows = try await client.execute(PostgresStatement("SELECT 1"))
            #expect(rows.count == 1)
        }
    }

    @Test func transactionsCommitRollBackAndEndOnce() async throws {
        try await withTable { client, table, count in
            try await client.withTransaction { transaction in
                try await transaction.execute(insert(table, 1))
                try await transaction.pipeline([insert(table, 2), insert(table, 3)])
            }
            try await expectCount(3, count)
            struct Stop: Error {}
            await #expect(throws: Stop.self) {
                try await client.withTransaction { transaction in
                    try await transaction.execute(insert(table, 4))
                    throw Stop()
                }
            }
            let rows = try await client.withTransaction { transaction in
                let rows = try await transaction.commit([
                    insert(table, 5), PostgresStatement("SELECT max(id) FROM \(table)"),
                ])
                let late = await TestDatabase.error { try await transaction.execute(insert(table, 6)) }
                #expect(late?.code == .transactionFinished)
                return rows
            }
            #expect(try rows.last?.first?.decode(0, as: Int.self) == 5)
            try await expectCount(4, count)
        }
    }

    @Test func aSwallowedErrorDoesNotCommit() async throws {
        try await withTable { client, table, count in
            let error = await TestDatabase.error {
                try await client.withTransaction { transaction in
                    try await transaction.execute(insert(table, 1))
                    _ = await TestDatabase.error { try await transaction.execute(insert(table, 1)) }
                }
            }
            #expect(error?.code == .transactionAborted)
            try await expectCount(0, count)
        }
    }

    @Test func readOnlyTransactionsRefuseWritesAndKeepTheConnection() async throws {
        try await withTable { client, table, _ in
            let error = await TestDatabase.error {
                try await client.withTransaction(.init(isolation: .repeatableRead, isReadOnly: true)) {
                    try await $0.execute(insert(table, 1))
                }
            }
            #expect(error?.isReadOnly == true)
        }
    }

    @Test func aTransactionThatIsLeftOpenIsRolledBack() async throws {
        try await TestDatabase.configured({ $0.pool.maximum = 1 }).withClient { client in
            try await client.withConnection { connection in
                try await connection.execute(.simple("BEGIN"))
                try await connection.execute(PostgresStatement("SELECT 1"))
            }
            let status = try await client.withConnection { connection in
                try await connection.execute(PostgresStatement("SELECT 1"))
                return connection.status
            }
            #expect(status == .idle)
        }
    }

    @Test func preparedStatementsSurviveDeallocationAndNewShapes() async throws {
        try await withTable { client, table, count in
            let all = PostgresStatement("SELECT * FROM \(table)")
            try await client.withConnection { connection in
                try await connection.pipeline([insert(table, 1), all])
                try await connection.execute(.simple("DEALLOCATE ALL"))
                try await connection.pipeline([insert(table, 2), all])
                try await connection.execute(.simple("ALTER TABLE \(table) ADD COLUMN more text DEFAULT 'x'"))
                let rows = try await connection.execute(all)
                #expect(rows.columnNames == ["id", "parent", "more"])
                // Within a transaction nothing is repeated: the caller must.
                try await connection.execute(.simple("DEALLOCATE ALL"))
                try await connection.execute(.simple("BEGIN"))
                let error = await TestDatabase.error { try await connection.execute(all) }
                #expect(error?.sqlState == "26000" && error?.isRetryable == true)
                try await connection.execute(.simple("ROLLBACK"))
                #expect(try await connection.execute(all).count == 2)
            }
            try await expectCount(2, count)
        }
    }

    @Test func scriptsRunSeveralCommands() async throws {
        let table = TestDatabase.uniqueName()
        try await TestDatabase.withClient { client in
            try await client.executeScript("CREATE TABLE \(table) (a int8); INSERT INTO \(table) VALUES (1), (2);")
            let error = await TestDatabase.error {
                try await client.executeScript("INSERT INTO \(table) VALUES (3); SELECT nonsense;")
            }
            #expect(error?.sqlState == "42703")
            let rows = try await client.execute(PostgresStatement("SELECT * FROM \(table)"))
            #expect(rows.count == 2)
            try await client.executeScript("DROP TABLE \(table)")
        }
    }

    @Test func largePipelinesInBothDirectionsDoNotBlock() async throws {
        let blob = [UInt8](repeating: 0x5A, count: 1 << 20)
        try await TestDatabase.withClient { client in
            let echo = PostgresStatement("SELECT $1::bytea", [.bytes(blob)])
            let rows = try await client.pipeline(Array(repeating: echo, count: 40))
            #expect(rows.count == 40)
            for result in rows { #expect(try result.first?.decode(0, as: [UInt8].self) == blob) }
        }
    }

    @Test func resultsAreBoundedInSize() async throws {
        try await TestDatabase.configured({ $0.maximumResultBytes = 4 << 20 }).withClient { client in
            let error = await TestDatabase.error {
                try await client.execute(
                    PostgresStatement("SELECT repeat('x', 1000) FROM generate_series(1, 100000)", isReadOnly: true)
                )
            }
            #expect(error?.code == .resultTooLarge)
            let rows = try await client.execute(PostgresStatement("SELECT 1"))
            #expect(rows.count == 1)
        }
    }
}
