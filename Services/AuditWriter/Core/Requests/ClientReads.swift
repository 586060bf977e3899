import Contracts
package import Messaging
import Synchronization

/// Lets in so many reads of clients at once, so that they leave room for the requests of other services.
///
/// They have connections of their own to the database; those that find none free wait, and those that find too many waiting
/// are refused. No tenant takes all places, so that the others find one.
package final class ClientReads: Sendable {
    private let limit: Int
    private let tenantLimit: Int
    private let admitted = Mutex(Admitted())

    private struct Admitted {
        var count = 0
        /// The tenants of which some are let in.
        var tenants: [String: Int] = [:]
    }

    private enum Verdict {
        case admitted
        case full
        case fullOfTenant
    }

    /// - Parameters:
    ///   - limit: How many are let in at once.
    ///   - tenantLimit: How many of these may be of one tenant; half of them unless it is said.
    package init(limit: Int, perTenant tenantLimit: Int? = nil) {
        self.limit = limit
        self.tenantLimit = tenantLimit ?? max(1, limit / 2)
    }

    /// A handler that refuses what it is asked while too much of that is under way.
    ///
    /// - Parameter handler: Answers what is let in.
    /// - Returns: The handler; it throws a `Problem` with code `unavailable`.
    package func admitting(_ handler: @escaping RequestRoutes.Handler) -> RequestRoutes.Handler {
        { [self] context, body in
            switch enter(context.tenant) {
            case .admitted:
                break
            case .full:
                throw Problem(
                    .unavailable,
                    "The audit log is being read by too many at once.",
                    detailES: "Demasiados leen el registro de auditoría a la vez."
                )
            case .fullOfTenant:
                throw Problem(
                    .unavailable,
                    "Your tenant is reading the audit log \(tenantLimit) times at once already.",
                    detailES: "Su inquilino ya lee el registro de auditoría \(tenantLimit) veces a la vez."
                )
            }
            defer { leave(context.tenant) }
            return try await handler(context, body)
        }
    }

    private func enter(_ tenant: String) -> Verdict {
        admitted.withLock { admitted in
            let ofTenant = admitted.tenants[tenant, default: 0]
            guard ofTenant < tenantLimit else { return .fullOfTenant }
            guard admitted.count < limit else { return .full }
            admitted.count += 1
            admitted.tenants[tenant] = ofTenant + 1
            return .admitted
        }
    }

    private func leave(_ tenant: String) {
        admitted.withLock { admitted in
            admitted.count -= 1
            let rest = admitted.tenants[tenant, default: 1] - 1
            admitted.tenants[tenant] = rest > 0 ? rest : nil
        }
    }
}
