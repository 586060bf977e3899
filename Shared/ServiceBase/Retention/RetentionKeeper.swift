package import CoreMetrics
package import Logging
package import Messaging
package import Persistence
import ServiceLifecycle

/// Keeps a schema from growing for ever: drops partitions and deletes rows that are old and finished.
///
/// It works a little at a time and stands in nobody's way: a partition whose table is in use is tried again later, and
/// rows go in small statements with a rest in between. What is finished is the database's decision, made in the
/// transaction of the drop. Several replicas may run it; in the database one is at it at a time.
package struct RetentionKeeper: Service {
    /// How long it rests.
    package struct Pauses: Sendable {
        /// After a pass that has left nothing.
        package var idle = Duration.seconds(3_600)
        /// After a pass that has left more of the same.
        package var more = Duration.milliseconds(250)
        /// After a pass that somebody was in the way of.
        package var locked = Duration.seconds(600)
        /// After a failure.
        package var failed = Duration.seconds(300)

        package init() {}
    }

    /// What a pass has come to.
    package enum Pass: Sendable, Equatable {
        case done
        case more
        case locked
        case failed
    }

    private let policy: RetentionPolicy
    private let repository: RetentionRepository
    private let lanes: LaneGroup?
    private let logger: Logger
    private let clock: any Clock<Duration>
    private let pauses: Pauses
    private let batch: Int
    private let jitter: @Sendable (Duration) -> Duration
    private let metrics: RetentionMetrics

    /// - Parameters:
    ///   - policy: What is kept, and for how long.
    ///   - database: Logged in as the service.
    ///   - lanes: The service's lanes, through which each drop is audited; nil for a service without.
    ///   - logger: Where it says what it has done.
    ///   - clock: What the pauses are taken by.
    ///   - pauses: How long it rests.
    ///   - batch: How many rows one statement deletes at most.
    ///   - jitter: Changes each pause, so that replicas do not keep in step.
    ///   - metrics: Where its metrics go.
    package init(
        _ policy: RetentionPolicy,
        database: PostgresClient,
        lanes: LaneGroup? = nil,
        logger: Logger,
        clock: any Clock<Duration> = ContinuousClock(),
        pauses: Pauses = Pauses(),
        batch: Int = 2_000,
        jitter: @escaping @Sendable (Duration) -> Duration = { $0 * Double.random(in: 0.8...1.2) },
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        self.policy = policy
        repository = RetentionRepository(schema: policy.schema, database: database)
        self.lanes = lanes
        self.logger = logger
        self.clock = clock
        self.pauses = pauses
        self.batch = batch
        self.jitter = jitter
        self.metrics = RetentionMetrics(policy.schema, metrics)
    }

    /// Drops and deletes, each at its own pace, until the service drains.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await repeating { await dropPartitions() } }
                group.addTask { await repeating { await deleteRows() } }
            }
        }
    }

    private func repeating(_ work: () async -> Pass) async {
        while !Task.isCancelled {
            let pause =
                switch await work() {
                case .done: pauses.idle
                case .more: pauses.more
                case .locked: pauses.locked
                case .failed: pauses.failed
                }
            do {
                try await clock.sleep(for: jitter(pause))
            } catch {
                return
            }
        }
    }

    // MARK: Partitions

    /// Tries each partition that is old enough, up to the first whose table is in use.
    package func dropPartitions() async -> Pass {
        do {
            let partitions = try await repository.partitions().filter { policy.drops($0.table) }
            report(partitions)
            var needed = 0
            var pass = Pass.done
            for partition in partitions where partition.isOlder(than: policy.days(of: partition.table)) {
                switch try await retire(partition) {
                case .dropped:
                    pass = .more
                    metrics.dropped(partition.table)
                    logger.notice("a partition was dropped", metadata: metadata(partition))
                case .needed:
                    needed += 1
                    logger.debug("unfinished work needs an old partition", metadata: metadata(partition))
                case .locked:
                    metrics.locked()
                    logger.info("a partition is tried again later, its table is in use", metadata: metadata(partition))
                    return .locked
                case .busy:
                    return .locked
                case .young, .absent:
                    continue
                }
            }
            metrics.needed(needed)
            return pass
        } catch {
            guard !Task.isCancelled else { return .failed }
            logger.warning("old partitions could not be dropped", metadata: ["error": "\(error)"])
            return .failed
        }
    }

    /// Drops one partition where it can, with an audit entry in the same transaction where there are lanes.
    private func retire(_ partition: WeeklyPartition) async throws -> PartitionRetirement {
        let days = policy.days(of: partition.table)
        guard let lanes else {
            return try await repository.retire(partition, keeping: days)
        }
        return try await repository.retire(partition, keeping: days, in: lanes)
    }

    /// Records the age of each table's oldest partition.
    private func report(_ partitions: [WeeklyPartition]) {
        let ages = Dictionary(partitions.map { ($0.table, $0.age) }, uniquingKeysWith: max)
        for (table, age) in ages {
            metrics.oldest(age, of: table)
        }
    }

    private func metadata(_ partition: WeeklyPartition) -> Logger.Metadata {
        ["schema": "\(policy.schema.name)", "table": "\(partition.table)", "week": "\(partition.week)"]
    }

    // MARK: Rows

    /// Deletes old rows of each table, one statement each.
    package func deleteRows() async -> Pass {
        var pass = Pass.done
        for rows in policy.rows {
            do {
                let count = try await repository.delete(rows, limit: batch)
                metrics.deleted(count, of: rows.table)
                if count >= batch { pass = .more }
            } catch {
                guard !Task.isCancelled else { return .failed }
                logger.warning(
                    "old rows could not be deleted",
                    metadata: ["table": "\(rows.table)", "error": "\(error)"]
                )
                if pass == .done { pass = .failed }
            }
        }
        return pass
    }
}
