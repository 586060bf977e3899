import Persistence
import Testing

/// Every role against everything that is not its own.
@Suite(.enabled(if: TestDatabase.isAvailable, "\(TestDatabase.skipped)"))
struct IsolationTests {
    private struct Table {
        let name: String
        let column: String
        let isPartition: Bool
    }

    private static func tables(of schema: ServiceSchema, _ admin: PostgresClient) async throws -> [Table] {
        let statement = PostgresStatement(
            """
            SELECT quote_ident(c.relname), quote_ident(a.attname), c.relispartition
            FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1
            WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1
            """,
            [.text(schema.name)]
        )
        return try await admin.execute(statement).map {
            Table(
                name: "\(schema.name).\(try $0.decode(0, as: String.self))",
                column: try $0.decode(1),
                isPartition: try $0.decode(2)
            )
        }
    }

    /// Calls of all functions of a schema, with nulls.
    private static func calls(of schema: ServiceSchema, _ admin: PostgresClient) async throws -> [String] {
        let statement = PostgresStatement(
            """
            SELECT format('SELECT %s(%s)', p.oid::regproc,
                          array_to_string(array(SELECT 'NULL::' || format_type(t, NULL)
                                                FROM unnest(p.proargtypes) t), ', '))
            FROM pg_proc p
            WHERE p.pronamespace = $1::text::regnamespace AND p.prorettype <> 'trigger'::regtype ORDER BY 1
            """,
            [.text(schema.name)]
        )
        return try await admin.execute(statement).map { try $0.decode(0) }
    }

    private static func commands(_ table: Table) -> [(verb: String, sql: String)] {
        [
            ("SELECT", "SELECT FROM \(table.name)"),
            ("INSERT", "INSERT INTO \(table.name) DEFAULT VALUES"),
            ("UPDATE", "UPDATE \(table.name) SET \(table.column) = DEFAULT"),
            ("DELETE", "DELETE FROM \(table.name)"),
            ("TRUNCATE", "TRUNCATE \(table.name)"),
        ]
    }

    @Test func everyRoleIsRefusedOnEveryOtherSchema() async throws {
        try await TestDatabase.migrated { (database) async throws in
            var foreign: [ServiceSchema: [String]] = [:]
            for schema in ServiceSchema.allCases {
                let tables = try await Self.tables(of: schema, database.admin)
                #expect(tables.count > 10, "\(schema)")
                let calls = try await Self.calls(of: schema, database.admin)
                #expect(calls.count >= 5, "\(schema)")
                foreign[schema] =
                    tables.flatMap { Self.commands($0).map(\.sql) } + calls
                    + ["CREATE TABLE \(schema.name).mine (x int)", "SELECT nextval('\(schema.name).lanes_epoch_seq')"]
            }
            for role in ServiceSchema.allCases {
                try await database.as(role) { (client) async throws in
                    for other in ServiceSchema.allCases where other != role {
                        for sql in foreign[other, default: []] {
                            let state = await refusal(sql, by: client)
                            if state != "42501" { Issue.record("\(role.role): \(sql): \(state ?? "was carried out")") }
                        }
                    }
                }
            }
        }
    }

