import Foundation
import Persistence
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable, "\(TestDatabase.skipped)"))
struct MigratorTests {
    private static func migration(_ path: String, _ text: String) throws -> Migration {
        try Migration(path: path, content: Data(text.utf8))
    }

    /// One small migration for every schema, and more for the jobs.
    private static func catalog(_ jobs: [(path: String, text: String)] = []) throws -> MigrationCatalog {
        try MigrationCatalog(folders: [
            "every-schema": [try migration("every-schema/0001_a.sql", "CREATE TABLE {{schema}}.a (x int);")],
            "jobs": try jobs.map { try migration("jobs/\($0.path)", $0.text) },
        ])
    }

    private static func applied(_ events: [MigrationEvent]) -> [String] {
        events.compactMap { event in
            guard case .applied(let schema, let version, _, _) = event else { return nil }
            return "\(schema.name) \(version)"
        }
    }

    private static func versions(_ schema: ServiceSchema, _ client: PostgresClient) async throws -> [Int] {
        let rows = try await client.execute(
            PostgresStatement("SELECT version FROM \(schema.name).schema_migrations ORDER BY version")
        )
        return try rows.map { try $0.decode(0) }
    }

    @Test func migratesFromNothingAndThenDoesNothing() async throws {
        try await TestDatabase.with { (database) async throws in
            let catalog = try TestDatabase.catalog()
            let all = ServiceSchema.allCases.flatMap { schema in
                catalog.migrations(of: schema).map { "\(schema.name) \($0.version)" }
            }
            let migrator = Migrator(client: database.admin, catalog: catalog, passwords: TestDatabase.passwords)
            #expect(try await migrator.plan().pending.map { "\($0.schema.name) \($0.version)" } == all)
            let first = try await database.migrate(catalog)
            #expect(Self.applied(first) == all)
            let plan = try await migrator.plan()
            #expect(plan.accessChanges.isEmpty && plan.pending.isEmpty && plan.unknown.isEmpty)
            let second = try await database.migrate(catalog)
            let expected = ServiceSchema.allCases.map {
                MigrationEvent.upToDate($0, version: catalog.migrations(of: $0).count)
            }
            #expect(second == expected)
        }
    }

    @Test func severalAtOnceApplyEachOnce() async throws {
        try await TestDatabase.with { (database) async throws in
            let catalog = try TestDatabase.catalog()
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await database.asAdmin { Self.applied(try await database.migrate(catalog, by: $0)) }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let all = ServiceSchema.allCases.flatMap { schema in
                catalog.migrations(of: schema).map { "\(schema.name) \($0.version)" }
            }
            #expect(applied.sorted() == all.sorted())
        }
    }

