/// The naming rules of Prometheus, as `promtool check metrics` tests them, and our own on top.
package enum MetricConventions {
    private static let abbreviatedUnits: Set<String> = [
        "s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d",
    ]
    private static let scaledUnits: Set<String> = [
        "milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "days", "weeks", "kilobytes", "megabytes",
        "gigabytes", "kibibytes", "mebibytes", "bits", "percent", "millis", "micros", "nanos",
    ]
    private static let typeWords: Set<String> = ["counter", "gauge", "histogram", "summary"]

    /// What is wrong with a description, one sentence each.
    package static func faults(in metric: MetricDescription) -> [String] {
        nameFaults(metric) + labelFaults(metric) + bucketFaults(metric)
    }

    private static func nameFaults(_ metric: MetricDescription) -> [String] {
        let name = metric.name
        let words = name.split(separator: "_", omittingEmptySubsequences: false).map(String.init)
        var faults: [String] = []
        if !isName(name) { faults.append("\(name) is not made of a-z, 0-9 and single underscores") }
        if metric.help.isEmpty { faults.append("\(name) has no help text") }
        switch metric.kind {
        case .counter:
            if words.last != "total" { faults.append("\(name) is a counter and does not end in _total") }
        case .gauge, .histogram:
            if words.last == "total" { faults.append("\(name) ends in _total and is no counter") }
        }
        if ["count", "sum", "bucket"].contains(words.last ?? "") {
            faults.append("\(name) ends in a suffix that histograms have for themselves")
        }
        for word in words where abbreviatedUnits.contains(word) {
            faults.append("\(name) abbreviates a unit (\(word))")
        }
        for word in words where scaledUnits.contains(word) {
            faults.append("\(name) uses \(word) where a base unit belongs (seconds, bytes, ratio)")
        }
        for word in words where typeWords.contains(word) { faults.append("\(name) names its type") }
        return faults
    }

    private static func labelFaults(_ metric: MetricDescription) -> [String] {
        metric.labels.compactMap { label in
            guard isLabel(label) else { return "\(metric.name) has a label that is no label name: \(label)" }
            let isReserved = label == "le" || label == "quantile" || label.hasPrefix("__")
            return isReserved ? "\(metric.name) has a label that is reserved: \(label)" : nil
        }
    }

    private static func bucketFaults(_ metric: MetricDescription) -> [String] {
        let areGrowing = zip(metric.buckets, metric.buckets.dropFirst()).allSatisfy { $0 < $1 }
        let areFinite = metric.buckets.allSatisfy(\.isFinite)
        return areGrowing && areFinite ? [] : ["\(metric.name) has buckets that do not grow"]
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (0x61...0x7A).contains(first) else { return false }
        return !name.contains("__") && !name.hasSuffix("_") && name.utf8.allSatisfy(isNameByte)
    }

    private static func isLabel(_ label: String) -> Bool {
        guard let first = label.utf8.first, (0x61...0x7A).contains(first) || first == 0x5F else { return false }
        return label.utf8.allSatisfy(isNameByte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
    }
}

extension MetricConventions {
    /// The name under which a library's metric is exposed: its own with underscores, and the suffix of its kind.
    ///
    /// - Parameters:
    ///   - label: The label that swift-metrics was given.
    ///   - kind: The kind of the metric.
    ///   - isTimer: Whether it measures durations.
    /// - Returns: A name that Prometheus accepts.
    static func exposedName(of label: String, kind: MetricDescription.Kind, isTimer: Bool = false) -> String {
        var name = sanitized(label)
        if kind == .counter, !name.hasSuffix("_total") { name += "_total" }
        if isTimer, !name.hasSuffix("_seconds") { name += "_seconds" }
        return name
    }

    /// The label name with underscores for what Prometheus does not accept.
    static func exposedLabel(of label: String) -> String {
        let name = sanitized(label)
        return name == "le" || name == "quantile" || name.hasPrefix("__") ? "x_\(name)" : name
    }

    private static func sanitized(_ text: String) -> String {
        let bytes = text.utf8.map { byte -> UInt8 in
            let isUpper = (0x41...0x5A).contains(byte)
            return isNameByte(byte) || isUpper ? byte : 0x5F
        }
        guard let first = bytes.first else { return "unnamed" }
        let name = String(decoding: bytes, as: UTF8.self)
        return (0x30...0x39).contains(first) ? "_\(name)" : name
    }
}
