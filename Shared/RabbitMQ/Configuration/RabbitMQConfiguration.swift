/// How to reach a broker, and the limits of every wait on it.
package struct RabbitMQConfiguration: Sendable, Equatable {
    /// A broker node.
    package struct Endpoint: Sendable, Hashable, CustomStringConvertible {
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// A client certificate and its key, both PEM files.
    package struct ClientCertificate: Sendable, Equatable {
        package var certificateFile: String
        package var keyFile: String

        package init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    /// Whether and how the transport is encrypted; verification of peer and host name cannot be switched off.
    package enum TLS: Sendable, Equatable {
        case disabled
        /// TLS 1.2 or later, trusting exactly the authorities in a PEM file.
        case verify(caFile: String, clientCertificate: ClientCertificate? = nil)
    }

    /// Nodes of one cluster, tried in turn.
    package var endpoints: [Endpoint]
    package var virtualHost = "/"
    package var user: String
    package var password: String
    package var tls = TLS.disabled
    /// The interval of heartbeats, in whole seconds; a peer silent for two of them is given up.
    package var heartbeat = Duration.seconds(10)
    package var connectTimeout = Duration.seconds(5)
    /// The limit of each question put to the broker while a connection is set up.
    package var rpcTimeout = Duration.seconds(10)
    /// How long a published message may stay unconfirmed before its connection is given up.
    package var confirmTimeout = Duration.seconds(10)
    /// The deadline of a publish whose caller names none.
    package var publishTimeout = Duration.seconds(30)
    /// How long a consumer gets nothing before it asks whether its queue is still there and still serves it.
    package var queueCheckInterval = Duration.seconds(15)
    /// How long a graceful shutdown waits for confirms or for acknowledgements.
    package var drainTimeout = Duration.seconds(10)
    /// How the connection is called in the broker's lists.
    package var connectionName = "batuta"
    /// The confirm window: how many messages may be in flight on a connection.
    package var maximumOutstanding = 1000
    /// The largest message that is accepted from the broker, in bytes.
    package var maximumMessageSize = 64 << 20
    package var backoff = ReconnectBackoff()

    package init(endpoints: [Endpoint], user: String, password: String) {
        self.endpoints = endpoints
        self.user = user
        self.password = password
    }

    /// Checks what a URL or a caller may have got wrong.
    ///
    /// - Throws: `RabbitMQError` with code `configuration`, in a sentence that names the setting.
    package func validate() throws(RabbitMQError) {
        guard !endpoints.isEmpty else { throw RabbitMQError(.configuration, "no broker host is given") }
        for endpoint in endpoints {
            guard !endpoint.host.isEmpty, (1...65_535).contains(endpoint.port) else {
                throw RabbitMQError(.configuration, "broker address \(endpoint) needs a host and a port")
            }
        }
        let texts = [virtualHost, user, password, connectionName] + endpoints.map(\.host)
        guard texts.allSatisfy({ !$0.utf8.contains(0) }) else {
            throw RabbitMQError(.configuration, "a broker setting contains a NUL character")
        }
        guard (1...65_535).contains(maximumOutstanding) else {
            throw RabbitMQError(.configuration, "the confirm window must be between 1 and 65535")
        }
        guard (1...3600).contains(heartbeat.components.seconds) else {
            throw RabbitMQError(.configuration, "the heartbeat must be between 1 second and an hour")
        }
        let limits = [connectTimeout, rpcTimeout, confirmTimeout, publishTimeout, queueCheckInterval]
        for limit in limits where limit <= .zero {
            throw RabbitMQError(.configuration, "a broker time-out must be positive")
        }
    }
}
