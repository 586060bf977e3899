import Logging
import ServiceLifecycle

/// Builds the service's parts and runs them as a group of their own, so that liveness is served meanwhile.
struct BuiltParts: Service {
    let context: ServiceContext
    let record: StopRecord
    let drainTimeout: Duration
    let drainBegan: @Sendable () -> Void
    let build: @Sendable (ServiceContext) async throws -> [ServicePart]

    func run() async throws {
        let parts: [ServicePart]
        do {
            parts = try await cancelWhenGracefulShutdown { try await build(context) }
        } catch  where Task.isShuttingDownGracefully || Task.isCancelled {
            // The stop came before the start was complete; nothing was taken on that would have to be finished.
            context.health.drainingBegan()
            return
        } catch {
            record.failed("start", error)
            throw error
        }
        let gate = ReadinessGate(health: context.health, logger: context.logger, drainBegan: drainBegan)
        let supervised: [any Service] = parts.map {
            SupervisedPart(part: $0, health: context.health, record: record)
        }
        let services = zip(supervised + [gate], parts.map(\.name) + ["readiness"]).map { service, name in
            ServiceGroupConfiguration.ServiceConfiguration(
                service: service,
                successTerminationBehavior: .ignore,
                failureTerminationBehavior: .gracefullyShutdownGroup,
                serviceName: name
            )
        }
        var group = ServiceGroupConfiguration(services: services, logger: context.logger)
        group.maximumGracefulShutdownDuration = drainTimeout
        try await ServiceGroup(configuration: group).run()
    }
}
