import Foundation
import JSON

/// The figures of a measurement.
enum BenchReport {
    /// Durable runs, end to end.
    struct DurableRuns: BenchFigure, Sendable {
        var figure = "durable_runs"
        var signals: Int
        var concurrency: Int
        /// How many signals a request carried.
        var batch = 1
        /// From the first byte of the first request to the last acknowledgement.
        var acceptedSeconds: Double
        /// From the first byte of the first request until the last audit entry was seen stored.
        var seconds: Double
        /// Of the requests.
        var latencies: Latencies
        /// Seconds of CPU, by process; empty where none was named.
        var cpu: [(name: String, seconds: Double)]
        /// Seconds of CPU of the load itself, which counts for nothing.
        var loadCPU: Double

        var runsPerSecond: Double { Double(signals) / seconds }

        func write(into writer: inout JSONWriter) {
            writer.member("signals", Int64(signals))
            writer.member("concurrency", Int64(concurrency))
            writer.member("batch", Int64(batch))
            writer.member("runs_s", decimal: runsPerSecond, digits: 0)
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
        }
    }

    /// Signals one after the other, each alone in the system.
    struct LoneSignals: BenchFigure, Sendable {
        var figure = "lone_signal"
        var accepted: Latencies
        var visible: Latencies

        func write(into writer: inout JSONWriter) {
            writer.member("signals", Int64(visible.count))
            writer.member("accepted_p50_ms", decimal: accepted.percentile(0.5), digits: 3)
            writer.member("accepted_p99_ms", decimal: accepted.percentile(0.99), digits: 3)
            writer.member("p50_ms", decimal: visible.percentile(0.5), digits: 3)
            writer.member("p99_ms", decimal: visible.percentile(0.99), digits: 3)
        }
    }

    /// The memory of one process tree before, during and after a load.
    struct Memory: BenchFigure, Sendable {
        let figure = "memory"
        /// The figure of the load.
        var load: String
        /// How many connections the load kept busy.
        var concurrency: Int
        var process: String
        /// Before the first load.
        var rest: ProcessMemory
        /// The largest while the load ran, of what was read every ``MemoryWatch/interval``.
        var peak: ProcessMemory
        /// Seconds after the load.
        var after: ProcessMemory

        func write(into writer: inout JSONWriter) {
            writer.member("load", load)
            writer.member("concurrency", Int64(concurrency))
            writer.member("process", process)
            for (moment, memory) in [("rest", rest), ("load", peak), ("after", after)] {
                writer.member("\(moment)_private_mb", decimal: Double(memory.privateBytes) / 1e6, digits: 1)
                writer.member("\(moment)_resident_mb", decimal: Double(memory.residentBytes) / 1e6, digits: 1)
            }
        }
    }

    /// The private memory of one process tree over the time of a long load.
    struct MemoryOverTime: BenchFigure, Sendable {
        let figure = "memory_over_time"
        var load: String
        var process: String
        /// The largest in each part of the time, in bytes.
        var parts: [Int64]

        func write(into writer: inout JSONWriter) {
            writer.member("load", load)
            writer.member("process", process)
            writer.key("private_mb")
            writer.beginArray()
            for bytes in parts { writer.raw(String(format: "%.1f", Double(bytes) / 1e6).utf8) }
            writer.endArray()
        }
    }

    /// A page of a list, asked for again and again.
    struct Listing: BenchFigure, Sendable {
        let figure = "listing"
        var path: String
        /// The parameter that restricts the list; nil for all of it.
        var filter: String?
        var latencies: Latencies

        func write(into writer: inout JSONWriter) {
            writer.member("path", path)
            writer.member("filter", filter)
            writer.member("requests", Int64(latencies.count))
            writer.member("p50_ms", decimal: latencies.percentile(0.5), digits: 3)
            writer.member("p99_ms", decimal: latencies.percentile(0.99), digits: 3)
        }
    }
}
