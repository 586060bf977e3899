/// What a metric is called, what it means and what its values are.
///
/// A service lists its metrics in its ``ServiceDefinition``; they are made with swift-metrics' own types under the
/// same names, and one without labels is exposed from the start.
package struct MetricDescription: Sendable, Equatable {
    /// The kinds of metrics.
    package enum Kind: String, Sendable {
        /// A count that only grows.
        case counter
        /// A value that goes up and down.
        case gauge
        /// A distribution over buckets.
        case histogram
    }

    /// The buckets of durations, in seconds.
    package static let defaultBuckets: [Double] = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    /// The full name, such as `batuta_signals_accepted_total`.
    package let name: String
    /// The kind.
    package let kind: Kind
    /// What it means, in one sentence.
    package let help: String
    /// The names of its labels.
    package let labels: [String]
    /// The upper bounds of a histogram's buckets, growing, without infinity.
    package let buckets: [Double]

    private init(_ name: String, _ kind: Kind, help: String, labels: [String], buckets: [Double] = []) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
        self.buckets = buckets
    }

    /// A count that only grows; its name ends in `_total`.
    package static func counter(_ name: String, help: String, labels: [String] = []) -> Self {
        Self(name, .counter, help: help, labels: labels)
    }

    /// A value that goes up and down.
    package static func gauge(_ name: String, help: String, labels: [String] = []) -> Self {
        Self(name, .gauge, help: help, labels: labels)
    }

    /// A distribution; its name ends in `_seconds` or `_bytes` where it is one of durations or sizes.
    package static func histogram(
        _ name: String,
        help: String,
        labels: [String] = [],
        buckets: [Double] = defaultBuckets
    ) -> Self {
        Self(name, .histogram, help: help, labels: labels, buckets: buckets)
    }
}
