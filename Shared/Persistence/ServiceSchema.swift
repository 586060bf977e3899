/// The schema that one service owns, and the role that may touch nothing else.
package enum ServiceSchema: String, CaseIterable, Hashable, Sendable {
    case gateway
    case engine
    case scheduler
    case jobs
    case audit

    /// The schema's name in the database.
    package var name: String { rawValue }

    /// The role that the service logs in as.
    package var role: String { "batuta_\(rawValue)" }

    /// The version of the schema that this release needs.
    ///
    /// It moves on with every migration that the code relies on. The release before runs on it too, unless the
    /// migration says otherwise.
    package var requiredVersion: Int {
        switch self {
        case .gateway: 9
        case .engine: 18
        case .scheduler: 6
        case .jobs: 6
        case .audit: 10
        }
    }
}
