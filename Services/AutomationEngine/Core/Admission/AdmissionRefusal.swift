import Contracts
import Domain
import FoundationEssentials

/// A signal that starts no run of an automation which it matches.
struct AdmissionRefusal: Sendable {
    /// Why not.
    enum Reason: String, CaseIterable, Sendable {
        /// A run has the same dedupe key.
        case deduplicated
        /// As many runs as may be are under way.
        case concurrency
        /// As many runs as may be have begun within the time.
        case rateLimit = "rate_limit"
    }

    var signalID: UUID
    var tenant: String
    var automationKey: String
    var reason: Reason
    /// The key of the limit, as JSON; empty where it has none.
    var key: String
    /// The run that stood in the way.
    var run: UUID?

    /// A sentence for people.
    var detail: String { reason.detail(key: key) }

    /// What a person gets who has asked for the run.
    var problem: Problem {
        let detailES =
            switch reason {
            case .deduplicated: "Ya hay una ejecución con la misma clave."
            case .concurrency: "La automatización tiene en curso todas las ejecuciones que su límite permite."
            case .rateLimit: "La automatización ya inició todas las ejecuciones que su límite permite en ese tiempo."
            }
        let standing = run.map { " Run \($0.lowercased) stands in the way." } ?? ""
        return Problem(.limitReached, detail + "." + standing, detailES: detailES)
    }
}

extension AdmissionRefusal.Reason {
    /// As metrics name it.
    var outcome: String { self == .deduplicated ? "deduplicated" : "skipped_\(rawValue)" }

    /// A sentence for people, without its full stop.
    func detail(key: String) -> String {
        let key = key.isEmpty ? "" : " of the key \(key)"
        return switch self {
        case .deduplicated: "a run\(key) was there already"
        case .concurrency: "as many runs\(key) were under way as \"concurrency\" allows"
        case .rateLimit: "as many runs\(key) had begun as \"rate_limit\" allows"
        }
    }
}
