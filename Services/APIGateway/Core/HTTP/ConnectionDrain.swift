import ServiceLifecycle
import Synchronization

/// Ends connections politely before the server closes: for a moment each answer asks the client to close.
///
/// A client that keeps a connection open may send a request at the very instant at which the server closes it, and would
/// see an error. It stands after the server in a service group, so that it is stopped before it.
package final class ConnectionDrain: Service {
    /// How long answers ask for it; a client under load has seen one by then.
    package static let moment = Duration.milliseconds(700)

    private let begun = Atomic<Bool>(false)

    package init() {}

    /// Whether answers are to end their connections.
    package var isDraining: Bool {
        begun.load(ordering: .relaxed)
    }

    package func run() async throws {
        try? await gracefulShutdown()
        begun.store(true, ordering: .relaxed)
        try? await Task.sleep(for: Self.moment)
    }
}
