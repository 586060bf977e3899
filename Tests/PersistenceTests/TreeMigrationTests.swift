import Foundation
import Persistence
import Testing

/// Entries of a log from before its tree get the columns that they are looked up by, and stay what they are.
@Suite(.enabled(if: TestDatabase.isAvailable, "\(TestDatabase.skipped)"), .timeLimit(.minutes(5)))
struct TreeMigrationTests {
    @Test func entriesOfBeforeAreLookedUpAndStay() async throws {
        try await TestDatabase.with { (database) async throws in
            _ = try await database.migrate(Self.catalog(auditUpTo: 5))
            try await database.admin.executeScript(Self.entries)
            let before = try await Self.digest(database.admin)
            #expect(before.count == 3 + 300)
            _ = try await database.migrate(TestDatabase.catalog())
            #expect(try await Self.digest(database.admin) == before)
            let rows = try await database.admin.execute(
                PostgresStatement(
                    """
                    SELECT action || ' ' || actor_type || ' ' || actor_id || ' ' || object_type || ' ' || object_id || ' '
                           || coalesce(trace_id, '-')
                    FROM audit.entries ORDER BY leaf_index LIMIT 4
                    """
                )
            )
            #expect(
                try rows.map { try $0.decode(0, as: String.self) } == [
                    "create admin ann automation o1 t1", "update user bob automation o2 -", "create admin ann x y -",
                    "run.end system engine run 3 -",
                ]
            )
            try await database.as(.audit) { (client) async throws in
                #expect(await refusal("SELECT FROM audit.entries", by: client) == nil)
                #expect(
                    await refusal(
                        """
                        INSERT INTO audit.entries SELECT audit.uuid7_floor(now() + interval '9 days'), 900, 'acme',
                            canonical, leaf_hash, action, actor_type, actor_id, object_type, object_id, trace_id
                        FROM audit.entries WHERE leaf_index = 0
                        """,
                        by: client
                    ) == nil
                )
                #expect(await refusal("UPDATE audit.entries SET action = 'x'", by: client) == "42501")
            }
            for statement in [
                "UPDATE audit.entries SET action = 'x'", "DELETE FROM audit.entries", "TRUNCATE audit.entries",
            ] {
                #expect(await refusal(statement, by: database.admin) == "42501", "Neither can whoever owns the schema.")
            }
        }
    }

    /// The repository's migrations, those of the log's schema only up to one.
    private static func catalog(auditUpTo last: Int) throws -> MigrationCatalog {
        var folders: [String: [Migration]] = [:]
        for folder in try FileManager.default.contentsOfDirectory(atPath: TestDatabase.migrations.path) {
            let path = TestDatabase.migrations.appendingPathComponent(folder)
            for file in try FileManager.default.contentsOfDirectory(atPath: path.path) where file.hasSuffix(".sql") {
                let content = try Data(contentsOf: path.appendingPathComponent(file))
                let migration = try Migration(path: "\(folder)/\(file)", content: content)
                if folder != "audit" || migration.version <= last {
                    folders[folder, default: []].append(migration)
                }
            }
        }
        return try MigrationCatalog(folders: folders)
    }

    /// Some with what text of the database cannot hold, or only looks like it; many of an earlier week.
    private static let entries = #"""
        INSERT INTO audit.entries
        SELECT (left(audit.uuid7_floor(now())::text, 24) || lpad(n::text, 12, '0'))::uuid, n - 1, 'acme', c,
               sha256('\x00'::bytea || c)
        FROM (VALUES
            (1, '{"action":"create","actor":{"id":"ann","type":"admin"},"after":{"a":"\u0000","b":"\u0000\u0000"},'
                '"object":{"id":"o1","type":"automation"},"trace_id":"t1"}'),
            (2, '{"action":"update","actor":{"id":"bob","type":"user"},"after":{"a":"^\\u0000$","b":"\\\u0000"},'
                '"object":{"id":"o2","type":"automation"}}'),
            (3, '{"action":"create","actor":{"id":"ann","type":"admin"},"object":{"id":"y","type":"x"}}')
        ) AS v (n, text), LATERAL convert_to(v.text, 'UTF8') AS c;
        INSERT INTO audit.entries
        SELECT (left(audit.uuid7_floor(date_trunc('week', now()) - interval '1 day')::text, 24) || lpad(n::text, 12, '0'))::uuid,
               n, 'acme', c, sha256('\x00'::bytea || c)
        FROM generate_series(3, 302) AS n, LATERAL convert_to(
            '{"action":"run.end","actor":{"id":"engine","type":"system"},"object":{"id":"' || n || '","type":"run"}}', 'UTF8'
        ) AS c;
        """#

    /// What must be as it was: each entry with its place, bytes and hash.
    private static func digest(_ client: PostgresClient) async throws -> [String] {
        try await client.execute(
            PostgresStatement(
                """
                SELECT leaf_index || ' ' || entry_id || ' ' || tenant || ' ' || encode(canonical, 'hex') || ' '
                       || encode(leaf_hash, 'hex')
                FROM audit.entries ORDER BY leaf_index
                """
            )
        ).map { try $0.decode(0) }
    }
}
