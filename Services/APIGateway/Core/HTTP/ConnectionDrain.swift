import NIOCore
import ServiceLifecycle
import Synchronization

/// Ends connections politely before the server closes.
///
/// A client that keeps a connection open may send a request at the very instant at which the server closes it, and would
/// see an error. So each answer first asks the client to close; then no connection is accepted any more, and those that
/// are open have some time to end. It stands after the server in a service group, so that it is stopped before it.
package final class ConnectionDrain: Service {
    /// How long new connections are still taken: who looks for a service has seen by then that it is not ready.
    package static let moment = Duration.milliseconds(500)
    /// How long open connections may take to end; a client that sends nothing is closed on then.
    package static let patience = Duration.seconds(3)

    private let begun = Atomic<Bool>(false)
    private let open = Atomic<Int>(0)
    private let listener = Mutex<(any Channel)?>(nil)

    package init() {}

    /// Whether answers are to end their connections.
    package var isDraining: Bool {
        begun.load(ordering: .relaxed)
    }

    /// The server accepts connections on this channel.
    func listening(on channel: any Channel) {
        listener.withLock { $0 = channel }
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
        // It may be closed already, where the server has failed.
        try? await listener.withLock { $0 }?.close()
        let end = ContinuousClock.now + Self.patience
        while open.load(ordering: .relaxed) > 0, ContinuousClock.now < end, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
}
