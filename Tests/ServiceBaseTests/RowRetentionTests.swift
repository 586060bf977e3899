import MetricsTestKit
import Persistence
import TestSupport
import Testing

@testable import ServiceBase

@Suite("Rows are deleted when they are old, a few at a time", .requiresServers, .timeLimit(.minutes(2)))
struct RowRetentionTests {
    private static let keys = RowRetention(
        "signal_keys",
        in: .gateway,
        where: "signal_id < gateway.uuid7_floor(now() - interval '30 days')",
        orderedBy: "signal_id"
    )

    private func keeper(_ site: RetentionSite, metrics: TestMetrics = TestMetrics()) -> RetentionKeeper {
        RetentionKeeper(
            RetentionPolicy(site.schema, days: 90, rows: site.schema == .gateway ? [Self.keys] : []),
            database: site.database.client,
            logger: ServiceDatabase.logger,
            batch: 10,
            metrics: metrics
        )
    }

    @Test("in statements of a bounded size, and the young ones stay")
    func bounded() async throws {
        try await RetentionSite.with(.gateway) { (site) async throws in
            try await site.execute(
                """
                INSERT INTO gateway.signal_keys
                SELECT 'acme', '/s', n::text, gateway.uuid7_floor(now() - interval '12 hours' * (2 * n - 1)), sha256('x')
                FROM generate_series(1, 55) AS n
                """
            )
            let metrics = TestMetrics()
            let keeper = keeper(site, metrics: metrics)
            var left: [Int] = []
            while await keeper.deleteRows() == .more {
                left.append(try await site.count("SELECT count(*) FROM gateway.signal_keys"))
                guard left.count < 10 else { break }
            }
            // 25 of them are older than 30 days.
            #expect(left == [45, 35])
            #expect(try await site.count("SELECT count(*) FROM gateway.signal_keys") == 30)
            let counter = try metrics.expectCounter(
                RetentionMetrics.deletedName,
                [("schema", "gateway"), ("table", "signal_keys")]
            )
            #expect(counter.totalValue == 25)
        }
    }

    @Test("and not while another replica is at it")
    func busy() async throws {
        try await RetentionSite.with(.gateway) { (site) async throws in
            try await site.execute(
                "INSERT INTO gateway.signal_keys VALUES ('acme', '/s', '1', \(site.id(1)), sha256('x'))"
            )
            try await site.database.client.withTransaction { other in
                try await other.execute(
                    PostgresStatement("SELECT pg_advisory_xact_lock(hashtextextended('gateway.signal_keys', 3))")
                )
                #expect(await keeper(site).deleteRows() == .done)
                #expect(try await site.count("SELECT count(*) FROM gateway.signal_keys") == 1)
            }
            #expect(await keeper(site).deleteRows() == .done)
            #expect(try await site.count("SELECT count(*) FROM gateway.signal_keys") == 0)
        }
    }

