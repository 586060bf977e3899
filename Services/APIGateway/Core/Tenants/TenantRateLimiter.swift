import Domain
import Synchronization

/// Holds every tenant to so many of something a second; each replica counts for itself.
final class TenantRateLimiter: Sendable {
    /// How much a tenant that was quiet may do at once, in seconds' worth.
    static let burst = 2

    private struct State {
        var buckets: [Tenant: TokenBucket] = [:]
        /// With so many buckets, those that are full are dropped: a full one says nothing.
        var sweepAt = 1_024
    }

    private let size: TokenBucket.Size?
    private let state = Mutex(State())

    /// - Parameter perSecond: How many of it a second; 0 for no limit.
    init(perSecond: Int) {
        size = perSecond > 0 ? TokenBucket.Size(perSecond: perSecond, seconds: Self.burst) : nil
    }

    /// How many a second; nil where there is no limit.
    var perSecond: Int? { size?.perSecond }

    /// How many tenants are remembered.
    var bucketCount: Int { state.withLock { $0.buckets.count } }

    /// Counts what a tenant is about to do, unless it is over its limit.
    ///
    /// - Parameters:
    ///   - tokens: How much of it.
    ///   - tenant: Whose.
    ///   - now: The instant.
    /// - Returns: Nil where the tenant may; else how long it has to wait.
    func take(_ tokens: Int, of tenant: Tenant, at now: ContinuousClock.Instant) -> Duration? {
        guard let size else {
            return nil
        }
        return state.withLock { state in
            if state.buckets.count >= state.sweepAt {
                state.buckets = state.buckets.filter { !$0.value.isFull(at: now) }
                state.sweepAt = max(1_024, state.buckets.count * 2)
            }
            return state.buckets[tenant, default: TokenBucket(at: now)].take(tokens, of: size, at: now)
        }
    }
}
