import Domain
import Logging
import Metrics
import Synchronization

/// Tells operators of tenants that are over a limit: a counter by limit, and a line of the log that names the tenant.
///
/// A tenant that floods must not flood the log as well, so each tenant and limit has one line a minute at most.
final class TenantRefusals: Sendable {
    /// What a tenant can have too much of.
    enum Limit: String, CaseIterable, Sendable {
        /// Signals a second.
        case signalRate = "signal_rate"
        /// Other requests a second.
        case requestRate = "request_rate"
        /// Signals that wait to be committed.
        case waitingShare = "waiting_share"
    }

    private struct Key: Hashable {
        let tenant: Tenant
        let limit: Limit
    }

    private struct Note {
        var writtenAt: ContinuousClock.Instant
        /// Refusals since the line.
        var count = 0
    }

    static let name = "batuta_tenant_refusals_total"
    /// How long a tenant and limit have no further line.
    static let pause = Duration.seconds(60)
    /// With so many notes, those of tenants that are quiet again are dropped.
    private static let capacity = 1_000

    private let counters: [Limit: Counter]
    private let notes = Mutex<[Key: Note]>([:])
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
        counters = Dictionary(
            uniqueKeysWithValues: Limit.allCases.map {
                ($0, Counter(label: Self.name, dimensions: [("limit", $0.rawValue)]))
            }
        )
    }

    /// A request of a tenant was refused.
    ///
    /// - Parameters:
    ///   - tenant: Whose.
    ///   - limit: What it had too much of.
    ///   - now: The instant.
    func note(_ tenant: Tenant, _ limit: Limit, at now: ContinuousClock.Instant = .now) {
        counters[limit]?.increment()
        let key = Key(tenant: tenant, limit: limit)
        let count: Int? = notes.withLock { notes in
            if let note = notes[key], now - note.writtenAt < Self.pause {
                notes[key]?.count += 1
                return nil
            }
            if notes.count >= Self.capacity {
                notes = notes.filter { now - $0.value.writtenAt < Self.pause }
            }
            let count = notes[key]?.count ?? 0
            notes[key] = Note(writtenAt: now)
            return count + 1
        }
        if let count {
            logger.warning(
                "a tenant is over its limit, and its requests are refused with 429",
                metadata: ["tenant": "\(tenant)", "limit": "\(limit.rawValue)", "refused": "\(count)"]
            )
        }
    }
}
