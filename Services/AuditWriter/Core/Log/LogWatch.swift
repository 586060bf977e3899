import ServiceRuntime
import Synchronization

/// What a replica knows of the log just now, for whoever scrapes its metrics.
///
/// It is read at the scrape, so that what stands still is seen to stand still, also where the loop that signs does.
package final class LogWatch: Sendable {
    static let heldName = "batuta_audit_held_entries"
    static let unsignedName = "batuta_audit_unsigned_entries"
    static let unsignedSecondsName = "batuta_audit_unsigned_seconds"

    private let state = Mutex((unsigned: UnsignedEntries(), held: Int64(0)))

    package init() {}

    /// The log was seen with so many entries, so many of them signed.
    func looked(size: Int64, signedSize: Int64, at now: ContinuousClock.Instant = .now) {
        state.withLock { $0.unsigned.looked(size: size, signedSize: signedSize, at: now) }
    }

    /// So many entries are held before their turn; 0 where this replica does not have the head.
    func holds(_ count: Int64) {
        state.withLock { $0.held = count }
    }

    /// How many entries are held, as the replica that has the head knows it.
    var held: Int64 { state.withLock { $0.held } }

    /// How many entries are not signed, and for how long one of them has not been, in seconds.
    func unsigned(at now: ContinuousClock.Instant = .now) -> (entries: Int64, seconds: Double) {
        state.withLock { ($0.unsigned.count, $0.unsigned.age(at: now) / .seconds(1)) }
    }

    /// Declares the gauges.
    func observe(in registry: PrometheusRegistry) {
        registry.observe(
            Self.heldName,
            help: "Audit entries that the active writer holds until the gap before them is filled."
        ) { Double(self.held) }
        registry.observe(
            Self.unsignedName,
            help: "Entries of the log that no checkpoint covers, as this replica sees it."
        ) {
            Double(self.unsigned().entries)
        }
        registry.observe(Self.unsignedSecondsName, help: "For how long the log has had an entry that is not signed.") {
            self.unsigned().seconds
        }
    }
}

/// How much of the log is not signed, and since when, as far as somebody has looked.
struct UnsignedEntries: Sendable {
    private(set) var count: Int64 = 0
    /// When entries beyond `signedSize` were seen first.
    private var since: (signedSize: Int64, time: ContinuousClock.Instant)?

    /// The log was seen with so many entries, so many of them signed.
    ///
    /// Each checkpoint covers every entry of its time, so that what is not signed after it is younger.
    mutating func looked(size: Int64, signedSize: Int64, at now: ContinuousClock.Instant) {
        count = max(0, size - signedSize)
        guard count > 0 else {
            since = nil
            return
        }
        if since?.signedSize != signedSize {
            since = (signedSize, now)
        }
    }

    /// For how long there have been entries that are not signed.
    func age(at now: ContinuousClock.Instant) -> Duration {
        since.map { max(.zero, now - $0.time) } ?? .zero
    }
}