    @Test func severalDatabasesAtOnceShareTheRoles() async throws {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await TestDatabase.migrated { (database) async throws in
                        try await database.as(.gateway) { try await Self.versions(.gateway, $0).count }
                    }
                }
            }
            for try await count in group { #expect(count >= 2) }
        }
    }

    @Test func refusesAChangedMigrationByName() async throws {
        try await TestDatabase.with { (database) async throws in
            _ = try await database.migrate(Self.catalog([("0002_b.sql", "SELECT 1;")]))
            let changed = try Self.catalog([("0002_b.sql", "SELECT 1; "), ("0003_c.sql", "SELECT 1;")])
            let error = try await #require(throws: PersistenceError.self) { try await database.migrate(changed) }
            #expect(error.code == .changedMigration)
            #expect(error.message.contains("jobs/0002_b.sql"))
            #expect(try await Self.versions(.jobs, database.admin) == [1, 2])
        }
    }

    @Test func reportsWhatANewerReleaseBrought() async throws {
        try await TestDatabase.with { (database) async throws in
            _ = try await database.migrate(Self.catalog([("0002_b.sql", "SELECT 1;")]))
            let events = try await database.migrate(Self.catalog())
            #expect(events.contains(.unknownVersion(.jobs, version: 2, name: "b")))
            #expect(events.contains(.upToDate(.jobs, version: 2)))
        }
    }

    @Test func refusesAHistoryWithAGap() async throws {
        try await TestDatabase.with { (database) async throws in
            let catalog = try Self.catalog([("0002_b.sql", "SELECT 1;")])
            _ = try await database.migrate(catalog)
            try await database.admin.execute(PostgresStatement("DELETE FROM jobs.schema_migrations WHERE version = 1"))
            let error = try await #require(throws: PersistenceError.self) { try await database.migrate(catalog) }
            #expect(error.code == .historyGap)
        }
    }

    @Test func appliesNothingByHalves() async throws {
        try await TestDatabase.with { (database) async throws in
            let text = "CREATE TABLE jobs.b (x int);\n\nINSERT INTO jobs.b\nVALUES ('y');\nCREATE TABLE jobs.c ();"
            let broken = try Self.catalog([("0002_b.sql", text)])
            let error = try await #require(throws: PersistenceError.self) { try await database.migrate(broken) }
            #expect(error.code == .migrationFailed)
            #expect(error.message.contains("jobs/0002_b.sql, line 3 failed"), "\(error.message)")
            #expect(try await Self.versions(.jobs, database.admin) == [1])
            #expect(await refusal("SELECT FROM jobs.b", by: database.admin) == "42P01")
            // Mended, it goes on where it stood.
            let mended = try Self.catalog([("0002_b.sql", "CREATE TABLE jobs.b (x int);")])
            #expect(Self.applied(try await database.migrate(mended)) == ["jobs 2", "audit 1"])
        }
    }

    @Test func runsWhatOnlyALexerTakesApart() async throws {
        try await TestDatabase.with { (database) async throws in
            let text = """
                CREATE FUNCTION jobs.f(a int) RETURNS int LANGUAGE sql
                BEGIN ATOMIC SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END; END;
                CREATE FUNCTION jobs.g() RETURNS text LANGUAGE plpgsql AS $b$
                BEGIN RETURN $$a;b$$ || E'\\';'; END $b$; -- it's done; really
                """
            _ = try await database.migrate(Self.catalog([("0002_b.sql", text)]))
            let rows = try await database.admin.execute(PostgresStatement("SELECT jobs.f(2), jobs.g()"))
            let row = try #require(rows.first)
            #expect(try row.decode(0, as: Int.self) == 1)
            #expect(try row.decode(1, as: String.self) == "a;b';")
        }
    }

    @Test func gateLetsOnlyTheRightSchemaPass() async throws {
        try await TestDatabase.with { (database) async throws in
            _ = try await database.migrate(Self.catalog())
            try await database.as(.engine) { (client) async throws in
                let error = try await #require(throws: PersistenceError.self) {
                    try await SchemaGate.check(client: client, schema: .engine)
                }
                #expect(error.code == .schemaTooOld)
                #expect(error.message.contains("batuta migrate"))
                // Another service's schema looks to a role as if it were not there.
                let foreign = try await #require(throws: PersistenceError.self) {
                    try await SchemaGate.check(client: client, schema: .gateway)
                }
                #expect(foreign.code == .schemaMissing)
            }
        }
        try await TestDatabase.with { (database) async throws in
            let error = try await #require(throws: PersistenceError.self) {
                try await SchemaGate.check(client: database.admin, schema: .engine)
            }
            #expect(error.code == .schemaMissing)
            #expect(error.message.contains("batuta migrate"))
        }
        try await TestDatabase.migrated { (database) async throws in
            for schema in ServiceSchema.allCases {
                try await database.as(schema) { try await SchemaGate.check(client: $0, schema: schema) }
            }
            try await database.admin.execute(
                .simple(
                    """
                    INSERT INTO jobs.schema_migrations (version, name, checksum, incompatible_below)
                    VALUES (9000, 'drop', decode(repeat('00', 32), 'hex'), 9000)
                    """
                )
            )
            try await database.as(.jobs) { (client) async throws in
                let error = try await #require(throws: PersistenceError.self) {
                    try await SchemaGate.check(client: client, schema: .jobs)
                }
                #expect(error.code == .schemaIncompatible)
            }
        }
    }
}