    @Test("answers of a week, dead letters that were sent again, lanes that are finished")
    func common() async throws {
        try await RetentionSite.with(.engine) { (site) async throws in
            try await site.execute(
                """
                INSERT INTO engine.requests
                SELECT 't', 'p', 'r', n::text, sha256('x'), 200, '{}', now() - (n || ' days')::interval
                FROM unnest(ARRAY[6, 8]) AS n
                """,
                """
                INSERT INTO engine.dead_letters (dead_letter_id, exchange, routing_key, headers, body, reason,
                                                 received_at, redriven_at, state)
                SELECT gen_random_uuid(), 'e', 'k', '{}', '', 'r', now() - interval '200 days', again,
                       CASE WHEN again IS NULL THEN 'waiting' ELSE 'redriven' END
                FROM unnest(ARRAY[NULL, now() - interval '89 days', now() - interval '91 days']) AS again
                """,
                discarded("engine", "ARRAY[\(site.id(1)), engine.uuid7_floor(now() - interval '300 days'), NULL]"),
                """
                INSERT INTO engine.lanes (producer, closed_at, audit_last, audit_verified)
                VALUES ('a/open/0', NULL, 1, 1), ('a/young/0', now() - interval '89 days', 1, 1),
                       ('a/unverified/0', now() - interval '91 days', 2, 1), ('a/old/0', now() - interval '91 days', 1, 1)
                """,
                site.lane(verified: 1, message: site.id(2), item: site.id(1))
            )
            #expect(await keeper(site).deleteRows() == .done)
            #expect(try await site.count("SELECT count(*) FROM engine.requests") == 1)
            #expect(try await site.count("SELECT count(*) FROM engine.dead_letters WHERE state = 'waiting'") == 1)
            #expect(try await site.count("SELECT count(*) FROM engine.dead_letters WHERE state = 'redriven'") == 1)
            // The letter of a signal whose week is gone went; those that still say something stay.
            let stay = "state = 'discarded' AND (item_id IS NULL OR item_id = \(site.id(1)))"
            #expect(try await site.count("SELECT count(*) FROM engine.dead_letters WHERE \(stay)") == 2)
            #expect(try await site.count("SELECT count(*) FROM engine.dead_letters WHERE state = 'discarded'") == 2)
            let lanes = try await site.database.client.execute(
                PostgresStatement("SELECT producer FROM engine.lanes ORDER BY 1")
            )
            // The last one's messages are still in the outbox.
            #expect(
                try lanes.map { try $0.decode(0, as: String.self) } == [
                    "a/b/0", "a/open/0", "a/unverified/0", "a/young/0",
                ]
            )
        }
    }

    @Test("replays that have ended")
    func replays() async throws {
        try await RetentionSite.with(.gateway) { (site) async throws in
            func replay(_ status: String, _ days: Int) -> String {
                let ended = "now() - interval '\(days) days'"
                return site.replay(from: 0, until: 1, position: site.id(0), status: status, ended: ended)
            }
            try await site.execute(
                replay("succeeded", 91),
                replay("canceled", 91),
                replay("succeeded", 89),
                replay("running", 0)
            )
            #expect(try await site.count("SELECT gateway.forget_replays(90, 1)") == 1)
            #expect(try await site.count("SELECT gateway.forget_replays(90, 10)") == 1)
            #expect(try await site.count("SELECT gateway.forget_replays(90, 10)") == 0)
            #expect(try await site.count("SELECT count(*) FROM gateway.replays WHERE status = 'running'") == 1)
            #expect(try await site.count("SELECT count(*) FROM gateway.replays") == 2)
        }
    }

    /// Dead letters that were discarded long ago.
    private func discarded(_ schema: String, _ items: String) -> String {
        """
        INSERT INTO \(schema).dead_letters (dead_letter_id, exchange, routing_key, headers, body, reason, item_id, state,
                                            discarded_at, discard_reason)
        SELECT gen_random_uuid(), 'e', 'k', '{}', '', 'r', item, 'discarded', now() - interval '91 days', 'r'
        FROM unnest(\(items)) AS item
        """
    }

    @Test("of the audit-writer: its finished lanes, and no entries that were discarded, which stay put away")
    func auditWriter() async throws {
        try await RetentionSite.with(.audit) { (site) async throws in
            try await site.execute(
                discarded("audit", "ARRAY[NULL::uuid]"),
                """
                INSERT INTO audit.lanes (producer, closed_at, audit_last, audit_verified)
                VALUES ('a/open/0', NULL, 1, 1), ('a/unverified/0', now() - interval '91 days', 2, 1),
                       ('a/old/0', now() - interval '91 days', 1, 1)
                """
            )
            #expect(await keeper(site).deleteRows() == .done)
            #expect(try await site.count("SELECT count(*) FROM audit.dead_letters") == 1)
            #expect(try await site.count("SELECT count(*) FROM audit.lanes") == 2)
            #expect(try await site.count("SELECT count(*) FROM audit.lanes WHERE producer = 'a/old/0'") == 0)
        }
    }

    @Test("a role can do no more than that", arguments: ServiceSchema.allCases)
    func rights(schema: ServiceSchema) async throws {
        try await ServiceDatabase.with(schema) { database in
            let name = schema.name
            let refused = [
                "DELETE FROM \(name).lanes", "DELETE FROM \(name).dead_letters", "DELETE FROM \(name).outbox",
                "DROP TABLE \(name).outbox", "LOCK TABLE \(name).outbox IN ACCESS EXCLUSIVE MODE",
                "TRUNCATE \(name).requests",
            ]
            for sql in refused {
                await #expect(throws: PostgresError.self, "\(sql)") { try await database.client.execute(.simple(sql)) }
            }
            let wrong = [
                "forget_dead_letters(29, 10)", "forget_dead_letters(30, 10001)", "forget_dead_letters(30, NULL)",
                "forget_lanes(29, 10)", "forget_lanes(NULL, 10)", "forget_lanes(30, 0)",
                "retire_partition('outbox', '2020-01-06', 29)", "require_retired('outbox', '2020-01-06', 29)",
            ]
            let log = [
                "retire_partition('entries', '2020-01-06', 30)", "retire_partition('segments', '2020-01-06', 30)",
                "retire_partition(NULL, '2020-01-06', 30)", "require_retired('entries', '2020-01-06', 30)",
            ]
            let replays = ["forget_replays(29, 10)", "forget_replays(30, 0)", "forget_replays(NULL, 10)"]
            if schema == .gateway {
                await #expect(throws: PostgresError.self) {
                    try await database.client.execute(.simple("DELETE FROM gateway.replays"))
                }
            }
            for call in wrong + (schema == .audit ? log : []) + (schema == .gateway ? replays : []) {
                let error = await #expect(throws: PostgresError.self, "\(call)") {
                    try await database.client.execute(PostgresStatement("SELECT \(name).\(call)"))
                }
                #expect(error?.sqlState == (log.contains(call) ? "42501" : "22023"), "\(call)")
            }
        }
    }
}
