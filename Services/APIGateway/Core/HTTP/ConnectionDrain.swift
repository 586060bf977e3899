import ServiceLifecycle
import Synchronization

/// Ends connections politely before the server stops.
///
/// A client that keeps a connection open may send a request at the very instant at which the server closes it, and would
/// see an error. So each answer first asks the client to close; then the server stops: it accepts no connection any more,
/// and those that are open have some time to end (``OpenConnectionHandler``). It stands after the server in a service
/// group, so that it is stopped before it.
package final class ConnectionDrain: Service {
    /// How long new connections are still taken: who looks for a service has seen by then that it is not ready.
    package static let moment = Duration.milliseconds(500)

    private let begun = Atomic<Bool>(false)
    private let open = Atomic<Int>(0)

    package init() {}

    /// Whether answers are to end their connections.
    package var isDraining: Bool {
        begun.load(ordering: .relaxed)
    }

    /// How many connections are open.
    var openConnections: Int {
        open.load(ordering: .relaxed)
    }

    func connectionOpened() {
        open.add(1, ordering: .relaxed)
    }

    func connectionClosed() {
        open.subtract(1, ordering: .relaxed)
    }

    package func run() async throws {
        try? await gracefulShutdown()
        begun.store(true, ordering: .relaxed)
        try? await Task.sleep(for: Self.moment)
    }
}
