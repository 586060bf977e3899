import Domain
import FoundationEssentials
import Messaging
import Persistence
import TestSupport

extension LaneContext {
    /// A lane of the audit-writer that is never relayed from.
    static func test(_ database: PostgresClient) -> LaneContext {
        let broker = RabbitMQConfiguration(endpoints: [], user: "", password: "")
        let publisher = RabbitMQPublisher(configuration: broker, logger: ServiceDatabase.logger)
        let instance = UUIDv7.make()
        return LaneContext(
            schema: "audit",
            service: "audit-writer",
            replica: "test",
            instance: instance,
            database: database,
            publisher: publisher,
            requests: RequestClient(
                service: .audit,
                appID: "audit-writer",
                instance: instance,
                configuration: broker,
                publisher: publisher,
                logger: ServiceDatabase.logger
            ),
            logger: ServiceDatabase.logger
        )
    }
}
