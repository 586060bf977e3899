/// How long to wait between attempts to connect.
///
/// The first round over all hosts is immediate; each later round doubles the delay up to the maximum. Jitter takes
/// away up to half of it, so that clients that lost one broker together do not come back together.
package struct ReconnectBackoff: Sendable, Equatable {
    package var initial = Duration.milliseconds(100)
    package var maximum = Duration.seconds(5)

    package init(initial: Duration = .milliseconds(100), maximum: Duration = .seconds(5)) {
        self.initial = initial
        self.maximum = maximum
    }

    /// The delay before an attempt.
    ///
    /// - Parameters:
    ///   - attempt: How many attempts have failed since a connection last lasted.
    ///   - endpoints: How many hosts are tried in turn.
    ///   - jitter: A random number between 0 and 1.
    /// - Returns: The time to wait first.
    package func delay(attempt: Int, endpoints: Int, jitter: Double) -> Duration {
        let round = attempt / max(endpoints, 1)
        guard round > 0 else { return .zero }
        let full = min(maximum, initial * (1 << min(round - 1, 20)))
        return full * (0.5 + 0.5 * min(max(jitter, 0), 1))
    }
}
