/// Collects families and writes them in the Prometheus text format 0.0.4.
package struct Exposition {
    /// The content type of the text.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private var families: [String: String] = [:]

    init() {}

    /// Adds a family of counters or gauges.
    ///
    /// - Parameters:
    ///   - description: The family's name, kind and help.
    ///   - samples: The values, each with its labels as ``labels(_:)`` writes them.
    package mutating func add(_ description: MetricDescription, samples: [(labels: String, value: Double)]) {
        var text = Self.header(description)
        for sample in samples.sorted(by: { $0.labels < $1.labels }) {
            text += Self.line(description.name, sample.labels, sample.value)
        }
        families[description.name] = text
    }

    mutating func add(_ family: MetricFamily) {
        // A family whose series are all gone, or not there yet, has nothing to say.
        guard !family.series.isEmpty else { return }
        var text = Self.header(family.description)
        for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
            switch series {
            case .counter(let counter): text += Self.line(family.description.name, labels, counter.value)
            case .gauge(let gauge): text += Self.line(family.description.name, labels, gauge.value)
            case .histogram(let histogram): text += Self.lines(family.description.name, labels, histogram)
            }
        }
        families[family.description.name] = text
    }

    /// The whole text.
    var text: String {
        families.sorted { $0.key < $1.key }.map(\.value).joined()
    }

    /// Labels as they stand between braces, in the order of their names; of two alike the first counts.
    package static func labels(_ labels: [(String, String)]) -> String {
        var written: Set<String> = []
        return labels.sorted { $0.0 < $1.0 }
            .filter { written.insert($0.0).inserted }
            .map { "\($0.0)=\"\(escapedLabel($0.1))\"" }
            .joined(separator: ",")
    }

    private static func header(_ description: MetricDescription) -> String {
        var help = ""
        for character in description.help.unicodeScalars {
            switch character {
            case "\\": help += "\\\\"
            case "\n": help += "\\n"
            default: help.unicodeScalars.append(character)
            }
        }
        return "# HELP \(description.name) \(help)\n# TYPE \(description.name) \(description.kind.rawValue)\n"
    }

    private static func lines(_ name: String, _ labels: String, _ histogram: HistogramSeries) -> String {
        let (buckets, sum) = histogram.snapshot
        let prefix = labels.isEmpty ? "" : labels + ","
        var text = ""
        for bucket in buckets {
            text += "\(name)_bucket{\(prefix)le=\"\(number(bucket.bound))\"} \(bucket.count)\n"
        }
        text += line(name + "_sum", labels, sum)
        text += line(name + "_count", labels, Double(buckets.last?.count ?? 0))
        return text
    }

    private static func line(_ name: String, _ labels: String, _ value: Double) -> String {
        labels.isEmpty ? "\(name) \(number(value))\n" : "\(name){\(labels)} \(number(value))\n"
    }

    private static func escapedLabel(_ value: String) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// A number as Prometheus reads it: whole ones without a fraction.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value), abs(value) < 1e15 { return String(whole) }
        return value.description
    }
}
