import Logging
import Persistence
import ServiceBase
import ServiceLifecycle

/// Lets held runs go: when a place is free, when the rate allows it, when a pause has ended.
///
/// Whoever frees something notes it in its own transaction, so that a replica that dies forgets nothing: any other finds the
/// note.
final class HeldRuns: Service {
    /// How often somebody looks, at least: what other replicas note is found then.
    static let interval = Duration.seconds(1)
    /// How often what is left over is put right.
    static let repairInterval = Duration.seconds(60)

    private let repository: HeldRunRepository
    private let driver: RunDriver
    /// Rung when this replica has freed something.
    private let alarm: Alarm
    private let logger: Logger

    init(database: PostgresClient, driver: RunDriver, alarm: Alarm, logger: Logger) {
        repository = HeldRunRepository(database: database)
        self.driver = driver
        self.alarm = alarm
        self.logger = logger
    }

    /// Lets runs go until the process drains.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            var repaired = ContinuousClock.now
            while !Task.isCancelled {
                await self.alarm.sleep(for: await self.pass(&repaired))
            }
        }
    }

    /// Looks until there is nothing more to do; answers how long that will be so.
    private func pass(_ repaired: inout ContinuousClock.Instant) async -> Duration {
        do {
            if ContinuousClock.now - repaired > Self.repairInterval {
                try await repository.repair(deadline: .now + .seconds(30))
                repaired = .now
            }
            while !Task.isCancelled {
                guard let left = try await repository.nextLook(deadline: .now + .seconds(5)), left <= Self.interval
                else {
                    return Self.interval
                }
                guard left <= .zero else {
                    return left
                }
                let round = try await repository.look(deadline: .now + .seconds(10))
                if round.released > 0 { driver.wake() }
                // What is left is in the hands of others.
                if round.looked == 0 { return .milliseconds(20) }
            }
            return .zero
        } catch  where !Task.isCancelled {
            logger.warning("held runs cannot be looked at", metadata: ["error": "\(error)"])
            return Self.interval
        } catch {
            return .zero
        }
    }
}
