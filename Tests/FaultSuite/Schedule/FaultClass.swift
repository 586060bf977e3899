/// A family of faults; a round draws its faults from one family, or from all.
package enum FaultClass: String, CaseIterable, Sendable {
    /// Processes of services die, at any moment and at named points of their code.
    case processes
    /// Processes sleep for longer than their leases, and wake up as if nothing had happened.
    case pauses
    /// The broker's nodes restart, die and lose each other; connections, queues and alarms.
    case broker
    /// The database restarts, dies and fails over; sessions, locks and limits.
    case database
    /// What is between services and servers is slow, or breaks, or loses answers.
    case network
    /// Messages come twice and out of order.
    case deliveries
    /// The clock of one process jumps.
    case clocks
    /// All processes of services are replaced one after another, as an upgrade does.
    case rolling
    /// Faults of all families.
    case all
}