    @Test func noRoleCanMakeOrTakeAnything() async throws {
        try await TestDatabase.migrated { (database) async throws in
            for role in ServiceSchema.allCases {
                try await database.as(role) { (client) async throws in
                    let other = role == .gateway ? ServiceSchema.engine : .gateway
                    for sql in [
                        "CREATE TABLE \(role.name).mine (x int)", "CREATE TABLE public.mine (x int)",
                        "CREATE SCHEMA mine", "CREATE TEMP TABLE mine (x int)", "CREATE TABLE pg_catalog.mine (x int)",
                        "CREATE FUNCTION \(role.name).mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                        "DROP TABLE \(role.name).lanes", "ALTER TABLE \(role.name).lanes ADD COLUMN mine int",
                        "DROP FUNCTION \(role.name).ensure_partitions(integer)",
                        "CREATE ROLE mine", "SET ROLE \(other.role)", "SET ROLE postgres",
                        "SELECT FROM pg_authid", "COPY \(role.name).lanes TO PROGRAM 'true'",
                        "UPDATE \(role.name).schema_migrations SET name = ''",
                        "DELETE FROM \(role.name).schema_migrations",
                        "INSERT INTO \(role.name).schema_migrations VALUES (9, '', '')",
                        "DELETE FROM \(role.name).outbox", "UPDATE \(role.name).outbox SET tenant = ''",
                        "DELETE FROM \(role.name).lanes", "TRUNCATE \(role.name).outbox",
                    ] {
                        let state = await refusal(sql, by: client)
                        if state != "42501" { Issue.record("\(role.role): \(sql): \(state ?? "was carried out")") }
                    }
                    let path = try await client.execute(PostgresStatement("SHOW search_path")).first
                    #expect(try path?.decode(0, as: String.self) == "pg_catalog")
                    // The one table of public that the owner makes is none of theirs either.
                    _ = await refusal("CREATE TABLE IF NOT EXISTS public.owned (x int)", by: database.admin)
                    #expect(await refusal("SELECT FROM public.owned", by: client) == "42501")
                }
            }
        }
    }

    @Test func partitionsAreReachedThroughTheirTableOnly() async throws {
        try await TestDatabase.migrated { (database) async throws in
            for role in ServiceSchema.allCases {
                let partitions = try await Self.tables(of: role, database.admin).filter(\.isPartition)
                #expect(!partitions.isEmpty)
                try await database.as(role) { (client) async throws in
                    for command in partitions.flatMap(Self.commands) {
                        let state = await refusal(command.sql, by: client)
                        if state != "42501" {
                            Issue.record("\(role.role): \(command.sql): \(state ?? "was carried out")")
                        }
                    }
                }
            }
        }
    }

    @Test func auditEntriesStayAsTheyAre() async throws {
        try await TestDatabase.migrated { (database) async throws in
            let rows = [
                """
                INSERT INTO audit.entries VALUES
                    (audit.uuid7_floor(now()), 0, 't', '\\x7b7d', decode(repeat('00', 32), 'hex'),
                     'create', 'system', 'x', 'run', 'r', NULL)
                """,
                "INSERT INTO audit.segments VALUES (audit.uuid7_floor(now()), 'engine/a/l0', 1, 1, 1, 0)",
            ]
            let changes = ["entries", "segments"].flatMap { table in
                ["UPDATE audit.\(table) SET tenant = 'u'", "DELETE FROM audit.\(table)", "TRUNCATE audit.\(table)"]
            }.map { $0.replacing("segments SET tenant = 'u'", with: "segments SET epoch = 2") }
            try await database.as(.audit) { (client) async throws in
                for sql in rows { #expect(await refusal(sql, by: client) == nil, "\(sql)") }
                for sql in changes { #expect(await refusal(sql, by: client) == "42501", "\(sql)") }
                #expect(await refusal("DELETE FROM audit.head", by: client) == "42501")
                #expect(await refusal("INSERT INTO audit.head (fence, size) VALUES (0, 0)", by: client) == "42501")
                #expect(await refusal("SELECT audit.lock_head(0, 0)", by: client) == nil)
                #expect(await refusal("SELECT audit.lock_head(0, 1)", by: client) == "BT004")
            }
            // Not even the owner, by mistake.
            for sql in changes where !sql.hasPrefix("TRUNCATE") {
                #expect(await refusal(sql, by: database.admin) == "42501", "\(sql)")
            }
        }
    }

    @Test func everybodyElseIsShutOut() async throws {
        try await TestDatabase.migrated { (database) async throws in
            let statement = PostgresStatement(
                """
                SELECT count(*) FROM pg_database d, aclexplode(d.datacl) a
                WHERE d.datname = current_database() AND a.grantee = 0
                """
            )
            #expect(try await database.admin.execute(statement).first?.decode(0, as: Int.self) == 0)
        }
    }
}
