package import Messaging
import Persistence

/// The dead letters of a service, put together: where its consumers bury, what counts them, and who answers for them.
package struct DeadLetters: Sendable {
    package let repository: DeadLetterRepository
    package let gauge: DeadLetterGauge

    /// A consumer's way to bury, after which the letters are counted again.
    package func counting(_ bury: @escaping BatchConsumer.Bury) -> BatchConsumer.Bury {
        { [gauge] delivery, reason in
            try await bury(delivery, reason)
            gauge.changed()
        }
    }
}

extension ServiceBase {
    /// The service's dead letters, to be made once.
    package func deadLetters() -> DeadLetters {
        let repository = DeadLetterRepository(schema: schema.name, database: database)
        return DeadLetters(
            repository: repository,
            gauge: DeadLetterGauge(repository: repository, logger: logger)
        )
    }

    /// Who answers the requests about the service's dead letters.
    ///
    /// - Parameters:
    ///   - letters: The service's dead letters.
    ///   - process: Commits the work of deliveries of any of the service's queues.
    ///   - classify: Tells failures apart.
    /// - Returns: The desk, to be registered in the service's routes.
    package func desk(
        of letters: DeadLetters,
        process: @escaping BatchConsumer.Process,
        classify: @escaping BatchConsumer.Classify
    ) -> DeadLetterDesk {
        DeadLetterDesk(
            service: name,
            repository: letters.repository,
            lanes: lanes,
            process: process,
            classify: classify,
            changed: letters.gauge.changed,
            logger: logger
        )
    }
}
