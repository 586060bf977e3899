import Domain
import PostgreSQL
import RabbitMQ
import TestSupport

@testable import Messaging

extension LaneContext {
    /// What lanes of the gateway have in common where no broker is there: what they hold stays in the outbox.
    static func withoutBroker(_ database: PostgresClient) -> LaneContext {
        let broker = RabbitMQConfiguration(endpoints: [], user: "", password: "")
        let publisher = RabbitMQPublisher(configuration: broker, logger: ServiceDatabase.logger)
        let instance = UUIDv7.make()
        return LaneContext(
            schema: "gateway",
            service: "api-gateway",
            replica: "test",
            instance: instance,
            database: database,
            publisher: publisher,
            requests: RequestClient(
                service: .gateway,
                appID: "api-gateway",
                instance: instance,
                configuration: broker,
                publisher: publisher,
                logger: ServiceDatabase.logger
            ),
            logger: ServiceDatabase.logger
        )
    }
}
