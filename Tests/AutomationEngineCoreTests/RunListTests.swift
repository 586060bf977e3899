import Contracts
import JSON
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AutomationEngineCore

@Suite("Lists of runs")
struct RunListTests {
    /// The planner takes the runs of a key that it has not met for one or two, and would read and sort them all.
    @Test func aPageReadsLittleHoweverMuchThereIs() async throws {
        try await TestEngine.with { engine in
            try await fill(engine, "known", count: 10_000)
            try await engine.storage.executeAsSuperuser("ANALYZE engine.automation_runs")
            try await fill(engine, "fresh", count: 5_000)
            let before = try await entriesRead(engine)
            let reply = try await RunReader(database: engine.database).list(
                try JSONDocument(parsing: Array(#"{"limit":50,"automation_key":"fresh"}"#.utf8)),
                context: RequestContext(tenant: "acme", actor: AuditActor(type: .system, id: "t"), requestID: "r")
            )
            let items = try #require(try JSONDocument(parsing: reply.body).root["items"])
            #expect(Array(items.elements).count == 50)
            let read = try await eventually("what the page has read is counted", within: .seconds(30)) {
                try await entriesRead(engine) - before
            } until: {
                $0 >= 50
            }
            #expect(read < 1_000)
        }
    }

    private func fill(_ engine: TestEngine, _ key: String, count: Int) async throws {
        try await engine.database.execute(
            PostgresStatement(
                """
                INSERT INTO engine.automation_runs (run_id, tenant, automation_id, automation_key, automation_version,
                    signal_id, type, subtype, status, summary, started_at, finished_at)
                SELECT overlay(gen_random_uuid()::text PLACING left(engine.uuid7_floor(now())::text, 13) FROM 1)::uuid,
                       'acme', gen_random_uuid(), $1, 1, gen_random_uuid(), 'automation', 'automation:' || $1,
                       'succeeded', '', now(), now()
                FROM generate_series(1, $2)
                """,
                [.text(key), .int4(Int32(count))]
            )
        )
    }

    /// How many entries of indexes have ever been read, of runs.
    private func entriesRead(_ engine: TestEngine) async throws -> Int64 {
        let results = try await engine.database.pipeline([
            PostgresStatement("SELECT pg_stat_force_next_flush()"),
            PostgresStatement(
                """
                SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes
                WHERE schemaname = 'engine' AND starts_with(relname, 'automation_runs_2')
                """
            ),
        ])
        return try results[1].first?.decode(0) ?? 0
    }
}
