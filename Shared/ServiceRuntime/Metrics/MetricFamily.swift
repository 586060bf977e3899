/// All series of one name.
struct MetricFamily {
    /// The most series of one name; what comes after them is counted nowhere, so that no input fills the memory.
    static let greatestCount = 2000

    /// One series; the case tells the family's kind.
    enum Series {
        case counter(CounterSeries)
        case gauge(GaugeSeries)
        case histogram(HistogramSeries)
    }

    let description: MetricDescription
    /// Whether a service has declared it; others come from libraries.
    let isDeclared: Bool
    /// The series by their labels, as these are exposed.
    private(set) var series: [String: Series] = [:]

    init(_ description: MetricDescription, isDeclared: Bool) {
        self.description = description
        self.isDeclared = isDeclared
        if isDeclared, description.labels.isEmpty { series[""] = makeSeries() }
    }

    /// The series with the labels, made where there is none yet; `nil` where there are too many.
    mutating func series(labels: String) -> Series? {
        if let found = series[labels] { return found }
        guard series.count < Self.greatestCount else { return nil }
        let made = makeSeries()
        series[labels] = made
        return made
    }

    /// Forgets the series that holds the handler.
    mutating func remove(_ handler: AnyObject) {
        guard let labels = series.first(where: { $0.value.handler === handler })?.key else { return }
        series[labels] = nil
    }

    private func makeSeries() -> Series {
        switch description.kind {
        case .counter: .counter(CounterSeries())
        case .gauge: .gauge(GaugeSeries())
        case .histogram: .histogram(HistogramSeries(bounds: description.buckets))
        }
    }
}

extension MetricFamily.Series {
    /// The object that swift-metrics holds.
    var handler: AnyObject {
        switch self {
        case .counter(let series): series
        case .gauge(let series): series
        case .histogram(let series): series
        }
    }
}
