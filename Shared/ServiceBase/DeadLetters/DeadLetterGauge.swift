package import CoreMetrics
package import Logging
package import Messaging
import ServiceLifecycle
package import ServiceRuntime

/// Says in a metric how many dead letters of a service wait for somebody.
///
/// They are counted at the start, when this process knows of a change, and now and then for the changes of other replicas.
package struct DeadLetterGauge: Service {
    /// The gauge's name.
    package static let label = "batuta_dead_letters_waiting"

    /// The gauge, with its help.
    package static let description = MetricDescription.gauge(
        label,
        help: "Messages that the service could not process, and that nobody has redriven or discarded."
    )

    private let repository: DeadLetterRepository
    private let interval: Duration
    private let logger: Logger
    private let gauge: Gauge
    private let changes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - repository: The service's dead letters.
    ///   - interval: How often they are counted without a change.
    ///   - logger: Told when they cannot be counted.
    ///   - metrics: Where the gauge goes.
    package init(
        repository: DeadLetterRepository,
        interval: Duration = .seconds(300),
        logger: Logger,
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        self.repository = repository
        self.interval = interval
        self.logger = logger
        gauge = Gauge(label: Self.label, factory: metrics)
        (changes, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// A letter has come, or waits no longer.
    package func changed() {
        continuation.yield()
    }

    /// Counts until the service drains.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    while !Task.isCancelled {
                        changed()
                        try? await Task.sleep(for: interval)
                    }
                }
                for await _ in changes {
                    await count()
                }
                group.cancelAll()
            }
        }
    }

    private func count() async {
        do {
            gauge.record(try await repository.waitingCount(deadline: .now + .seconds(10)))
        } catch {
            logger.notice("dead letters cannot be counted now", metadata: ["error": "\(error)"])
        }
    }
}
