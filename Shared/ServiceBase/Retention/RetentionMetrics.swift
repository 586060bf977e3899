import CoreMetrics
import Persistence
package import ServiceRuntime

/// What retention counts.
struct RetentionMetrics: Sendable {
    static let droppedName = "batuta_retention_partitions_dropped_total"
    static let deletedName = "batuta_retention_rows_deleted_total"
    static let oldestName = "batuta_retention_oldest_partition_age_seconds"
    static let neededName = "batuta_retention_partitions_needed"
    static let lockedName = "batuta_retention_lock_timeouts_total"

    private let schema: ServiceSchema
    private let factory: any MetricsFactory

    init(_ schema: ServiceSchema, _ factory: any MetricsFactory) {
        self.schema = schema
        self.factory = factory
    }

    func dropped(_ table: String) {
        Counter(label: Self.droppedName, dimensions: labels(table), factory: factory).increment()
    }

    func deleted(_ count: Int, of table: String) {
        Counter(label: Self.deletedName, dimensions: labels(table), factory: factory).increment(by: count)
    }

    func oldest(_ days: Int, of table: String) {
        Gauge(label: Self.oldestName, dimensions: labels(table), factory: factory).record(days * 86_400)
    }

    func needed(_ count: Int) {
        Gauge(label: Self.neededName, dimensions: [("schema", schema.name)], factory: factory).record(count)
    }

    func locked() {
        Counter(label: Self.lockedName, dimensions: [("schema", schema.name)], factory: factory).increment()
    }

    private func labels(_ table: String) -> [(String, String)] {
        [("schema", schema.name), ("table", table)]
    }
}

extension ServiceBase {
    /// The metrics of what every service with a schema has.
    package static let metrics: [MetricDescription] = [
        .counter(
            RetentionMetrics.droppedName,
            help: "Partitions that retention has dropped.",
            labels: ["schema", "table"]
        ),
        .counter(RetentionMetrics.deletedName, help: "Rows that retention has deleted.", labels: ["schema", "table"]),
        .gauge(
            RetentionMetrics.oldestName,
            help: "Age of the oldest partition in seconds, by its first day.",
            labels: ["schema", "table"]
        ),
        .gauge(
            RetentionMetrics.neededName,
            help: "Partitions that are old enough to be dropped and that something unfinished needs.",
            labels: ["schema"]
        ),
        .counter(
            RetentionMetrics.lockedName,
            help: "Partitions that could not be dropped because a transaction used their table.",
            labels: ["schema"]
        ),
    ]
}
