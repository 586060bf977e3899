package import CoreMetrics
import Synchronization

/// Holds the process's metrics and writes them in the Prometheus text format 0.0.4.
///
/// It is the process's `MetricsFactory`: a counter, meter, gauge or timer of swift-metrics is made here under a lock
/// and counts with atomics from then on. Timers are histograms in seconds.
package final class PrometheusRegistry: MetricsFactory {
    /// Adds samples of metrics that are read where they stand, such as those of the process.
    package typealias Collector = @Sendable (inout Exposition) -> Void

    struct State {
        var families: [String: MetricFamily] = [:]
        var gauges: [String: (description: MetricDescription, read: @Sendable () -> Double)] = [:]
        var collectors: [Collector] = []
        var faults: [String] = []
    }

    let state = Mutex(State())

    /// Makes an empty registry.
    package init() {}

    /// Declares metrics: their help, labels and buckets.
    ///
    /// Declare before the first use; a name that breaks the conventions is noted in ``faults``.
    package func declare(_ descriptions: [MetricDescription]) {
        state.withLock { state in
            for description in descriptions {
                state.faults += MetricConventions.faults(in: description)
                guard state.families[description.name] == nil else {
                    state.faults.append("\(description.name) is declared twice or after its first use")
                    continue
                }
                state.families[description.name] = MetricFamily(description, isDeclared: true)
            }
        }
    }

    /// Declares a gauge that is read at each scrape; the closure must be quick and take no lock of the registry.
    package func observe(_ name: String, help: String, _ read: @escaping @Sendable () -> Double) {
        let description = MetricDescription.gauge(name, help: help)
        state.withLock { state in
            state.faults += MetricConventions.faults(in: description)
            state.gauges[name] = (description, read)
        }
    }

    /// Adds a collector, which writes families of its own.
    package func addCollector(_ collector: @escaping Collector) {
        state.withLock { $0.collectors.append(collector) }
    }

    /// What breaks the conventions, one sentence each; empty in a well-made service.
    package var faults: [String] { state.withLock { $0.faults } }

    /// Everything in the text format 0.0.4, families and series in the order of their names.
    package func exposition() -> String {
        let (families, gauges, collectors) = state.withLock { ($0.families, $0.gauges, $0.collectors) }
        var exposition = Exposition()
        for collector in collectors { collector(&exposition) }
        for family in families.values { exposition.add(family) }
        for gauge in gauges.values { exposition.add(gauge.description, samples: [("", gauge.read())]) }
        return exposition.text
    }

    // MARK: - MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counter(label, dimensions)
    }

    package func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        counter(label, dimensions)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions)
    }

    package func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        aggregate ? histogram(label, dimensions, isTimer: false) : gauge(label, dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions, isTimer: true)
    }

    // A metric of a declared family lives as long as the process: swift-metrics' objects are often made for one
    // increment, and a count that disappears looks like a restart. Destroying is for libraries' own, by request.
    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }
}

extension PrometheusRegistry {
    private func counter(_ label: String, _ dimensions: [(String, String)]) -> CounterSeries {
        let name = MetricConventions.exposedName(of: label, kind: .counter)
        guard case .counter(let found) = series(name, label, .counter, dimensions) else { return CounterSeries() }
        return found
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeSeries {
        let name = MetricConventions.exposedName(of: label, kind: .gauge)
        guard case .gauge(let found) = series(name, label, .gauge, dimensions) else { return GaugeSeries() }
        return found
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)], isTimer: Bool) -> HistogramSeries {
        let name = MetricConventions.exposedName(of: label, kind: .histogram, isTimer: isTimer)
        guard case .histogram(let found) = series(name, label, .histogram, dimensions) else {
            return HistogramSeries(bounds: [])
        }
        return found
    }

    /// The series of a name and labels; `nil` where it cannot be exposed, and the caller counts into the void.
    private func series(
        _ name: String,
        _ label: String,
        _ kind: MetricDescription.Kind,
        _ dimensions: [(String, String)]
    ) -> MetricFamily.Series? {
        let labels = Exposition.labels(dimensions.map { (MetricConventions.exposedLabel(of: $0.0), $0.1) })
        return state.withLock { state in
            if let family = state.families[name], family.description.kind != kind {
                let fault = "\(name) is a \(family.description.kind.rawValue) and was used as a \(kind.rawValue)"
                if !state.faults.contains(fault) { state.faults.append(fault) }
                return nil
            }
            let found = state.families[name, default: Self.undeclared(name, label, kind)].series(labels: labels)
            if found == nil {
                let fault = "\(name) has more than \(MetricFamily.greatestCount) series; further ones are not counted"
                if !state.faults.contains(fault) { state.faults.append(fault) }
            }
            return found
        }
    }

    private static func undeclared(_ name: String, _ label: String, _ kind: MetricDescription.Kind) -> MetricFamily {
        let help = "Reported by a library as \(label)."
        let description: MetricDescription =
            switch kind {
            case .counter: .counter(name, help: help)
            case .gauge: .gauge(name, help: help)
            case .histogram: .histogram(name, help: help)
            }
        return MetricFamily(description, isDeclared: false)
    }

    private func remove(_ handler: AnyObject) {
        state.withLock { state in
            for (name, family) in state.families where !family.isDeclared {
                var family = family
                family.remove(handler)
                state.families[name] = family.series.isEmpty ? nil : family
            }
        }
    }
}
