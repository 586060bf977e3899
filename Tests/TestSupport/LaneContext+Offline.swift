import Domain
package import Messaging
package import Persistence
package import PostgreSQL
import RabbitMQ

extension LaneContext {
    /// What lanes of a service have in common where no broker is there: what they hold stays in the outbox.
    ///
    /// - Parameters:
    ///   - database: logged in as the service.
    ///   - schema: the service's own.
    /// - Returns: a context of a process of its own, whose requests nobody answers.
    package static func withoutBroker(_ database: PostgresClient, schema: ServiceSchema) -> LaneContext {
        guard
            let name = ServiceName(rawValue: schema.name),
            let service = SystemService.allCases.first(where: { $0.schema == schema })
        else { preconditionFailure("The schema \(schema.name) is no service's.") }
        let broker = RabbitMQConfiguration(endpoints: [], user: "", password: "")
        let publisher = RabbitMQPublisher(configuration: broker, logger: ServiceDatabase.logger)
        let instance = UUIDv7.make()
        return LaneContext(
            schema: schema.name,
            service: service.rawValue,
            replica: "test",
            instance: instance,
            database: database,
            publisher: publisher,
            requests: RequestClient(
                service: name,
                appID: service.rawValue,
                instance: instance,
                configuration: broker,
                publisher: publisher,
                logger: ServiceDatabase.logger
            ),
            logger: ServiceDatabase.logger
        )
    }
}
