import Logging
import ServiceLifecycle

/// The last part of every service, and so the first to be told of the stop: it makes the service not ready before
/// anything else stops.
struct ReadinessGate: Service {
    let health: HealthRegistry
    let logger: Logger
    let drainBegan: @Sendable () -> Void

    func run() async throws {
        health.started()
        logger.info("ready")
        // Cancellation ends the wait as well: then the whole group is going down.
        try? await gracefulShutdown()
        health.drainingBegan()
        logger.info("draining")
        drainBegan()
    }
}
