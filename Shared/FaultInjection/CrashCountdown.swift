import Synchronization

/// Counts the arrivals at the armed crash point and tells which one is the last.
///
/// Arrivals come from any thread. The armed word is read with one relaxed load and is all that an arrival costs
/// while nothing is armed.
final class CrashCountdown: Sendable {
    private let armedNumber = Atomic<UInt8>(0)
    private let arrivalsLeft = Atomic<Int>(0)

    /// Arms the countdown; a later call replaces an earlier order.
    func arm(_ order: CrashOrder) {
        arrivalsLeft.store(order.arrival, ordering: .releasing)
        armedNumber.store(order.point.number, ordering: .releasing)
    }

    /// Notes one arrival.
    ///
    /// - Parameter point: Where the caller is.
    /// - Returns: `true` for exactly one arrival: the one at which the process is to die.
    @inline(__always)
    func arrive(at point: CrashPoint) -> Bool {
        guard armedNumber.load(ordering: .relaxed) == point.number else { return false }
        return countDown()
    }

    @inline(never)
    private func countDown() -> Bool {
        arrivalsLeft.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0
    }
}
