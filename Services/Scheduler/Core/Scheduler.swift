import Persistence
import ServiceBase
package import ServiceRuntime

/// The scheduler: it has its schema checked and keeps its partitions ahead of the time.
package enum Scheduler {
    /// What the service declares about itself; it has no use for the broker.
    package static let definition = ServiceDefinition(
        .scheduler,
        needs: [.database],
        metrics: ServiceBase.metrics
    )

    /// The parts of the service.
    ///
    /// - Throws: What stops the start, with a sentence that says what to do.
    package static func parts(_ context: ServiceContext) async throws -> [ServicePart] {
        try await ServiceBase.database(context, schema: .scheduler).parts
    }
}
