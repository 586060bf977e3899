import Foundation
import JSON

/// A figure as one line of JSON.
enum BenchReport {
    /// Durable runs, end to end.
    struct DurableRuns {
        var signals: Int
        var concurrency: Int
        /// From the first byte of the first request to the last acknowledgement.
        var acceptedSeconds: Double
        /// From the first byte of the first request until the last audit entry was seen stored.
        var seconds: Double
        var latencies: Latencies
        /// Seconds of CPU, by process; empty where none was named.
        var cpu: [(name: String, seconds: Double)]
        /// Seconds of CPU of the load itself, which counts for nothing.
        var loadCPU: Double

        var line: String {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("figure", "durable_runs")
            writer.member("signals", Int64(signals))
            writer.member("concurrency", Int64(concurrency))
            writer.member("runs_s", decimal: Double(signals) / seconds, digits: 0)
            writer.member("accepted_s", decimal: Double(signals) / acceptedSeconds, digits: 0)
            writer.member("seconds", decimal: seconds, digits: 3)
            writer.member("accepted_seconds", decimal: acceptedSeconds, digits: 3)
            writer.member("p50_ms", decimal: latencies.percentile(0.5), digits: 3)
            writer.member("p99_ms", decimal: latencies.percentile(0.99), digits: 3)
            let perThousand = 1_000 / Double(signals)
            let total = cpu.isEmpty ? nil : cpu.reduce(0) { $0 + $1.seconds } * perThousand
            writer.member("cpu_s_per_1000_runs", decimal: total, digits: 4)
            writer.key("cpu_by_process")
            writer.beginObject()
            for process in cpu { writer.member(process.name, decimal: process.seconds * perThousand, digits: 4) }
            writer.endObject()
            writer.member("load_cpu_s_per_1000_runs", decimal: loadCPU * perThousand, digits: 4)
            writer.endObject()
            return String(decoding: writer.bytes, as: UTF8.self)
        }
    }

    /// Signals one after the other, each alone in the system.
    struct LoneSignals {
        var accepted: Latencies
        var visible: Latencies

        var line: String {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("figure", "lone_signal")
            writer.member("signals", Int64(visible.count))
            writer.member("accepted_p50_ms", decimal: accepted.percentile(0.5), digits: 3)
            writer.member("accepted_p99_ms", decimal: accepted.percentile(0.99), digits: 3)
            writer.member("p50_ms", decimal: visible.percentile(0.5), digits: 3)
            writer.member("p99_ms", decimal: visible.percentile(0.99), digits: 3)
            writer.endObject()
            return String(decoding: writer.bytes, as: UTF8.self)
        }
    }
}

extension JSONWriter {
    /// A number with a fixed number of decimals, or null.
    fileprivate mutating func member(_ name: String, decimal value: Double?, digits: Int) {
        let text = value.flatMap { $0.isFinite ? String(format: "%.\(digits)f", $0) : nil }
        member(name, raw: Array((text ?? "null").utf8))
    }
}
