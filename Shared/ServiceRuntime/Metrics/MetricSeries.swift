import CoreMetrics
import Synchronization

/// One count that only grows.
///
/// An increment by a whole number is one atomic addition.
final class CounterSeries: CounterHandler, FloatingPointCounterHandler {
    private let whole = Atomic<UInt64>(0)
    private let fraction = AtomicDouble()

    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        whole.wrappingAdd(UInt64(amount), ordering: .relaxed)
    }

    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        fraction.add(amount)
    }

    func reset() {
        whole.store(0, ordering: .relaxed)
        fraction.store(0)
    }

    var value: Double {
        Double(whole.load(ordering: .relaxed)) + fraction.value
    }
}

/// One value that goes up and down.
final class GaugeSeries: MeterHandler, RecorderHandler {
    private let current = AtomicDouble()

    func set(_ value: Int64) { current.store(Double(value)) }
    func set(_ value: Double) { current.store(value) }
    func increment(by amount: Double) { current.add(amount) }
    func decrement(by amount: Double) { current.add(-amount) }
    func record(_ value: Int64) { current.store(Double(value)) }
    func record(_ value: Double) { current.store(value) }

    var value: Double { current.value }
}

/// One distribution.
///
/// Its count is the sum of its buckets, so that a scrape in the midst of records is consistent.
final class HistogramSeries: RecorderHandler, TimerHandler {
    private let bounds: [Double]
    private let counts: [AtomicCount]
    private let sum = AtomicDouble()

    init(bounds: [Double]) {
        self.bounds = bounds
        self.counts = (0...bounds.count).map { _ in AtomicCount() }
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        counts[index].value.wrappingAdd(1, ordering: .relaxed)
        sum.add(value)
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    /// The upper bounds with the number of values up to each, infinity last, and the sum of all values.
    var snapshot: (buckets: [(bound: Double, count: UInt64)], sum: Double) {
        var total: UInt64 = 0
        let buckets = zip(bounds + [.infinity], counts).map { bound, count in
            total &+= count.value.load(ordering: .relaxed)
            return (bound: bound, count: total)
        }
        return (buckets, sum.value)
    }
}

/// A count of its own, so that counts can stand in an array.
private final class AtomicCount: Sendable {
    let value = Atomic<UInt64>(0)
}

/// A number that threads add to without a lock.
final class AtomicDouble: Sendable {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func store(_ value: Double) {
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }
}
