/// How long things took, in whole microseconds.
struct Latencies: Sendable {
    private var microseconds: [UInt32] = []

    init(capacity: Int = 0) {
        microseconds.reserveCapacity(max(0, capacity))
    }

    var count: Int { microseconds.count }

    mutating func record(_ duration: Duration) {
        let value = duration / .microseconds(1)
        microseconds.append(value < 0 ? 0 : UInt32(exactly: value.rounded()) ?? .max)
    }

    /// The nearest-rank percentile in milliseconds; nil where nothing was recorded.
    ///
    /// - Parameter share: From 0 to 1.
    /// - Returns: The least value that this share of all does not exceed.
    func percentile(_ share: Double) -> Double? {
        let sorted = microseconds.sorted()
        guard let last = sorted.indices.last else { return nil }
        // The nearest rank: no value is invented between two that were measured.
        let rank = (share * Double(sorted.count)).rounded(.up)
        return Double(sorted[min(last, max(0, Int(rank) - 1))]) / 1_000
    }
}
