/// How a client's connection is, for readiness and for people.
package enum ConnectionStatus: Sendable, Equatable {
    /// Not run yet, or trying to connect for the first time.
    case connecting
    /// Connected and set up; a blocked connection publishes nothing while the broker's alarm lasts.
    case connected(isBlocked: Bool)
    /// Not connected, and trying again.
    case disconnected(RabbitMQError)
    /// Ended, by request or by an error that no repetition mends.
    case stopped(RabbitMQError?)

    package var isConnected: Bool {
        guard case .connected = self else { return false }
        return true
    }
}
