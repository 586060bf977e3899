package import CoreMetrics
package import Logging
package import PostgreSQL
import ServiceLifecycle

/// Keeps a schema's partitions ahead of the time.
///
/// It makes what is missing at its start and once a day, and says loudly when little is left.
package struct PartitionKeeper: Service {
    /// Fewer days ahead than this are an alarm.
    package static let alarmBelow = 7
    /// The gauge's name; its dimension `schema` says whose it is.
    package static let gaugeLabel = "batuta_partitions_days_ahead"

    private let client: PostgresClient
    private let schema: ServiceSchema
    private let logger: Logger
    private let clock: any Clock<Duration>
    private let interval: Duration
    private let retryInterval: Duration
    private let daysAhead: Gauge

    /// - Parameters:
    ///   - client: Logged in as the service.
    ///   - schema: The service's own.
    ///   - logger: Where the alarm goes.
    ///   - clock: What the pauses are taken by.
    ///   - interval: The pause after a success.
    ///   - retryInterval: The pause after a failure.
    ///   - metrics: Where the gauge goes.
    package init(
        client: PostgresClient,
        schema: ServiceSchema,
        logger: Logger,
        clock: any Clock<Duration> = ContinuousClock(),
        interval: Duration = .seconds(86_400),
        retryInterval: Duration = .seconds(300),
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        self.client = client
        self.schema = schema
        self.logger = logger
        self.clock = clock
        self.interval = interval
        self.retryInterval = retryInterval
        daysAhead = Gauge(label: Self.gaugeLabel, dimensions: [("schema", schema.name)], factory: metrics)
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let succeeded = await keep()
                do {
                    try await clock.sleep(for: succeeded ? interval : retryInterval)
                } catch {
                    return
                }
            }
        }
    }

    /// Makes what is missing and looks how far the partitions reach.
    ///
    /// - Returns: Whether both succeeded.
    package func keep() async -> Bool {
        var succeeded = true
        do {
            try await client.execute(PostgresStatement("SELECT \(schema.name).ensure_partitions()"))
        } catch {
            guard !Task.isCancelled else { return false }
            succeeded = false
            logger.error("Making partitions failed", metadata: ["schema": "\(schema.name)", "error": "\(error)"])
        }
        do {
            let days = try await Self.daysAhead(client, schema)
            daysAhead.record(days)
            if days < Self.alarmBelow {
                logger.error(
                    "Partitions are running out",
                    metadata: ["schema": "\(schema.name)", "days": "\(days)", "alarm_below": "\(Self.alarmBelow)"]
                )
            }
        } catch {
            guard !Task.isCancelled else { return false }
            succeeded = false
            logger.error("Reading partitions failed", metadata: ["schema": "\(schema.name)", "error": "\(error)"])
        }
        return succeeded
    }

    /// The whole days from now to the end of that partitioned table's partitions which ends first.
    package static func daysAhead(_ client: PostgresClient, _ schema: ServiceSchema) async throws(PostgresError) -> Int
    {
        let statement = PostgresStatement(
            """
            SELECT coalesce(floor(extract(epoch FROM min(reach.until) - now()) / 86400), 0)::integer
            FROM (
                SELECT coalesce(
                    max(\(schema.name).uuid7_time(
                        substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''([0-9a-f-]{36})''\\)')::uuid)),
                    now()) AS until
                FROM pg_class p
                JOIN pg_namespace n ON n.oid = p.relnamespace
                LEFT JOIN pg_inherits i ON i.inhparent = p.oid
                LEFT JOIN pg_class c ON c.oid = i.inhrelid
                WHERE n.nspname = $1 AND p.relkind = 'p'
                GROUP BY p.oid
            ) AS reach
            """,
            [.text(schema.name)],
            isReadOnly: true
        )
        guard let row = try await client.execute(statement).first else { return 0 }
        return try row.decode(0)
    }
}
