import Persistence
import TestSupport
import Testing

@testable import AuditWriterCore

/// Partitions of the log that are aimed at directly, by whoever owns the schema.
@Suite(.requiresServers, .timeLimit(.minutes(5)))
struct ProtectedWeekTests {
    @Test(
        "a week of the log can be changed directly as little as the whole, also one that was made later",
        arguments: ["TRUNCATE audit.%I", "DELETE FROM audit.%I", "UPDATE audit.%I SET %s = %s"]
    )
    func weeksAreProtected(statement: String) async throws {
        try await ServiceDatabase.with(.audit) { database in
            let appender = LogAppender(database: database.client, logger: ServiceDatabase.logger)
            _ = try await appender.append([try Entries.message(1...3)])
            try await database.executeAsSuperuser("SELECT audit.ensure_partitions(200)")
            // Statements that find no row are stopped by nothing but what stands for a whole statement.
            try await database.executeAsSuperuser(
                """
                DO $$
                DECLARE
                    part record;
                    state text;
                    count integer := 0;
                BEGIN
                    FOR part IN
                        SELECT c.relname AS name, p.relname AS parent
                        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
                        WHERE i.inhparent IN ('audit.entries'::regclass, 'audit.segments'::regclass) AND c.relkind = 'r'
                    LOOP
                        state := 'nothing';
                        BEGIN
                            EXECUTE format(
                                '\(statement)', part.name, CASE part.parent WHEN 'entries' THEN 'tenant' ELSE 'producer' END,
                                CASE part.parent WHEN 'entries' THEN 'tenant' ELSE 'producer' END);
                        EXCEPTION WHEN OTHERS THEN
                            state := SQLSTATE;
                        END;
                        IF state = '42501' THEN
                            count := count + 1;
                        ELSIF '\(statement)' LIKE 'TRUNCATE%' THEN
                            RAISE EXCEPTION '% can be truncated: %', part.name, state;
                        ELSIF state <> 'nothing' THEN
                            RAISE EXCEPTION '% refuses for another reason: %', part.name, state;
                        END IF;
                    END LOOP;
                    -- This week of both tables at least; against TRUNCATE all of them.
                    IF count < 2 THEN
                        RAISE EXCEPTION 'only % weeks are protected', count;
                    END IF;
                END
                $$
                """
            )
            let rows = try await database.client.execute(PostgresStatement("SELECT count(*) FROM audit.entries"))
            #expect(try #require(rows.first).decode(0, as: Int64.self) == 3)
        }
    }
}
