import Metrics
import Synchronization

/// Counts requests by route and status, and measures how long they took.
package final class RequestMetrics: Sendable {
    private struct Key: Hashable {
        let route: Route?
        let status: Int
    }

    private let counters = Mutex<[Key: Counter]>([:])
    private let timers: [Route: Timer]
    private let otherTimer: Timer
    private let unknownTokens = Counter(label: "batuta_http_unknown_tokens_total")

    package init() {
        timers = Dictionary(
            uniqueKeysWithValues: Route.allCases.map { ($0, Self.timer($0.pattern, $0.method.rawValue)) }
        )
        otherTimer = Self.timer("unmatched", "other")
    }

    /// A request was answered.
    func answered(_ route: Route?, status: Int, after duration: Duration) {
        let key = Key(route: route, status: status)
        let counter = counters.withLock { counters in
            if let counter = counters[key] {
                return counter
            }
            let counter = Counter(
                label: "batuta_http_requests_total",
                dimensions: [
                    ("route", route?.pattern ?? "unmatched"), ("method", route?.method.rawValue ?? "other"),
                    ("status", String(status)),
                ]
            )
            counters[key] = counter
            return counter
        }
        counter.increment()
        let (seconds, attoseconds) = duration.components
        (route.flatMap { timers[$0] } ?? otherTimer).recordNanoseconds(
            seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
        )
    }

    /// A request came with a token that nobody knows.
    func tokenWasUnknown() {
        unknownTokens.increment()
    }

    private static func timer(_ route: String, _ method: String) -> Timer {
        Timer(
            label: "batuta_http_request_duration_seconds",
            dimensions: [("route", route), ("method", method)]
        )
    }
}
