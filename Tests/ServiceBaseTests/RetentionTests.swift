import MetricsTestKit
import Persistence
import ServiceLifecycle
import TestSupport
import Testing

@testable import ServiceBase

@Suite("Retention drops what is old and finished, and nothing else", .requiresServers, .timeLimit(.minutes(2)))
struct RetentionTests {
    private static let engineTables = [
        "automation_dedup", "automation_run_steps", "automation_runs", "automation_skips", "inbox", "outbox",
        "signal_emissions", "signals", "step_attempts",
    ]

    private func keeper(
        _ site: RetentionSite,
        days: Int = 90,
        batch: Int = 2_000,
        isAudited: Bool = false,
        pauses: RetentionKeeper.Pauses = RetentionKeeper.Pauses(),
        metrics: TestMetrics = TestMetrics()
    ) -> RetentionKeeper {
        RetentionKeeper(
            RetentionPolicy(site.schema, days: days),
            database: site.database.client,
            lanes: isAudited ? site.lanes() : nil,
            logger: ServiceDatabase.logger,
            pauses: pauses,
            batch: batch,
            jitter: { $0 },
            metrics: metrics
        )
    }

    /// Passes until nothing is left to be dropped.
    private func dropAll(_ keeper: RetentionKeeper) async -> RetentionKeeper.Pass {
        for _ in 0..<20 {
            let pass = await keeper.dropPartitions()
            guard pass == .more else { return pass }
        }
        return .more
    }

    @Test("a finished week goes from every table, each drop with an audit entry, and the present stays")
    func drops() async throws {
        try await RetentionSite.with(.engine) { (site) async throws in
            try await site.execute(
                site.run(site.id(3), signal: site.id(2), status: "succeeded"),
                "INSERT INTO engine.inbox VALUES (\(site.id(2)), 'acme', 1, 'a.b')",
                site.lane(verified: 1, message: site.id(2), item: site.id(1))
            )
            let metrics = TestMetrics()
            #expect(try await site.tables() == Self.engineTables)
            #expect(await dropAll(keeper(site, isAudited: true, metrics: metrics)) == .done)
            #expect(try await site.tables() == [])
            #expect(try await site.retireEntries() == Self.engineTables.count)
            for table in Self.engineTables {
                let labels = [("schema", "engine"), ("table", table)]
                #expect(try metrics.expectCounter(RetentionMetrics.droppedName, labels).totalValue == 1)
                let oldest = try metrics.expectGauge(RetentionMetrics.oldestName, labels).lastValue
                #expect(try #require(oldest) < 30 * 86_400)
            }
            // This week takes rows as before.
            try await site.execute("INSERT INTO engine.inbox VALUES (engine.uuid7_floor(now()), 'acme', 1, 'a.b')")
        }
    }

