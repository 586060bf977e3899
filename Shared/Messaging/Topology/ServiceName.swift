/// A service as the broker and the database call it.
package enum ServiceName: String, CaseIterable, Sendable {
    case gateway
    case engine
    case scheduler
    case jobs
    case audit

    /// The broker user, which every message of the service names.
    package var brokerUser: String { Topology.brokerUser(of: rawValue) }
}
