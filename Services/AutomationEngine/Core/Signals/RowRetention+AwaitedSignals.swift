import Persistence
import ServiceBase

extension RowRetention {
    /// Signals that no run may come to wait for any more.
    static let awaitedSignals = RowRetention(
        "awaited_signals",
        in: .engine,
        where: """
            received_at < now() - interval '1 hour' AND NOT EXISTS (
                SELECT FROM engine.step_waits w
                WHERE w.tenant = awaited_signals.tenant AND w.signal_type = awaited_signals.signal_type
                  AND w.paths = awaited_signals.paths AND w.kind = 'signal' AND w.correlation IS NULL
                  AND w.outcome IS NULL AND w.opened_at <= awaited_signals.received_at)
            """,
        orderedBy: "received_at"
    )
}
