import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// Serves `/livez`, `/readyz` and `/metrics` over HTTP/1.1, for probes and scrapers; there is no access log.
package final class HealthServer: Service {
    private let address: ListenAddress
    private let health: HealthRegistry
    private let metrics: PrometheusRegistry
    private let logger: Logger
    private let boundPort = Mutex<Int?>(nil)

    /// Makes a server; it listens once it is run.
    package init(address: ListenAddress, health: HealthRegistry, metrics: PrometheusRegistry) {
        self.address = address
        self.health = health
        self.metrics = metrics
        var logger = Logger(label: "health-server")
        // Hummingbird logs the connections that a cancelled drain cuts as errors; they say nothing to an operator.
        logger.logLevel = .critical
        self.logger = logger
    }

    /// The port that it listens on, `nil` before that; it differs from the address's where that is 0.
    package var port: Int? { boundPort.withLock { $0 } }

    /// Serves until a graceful shutdown.
    ///
    /// - Throws: ``ServiceRuntimeError`` where the address cannot be listened on.
    package func run() async throws {
        let application = Application(
            responder: HealthResponder(health: health, metrics: metrics),
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port),
                serverName: nil
            ),
            onServerRunning: { channel in
                let port = channel.localAddress?.port
                self.boundPort.withLock { $0 = port }
                AcceptPauseHandler.install(on: channel, logger: self.logger)
            },
            logger: logger
        )
        do {
            try await application.run()
        } catch  where port == nil && !(error is CancellationError) {
            throw ServiceRuntimeError(
                code: .addressUnavailable,
                message: "Health and metrics cannot be served on \(address); free the address "
                    + "or set BATUTA_METRICS_ADDRESS to another one.",
                cause: "\(error)"
            )
        }
    }
}
