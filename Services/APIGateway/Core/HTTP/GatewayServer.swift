import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle
package import ServiceRuntime
import Synchronization

/// The HTTP server of the gateway.
///
/// It stands last in the order of services, so it stops first: connections finish the requests that they have begun.
package final class GatewayServer: Service {
    /// Limits on connections and headers.
    package struct Limits: Sendable {
        /// How long a body may take to arrive.
        package var bodyPatience: Duration = .seconds(10)
        /// How long a connection may be idle, or a head take to arrive.
        package var idleTimeout: Duration = .seconds(60)
        /// How long clients may take to end their connections when the server stops; those that send nothing are closed
        /// on then.
        package var closingPatience: Duration = .seconds(3)
        /// All header fields together, in bytes.
        package var headerBytes = 16 * 1_024
        package var headerFields = 100

        package init() {}
    }

    private let address: ListenAddress
    private let responder: GatewayResponder
    private let limits: Limits
    private let tls: GatewayTLS?
    private let drain: ConnectionDrain
    private let logger: Logger
    private let bound = Mutex<Int?>(nil)

    package init(
        address: ListenAddress,
        responder: GatewayResponder,
        limits: Limits,
        tls: GatewayTLS? = nil,
        drain: ConnectionDrain,
        logger: Logger
    ) {
        self.address = address
        self.responder = responder
        self.limits = limits
        self.tls = tls
        self.drain = drain
        self.logger = logger
    }

    /// The port that it listens on, once it does.
    package var port: Int? { bound.withLock { $0 } }

    /// How many connections are open.
    package var openConnections: Int { drain.openConnections }

    package func run() async throws {
        let patience = TimeAmount(limits.bodyPatience)
        let drain = drain
        let closingPatience = TimeAmount(limits.closingPatience)
        let http1 = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                RequestTimeHandler(patience: patience),
                OpenConnectionHandler(drain: drain, patience: closingPatience),
            ],
            idleTimeout: TimeAmount(limits.idleTimeout),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.headerBytes,
                maxHeaderListSize: limits.headerBytes,
                maxHeaderFieldCount: limits.headerFields
            )
        )
        let application = Application(
            responder: responder,
            server: HTTPServerBuilder { [tls] in
                EventLoopHTTP1Channel(responder: $0, configuration: http1, tls: tls?.context)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port),
                backlog: 1_024
            ),
            onServerRunning: { channel in
                let port = channel.localAddress?.port
                self.bound.withLock { $0 = port }
                AcceptPauseHandler.install(on: channel, logger: self.logger)
                self.logger.info(
                    "listening",
                    metadata: [
                        "address": "\(self.address.host):\(port ?? 0)",
                        "scheme": self.tls == nil ? "http" : "https",
                    ]
                )
            },
            logger: logger
        )
        try await application.run()
    }
}
