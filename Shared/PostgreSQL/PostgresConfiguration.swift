/// Where the database is, how to log in, and what bounds everything has.
package struct PostgresConfiguration: Sendable {
    /// One server.
    package struct Host: Sendable, Hashable {
        package var name: String
        package var port: Int

        package init(_ name: String, port: Int = 5432) {
            self.name = name
            self.port = port
        }
    }

    /// How the connection is protected.
    package enum TLS: Sendable, Hashable {
        /// Plain text: for a loopback or a socket.
        case disable
        /// The server's certificate must come from this authority and bear the name that was asked for.
        case verifyFull(caFile: String)
    }

    /// Which of several servers will do.
    package enum TargetSessionAttributes: String, Sendable, Hashable {
        case any
        /// Only one that takes writes: the primary.
        case readWrite = "read-write"
    }

    /// The bounds of the pool.
    package struct Pool: Sendable, Hashable {
        /// Connections that are kept open.
        package var minimum = 1
        /// Connections that may be open at once.
        package var maximum = 8
        /// How long a caller waits for a connection.
        package var waitLimit = Duration.seconds(5)
        /// How many callers may wait at once.
        package var maximumWaiters = 10_000
        /// How long a connection above the minimum stays open unused.
        package var idleTimeout = Duration.seconds(60)

        package init() {}
    }

    /// Servers, tried in this order.
    package var hosts: [Host]
    package var database: String
    package var user: String
    package var password: String?
    package var tls: TLS
    /// Shown in `pg_stat_activity`.
    package var applicationName = "batuta"
    package var targetSessionAttributes = TargetSessionAttributes.any
    /// Whether SCRAM must be bound to the TLS channel.
    package var requiresChannelBinding = false
    /// For each host; whole seconds, at least 2.
    package var connectTimeout = Duration.seconds(5)
    /// The server's own limit for a statement; zero for none.
    package var statementTimeout = Duration.seconds(30)
    package var lockTimeout = Duration.seconds(10)
    package var idleInTransactionTimeout = Duration.seconds(30)
    /// Idle time before the first probe, and between probes; three unanswered ones end the connection.
    package var keepaliveIdle = Duration.seconds(15)
    package var keepaliveInterval = Duration.seconds(5)
    /// How long sent bytes may stay unacknowledged.
    package var tcpUserTimeout = Duration.seconds(15)
    /// Further settings of the session, such as `search_path`.
    package var sessionSettings: [String: String] = [:]
    package var pool = Pool()
    /// How long the server gets to stop a cancelled statement before the connection is dropped.
    package var cancellationGrace = Duration.seconds(3)
    /// How long a shutdown waits for connections that are held.
    package var shutdownLimit = Duration.seconds(20)
    /// The bytes that one operation may receive; more ends the connection.
    package var maximumResultBytes = 256 << 20
    /// The first pause after a failed attempt to connect; doubled each time, with jitter.
    package var backoffBase = Duration.milliseconds(100)
    package var backoffMaximum = Duration.seconds(5)

    package init(
        hosts: [Host] = [Host("127.0.0.1")],
        database: String = "postgres",
        user: String = "postgres",
        password: String? = nil,
        tls: TLS = .disable
    ) {
        self.hosts = hosts
        self.database = database
        self.user = user
        self.password = password
        self.tls = tls
    }
}
