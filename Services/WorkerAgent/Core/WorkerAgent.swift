import Logging
package import ServiceRuntime

/// The worker-agent: a process that is ready and drains.
package enum WorkerAgent {
    /// What the service declares about itself; it has neither a schema nor a broker user.
    package static let definition = ServiceDefinition(.workerAgent, needs: [])

    /// The parts of the service: none, so it is ready as soon as it serves its health.
    package static func parts(_ context: ServiceContext) async throws -> [ServicePart] {
        context.logger.info("there is nothing for a worker to do in this release")
        return []
    }
}
