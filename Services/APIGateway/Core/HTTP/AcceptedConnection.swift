import HummingbirdCore
import NIOCore
import Synchronization

/// A connection between the listener that has accepted it and the task that serves it.
///
/// A listener that closes drops what nobody has taken from it yet. Such a connection is closed then; NIO itself takes it
/// for an error of the program, and ends the process.
final class AcceptedConnection: ServerChildChannelValue {
    private let connection: HTTP1Channel.Value
    private let isServed = Atomic(false)

    init(_ connection: HTTP1Channel.Value) {
        self.connection = connection
    }

    deinit {
        guard !isServed.load(ordering: .relaxed) else {
            return
        }
        // It has to outlive its channel.
        connection.channel.closeFuture.whenComplete { [connection] _ in withExtendedLifetime(connection) {} }
        connection.channel.close(promise: nil)
    }

    var channel: any Channel { connection.channel }

    /// The connection, for the one who serves it and closes it in the end.
    func served() -> HTTP1Channel.Value {
        isServed.store(true, ordering: .relaxed)
        return connection
    }
}
