import ServiceBase
import ServiceRuntime

extension LogMetrics {
    /// The metrics of the writer, with their help.
    static let descriptions: [MetricDescription] = [
        .counter(appendedName, help: "Audit entries appended to the log."),
        .counter(duplicatesName, help: "Audit entries that arrived again and were dropped."),
        .counter(earlyName, help: "Audit entries that arrived before their turn and were held."),
        .gauge(sizeName, help: "Entries in the log, as the active writer has left it."),
        DeadLetterGauge.description,
        .gauge(signedName, help: "Entries that the newest checkpoint covers, as this replica has signed it."),
        .counter(checkpointsName, help: "Checkpoints of the log that this replica has signed."),
        .gauge(
            missingName,
            help: "Partitions of the log that are missing and without which entries cannot be appended."
        ),
        .histogram(signName, help: "Time of signing one checkpoint, from the head's lock to the commit."),
        .histogram(appendName, help: "Time of one append, from its plan to its commit."),
    ]
}
