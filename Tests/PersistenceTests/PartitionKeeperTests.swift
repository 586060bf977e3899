import Logging
import MetricsTestKit
import Persistence
import ServiceLifecycle
import Synchronization
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable, "\(TestDatabase.skipped)"), .timeLimit(.minutes(5)))
struct PartitionKeeperTests {
    /// What was logged, by level.
    private struct Recorder: LogHandler {
        final class Lines: Sendable {
            let all = Mutex<[(level: Logger.Level, text: String)]>([])
        }

        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.all.withLock { $0.append((event.level, "\(event.message)")) }
        }
    }

    @Test func makesPartitionsAtTheStartAndDaily() async throws {
        try await TestDatabase.migrated { (database) async throws in
            let (clock, metrics) = (ManualClock(), TestMetrics())
            try await database.as(.jobs) { (client) async throws in
                let keeper = PartitionKeeper(
                    client: client,
                    schema: .jobs,
                    logger: Logger(label: "test"),
                    clock: clock,
                    metrics: metrics
                )
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await keeper.run() }
                    var sleeps = clock.sleeps.makeAsyncIterator()
                    #expect(await sleeps.next() == .seconds(86_400))
                    let gauge = try metrics.expectGauge(PartitionKeeper.gaugeLabel, [("schema", "jobs")])
                    #expect(try #require(gauge.lastValue) >= 30)
                    try await Self.dropFuturePartitions(database.admin)
                    #expect(try await PartitionKeeper.daysAhead(client, .jobs) < PartitionKeeper.alarmBelow)
                    clock.advance(by: .seconds(86_400))
                    #expect(await sleeps.next() == .seconds(86_400))
                    #expect(try await PartitionKeeper.daysAhead(client, .jobs) >= 30)
                    group.cancelAll()
                }
            }
        }
    }

    @Test func raisesTheAlarmWhenLittleIsLeft() async throws {
        try await TestDatabase.migrated { (database) async throws in
            let (clock, metrics, lines) = (ManualClock(), TestMetrics(), Recorder.Lines())
            try await Self.dropFuturePartitions(database.admin)
            try await database.admin.execute(
                .simple("ALTER FUNCTION jobs.ensure_partitions(integer) RENAME TO ensure_partitions_no_more")
            )
            try await database.as(.jobs) { (client) async throws in
                let logger = Logger(label: "test") { _ in Recorder(lines: lines) }
                let keeper = PartitionKeeper(
                    client: client,
                    schema: .jobs,
                    logger: logger,
                    clock: clock,
                    retryInterval: .seconds(9),
                    metrics: metrics
                )
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { try? await keeper.run() }
                    var sleeps = clock.sleeps.makeAsyncIterator()
                    #expect(await sleeps.next() == .seconds(9))
                    group.cancelAll()
                }
                let gauge = try metrics.expectGauge(PartitionKeeper.gaugeLabel, [("schema", "jobs")])
                #expect(try #require(gauge.lastValue) < 7)
                let errors = lines.all.withLock { $0.filter { $0.level == .error }.map(\.text) }
                #expect(errors == ["Making partitions failed", "Partitions are running out"])
            }
        }
    }

    @Test func endsWithTheShutdown() async throws {
        try await TestDatabase.migrated { (database) async throws in
            let clock = ManualClock()
            try await database.as(.jobs) { (client) async throws in
                let keeper = PartitionKeeper(client: client, schema: .jobs, logger: Logger(label: "test"), clock: clock)
                let services = ServiceGroup(services: [keeper], logger: Logger(label: "test"))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await services.run() }
                    var sleeps = clock.sleeps.makeAsyncIterator()
                    _ = await sleeps.next()
                    await services.triggerGracefulShutdown()
                    try await group.waitForAll()
                }
            }
        }
    }

    /// Leaves the partitions up to this week's.
    private static func dropFuturePartitions(_ admin: PostgresClient) async throws {
        try await admin.execute(
            .simple(
                """
                DO $$ DECLARE child regclass; BEGIN
                    FOR child IN
                        SELECT c.oid FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
                        WHERE c.relnamespace = 'jobs'::regnamespace AND c.relkind = 'r'
                          AND substring(c.relname FROM '_([0-9]{8})$')::date > (now() AT TIME ZONE 'UTC')::date
                    LOOP EXECUTE format('DROP TABLE %s', child); END LOOP;
                END $$
                """
            )
        )
    }
}