    @Test(
        "so does the outbox of every other schema; the audit log stays",
        arguments: [ServiceSchema.scheduler, .jobs, .gateway, .audit]
    )
    func others(schema: ServiceSchema) async throws {
        try await RetentionSite.with(schema) { (site) async throws in
            let log = schema == .audit ? ["entries", "segments"] : []
            let dropped = try await site.tables().filter { !log.contains($0) }
            #expect(dropped.contains("outbox"))
            let metrics = TestMetrics()
            #expect(await dropAll(keeper(site, isAudited: true, metrics: metrics)) == .done)
            #expect(try await site.tables() == log)
            #expect(try await site.retireEntries() == dropped.count)
            // Nobody expects the log to become younger.
            for table in log {
                #expect(throws: (any Error).self) {
                    try metrics.expectGauge(RetentionMetrics.oldestName, [("schema", schema.name), ("table", table)])
                }
            }
        }
    }

    @Test("without lanes it drops without an entry")
    func unaudited() async throws {
        try await RetentionSite.with(.jobs) { (site) async throws in
            #expect(await dropAll(keeper(site)) == .done)
            #expect(try await site.tables() == [])
            #expect(try await site.retireEntries() == 0)
        }
    }

    @Test("whoever dies between a drop and its entry leaves neither")
    func diesInBetween() async throws {
        try await RetentionSite.with(.jobs) { (site) async throws in
            try await site.execute(
                """
                CREATE FUNCTION jobs.die() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF to_regclass('jobs.outbox_\(site.week)') IS NULL THEN
                        PERFORM pg_terminate_backend(pg_backend_pid());
                    END IF;
                    RETURN NULL;
                END $$
                """,
                "CREATE TRIGGER die BEFORE INSERT ON jobs.outbox FOR EACH STATEMENT EXECUTE FUNCTION jobs.die()"
            )
            let keeper = keeper(site, isAudited: true)
            #expect(await keeper.dropPartitions() == .failed)
            #expect(try await site.tables() == ["outbox"])
            #expect(try await site.retireEntries() == 0)
            try await site.execute("DROP TRIGGER die ON jobs.outbox")
            #expect(await keeper.dropPartitions() == .more)
            #expect(try await site.tables() == [])
            #expect(try await site.retireEntries() == 1)
        }
    }

    @Test("a week younger than is configured stays, but for the outbox, which nobody needs for longer")
    func young() async throws {
        try await RetentionSite.with(.engine) { (site) async throws in
            #expect(await dropAll(keeper(site, days: 200)) == .done)
            #expect(try await site.tables() == Self.engineTables.filter { $0 != "outbox" })
        }
    }

    private static let endRuns =
        "UPDATE engine.automation_runs SET status = 'failed', owner = NULL, finished_at = now()"

    /// What keeps a week, and what ends that.
    private static func needs(_ site: RetentionSite) -> [(what: String, begins: String, ends: String)] {
        [
            (
                "a run of the week that waits for a person",
                site.run(site.id(3), signal: site.id(2), status: "unknown"), endRuns
            ),
            (
                "a later run that goes on with a signal of the week",
                site.run("engine.uuid7_floor(now())", signal: site.id(2), status: "waiting"), endRuns
            ),
            (
                "a signal of the week that was put away",
                """
                INSERT INTO engine.dead_letters (dead_letter_id, exchange, routing_key, item_id, headers, body, reason)
                VALUES (gen_random_uuid(), 'e', 'k', \(site.id(5)), '{}', '', 'r')
                """,
                "UPDATE engine.dead_letters SET state = 'redriven', redriven_at = now()"
            ),
            (
                "another one, until it is discarded",
                """
                INSERT INTO engine.dead_letters (dead_letter_id, exchange, routing_key, item_id, headers, body, reason)
                VALUES (gen_random_uuid(), 'e', 'k', \(site.id(6)), '{}', '', 'r')
                """,
                """
                UPDATE engine.dead_letters SET state = 'discarded', discarded_at = now(), discard_reason = 'r'
                WHERE state = 'waiting'
                """
            ),
            (
                "an emitted signal with the week's time that is on its way",
                site.lane(verified: 0, message: "engine.uuid7_floor(now())", item: site.id(5)),
                "UPDATE engine.lanes SET signals_verified = signals_last"
            ),
        ]
    }

    @Test("an unfinished week stays whole until it is finished")
    func unfinished() async throws {
        try await RetentionSite.with(.engine) { (site) async throws in
            // By turns with an entry in the audit log and without.
            for (number, need) in Self.needs(site).enumerated() {
                try await site.execute(need.begins)
                let metrics = TestMetrics()
                let keeper = keeper(site, isAudited: number.isMultiple(of: 2), metrics: metrics)
                #expect(await dropAll(keeper) == .done)
                #expect(try await site.tables() == Self.engineTables.filter { $0 != "outbox" }, "\(need.what)")
                let needed = try metrics.expectGauge(RetentionMetrics.neededName, [("schema", "engine")]).lastValue
                #expect(needed == 8)
                try await site.execute(need.ends)
            }
            #expect(await dropAll(keeper(site)) == .done)
            #expect(try await site.tables() == [])
        }
    }

    @Test("messages that their consumer is not known to hold keep the outbox, and signals in them their own table")
    func unverified() async throws {
        try await RetentionSite.with(.gateway) { (site) async throws in
            try await site.execute(site.lane(verified: 0, message: site.id(2), item: site.id(1)))
            #expect(await dropAll(keeper(site)) == .done)
            #expect(try await site.tables() == ["outbox", "signals"])
            try await site.execute("UPDATE gateway.lanes SET signals_verified = 1")
            #expect(await dropAll(keeper(site)) == .done)
            #expect(try await site.tables() == [])
        }
    }

    @Test("signals that a running replay has still to consider stay")
    func replayed() async throws {
        try await RetentionSite.with(.gateway) { (site) async throws in
            try await site.execute(site.replay(from: -24, until: 1, position: site.id(-24), status: "running"))
            let metrics = TestMetrics()
            #expect(await dropAll(keeper(site, metrics: metrics)) == .done)
            #expect(try await site.tables() == ["signals"])
            #expect(try metrics.expectGauge(RetentionMetrics.neededName, [("schema", "gateway")]).lastValue == 1)
            // One that has passed by the week, one that comes before it, and one that has ended.
            for left in [
                "position = gateway.uuid7_floor('\(site.week)'::date + 7)",
                "position = \(site.id(-24)), until_time = '\(site.week)'",
                "position = \(site.id(-24)), until_time = now(), status = 'canceled', finished_at = now()",
            ] {
                try await site.execute("UPDATE gateway.replays SET \(left)")
                let needed = "gateway.week_is_needed('signals', '\(site.week)')"
                #expect(try await site.count("SELECT count(*) FROM (SELECT 1 WHERE \(needed)) AS n") == 0, "\(left)")
            }
            #expect(await dropAll(keeper(site)) == .done)
            #expect(try await site.tables() == [])
        }
    }

    @Test("a table in use is let go of at once, and who comes meanwhile waits no longer than the try")
    func locked() async throws {
        try await RetentionSite.with(.engine) { (site) async throws in
            #expect(
                try await site.count(
                    """
                    SELECT count(*) FROM pg_proc p
                    WHERE p.proname = 'retire_partition' AND p.pronamespace = 'engine'::regnamespace
                      AND 'lock_timeout=200ms' = ANY (p.proconfig)
                    """
                ) == 1
            )
            // Longer than it is, so that the insertion is certainly issued while the try waits.
            try await site.execute(
                "ALTER FUNCTION engine.retire_partition(text, date, integer) SET lock_timeout = '4s'"
            )
            let client = site.database.client
            let keeper = keeper(site)
            try await client.withTransaction { reader in
                try await reader.execute(PostgresStatement("SELECT count(*) FROM engine.inbox"))
                async let pass = keeper.dropPartitions()
                try await eventually("the try waits for the lock", within: .seconds(30), every: .milliseconds(20)) {
                    try await site.count(
                        """
                        SELECT count(*) FROM pg_locks
                        WHERE relation = 'engine.inbox'::regclass AND mode = 'AccessExclusiveLock' AND NOT granted
                        """
                    )
                } until: {
                    $0 > 0
                }
                try await client.execute(
                    PostgresStatement("INSERT INTO engine.inbox VALUES (engine.uuid7_floor(now()), 'acme', 1, 'a.b')")
                )
                #expect(await pass == .locked)
                // All of it while the long transaction was there; it sees what was committed meanwhile.
                let rows = try await reader.execute(PostgresStatement("SELECT count(*) FROM engine.inbox"))
                #expect(try rows.first?.decode(0, as: Int64.self) == 1)
            }
            #expect(await dropAll(keeper) == .done)
            #expect(try await site.tables() == [])
        }
    }

    @Test("while a replica is at it, another one leaves it alone", arguments: [false, true])
    func busy(isAudited: Bool) async throws {
        try await RetentionSite.with(.jobs) { (site) async throws in
            try await site.database.client.withTransaction { other in
                try await other.execute(
                    PostgresStatement("SELECT pg_advisory_xact_lock(hashtextextended('jobs.retire_partition', 0))")
                )
                #expect(await keeper(site, isAudited: isAudited).dropPartitions() == .locked)
            }
            #expect(try await site.tables() == ["outbox"])
            #expect(try await site.retireEntries() == 0)
        }
    }

    @Test("it runs until the service drains")
    func runs() async throws {
        try await RetentionSite.with(.jobs) { (site) async throws in
            var pauses = RetentionKeeper.Pauses()
            pauses.more = .milliseconds(10)
            let group = ServiceGroup(services: [keeper(site, pauses: pauses)], logger: ServiceDatabase.logger)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await eventually("the week is gone", within: .seconds(30)) {
                    try await site.tables()
                } until: {
                    $0.isEmpty
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }
}
