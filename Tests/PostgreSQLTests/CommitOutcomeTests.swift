import TestSupport
import Testing

@testable import PostgreSQL

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.skipped))
struct CommitOutcomeTests {
    /// Runs the body with a table, a client whose answer to a marked message gets lost, and one that hears everything.
    private func withProxy(
        mark: String,
        _ body: (_ deaf: PostgresClient, _ hearing: PostgresClient, _ table: String) async throws -> Void
    ) async throws {
        let port = try #require(try TestDatabase.configuration().hosts.first?.port)
        let proxy = try DroppingProxy(upstreamPort: port, mark: mark)
        defer { proxy.close() }
        let table = TestDatabase.uniqueName()
        try await TestDatabase.withClient { hearing in
            try await hearing.execute(.simple("CREATE TABLE \(table) (id int8 PRIMARY KEY)"))
            try await TestDatabase.configured({ $0.hosts = [.init("127.0.0.1", port: proxy.port)] }).withClient {
                deaf in
                try await body(deaf, hearing, table)
            }
            try await hearing.execute(.simple("DROP TABLE \(table)"))
        }
    }

    private func count(_ table: String, _ client: PostgresClient) async throws -> Int {
        let rows = try await client.execute(PostgresStatement("SELECT count(*) FROM \(table)"))
        return try #require(rows.first).decode(0)
    }

    @Test func aLostAnswerToACommitIsAnOutcomeOfItsOwn() async throws {
        try await withProxy(mark: "COMMIT\0") { deaf, hearing, table in
            let error = await TestDatabase.error {
                try await deaf.withTransaction { transaction in
                    try await transaction.execute(PostgresStatement("INSERT INTO \(table) VALUES (1)"))
                    try await transaction.commit([PostgresStatement("INSERT INTO \(table) VALUES (2)")])
                }
            }
            #expect(error?.code == .commitOutcomeUnknown && error?.isRetryable == false)
            try await TestDatabase.eventually("the commit stands") { try await count(table, hearing) == 2 }
            // The client goes on with another connection.
            try await TestDatabase.eventually("the client has recovered") {
                await TestDatabase.error { try await deaf.execute(PostgresStatement("SELECT 1")) } == nil
            }
        }
    }

    @Test func aLostAnswerToAnImplicitCommitIsTheSame() async throws {
        try await withProxy(mark: "/* mark */") { deaf, hearing, table in
            let error = await TestDatabase.error {
                try await deaf.pipeline([
                    PostgresStatement("INSERT INTO \(table) VALUES (1)"),
                    PostgresStatement("INSERT INTO \(table) VALUES (2) /* mark */"),
                ])
            }
            #expect(error?.code == .commitOutcomeUnknown)
            try await TestDatabase.eventually("the commit stands") { try await count(table, hearing) == 2 }
        }
    }

    @Test func aLostAnswerBeforeTheCommitIsJustALostConnection() async throws {
        try await withProxy(mark: "/* mark */") { deaf, hearing, table in
            let error = await TestDatabase.error {
                try await deaf.withTransaction { transaction in
                    try await transaction.execute(PostgresStatement("INSERT INTO \(table) VALUES (1) /* mark */"))
                }
            }
            #expect(error?.code == .connectionLost && error?.isRetryable == true)
            let readOnly = await TestDatabase.error {
                try await deaf.execute(PostgresStatement("SELECT 1 /* mark */", isReadOnly: true))
            }
            #expect(readOnly?.code == .connectionLost)
            let after = try await count(table, hearing)
            #expect(after == 0)
        }
    }
}
