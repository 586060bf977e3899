import Domain
import FoundationEssentials
import Logging
import Messaging
import Persistence

extension LaneGroup {
    /// One lane of a service, for a command's own entry: it is never relayed from here, and the service's next replica
    /// closes it and sends what is in it.
    static func unrelayed(
        schema: ServiceSchema,
        service: String,
        replica: String,
        database: PostgresClient
    ) -> LaneGroup {
        let logger = Logger(label: "batuta") { _ in SwiftLogNoOpLogHandler() }
        let instance = UUIDv7.make()
        let configuration = RabbitMQConfiguration(endpoints: [], user: "", password: "")
        let publisher = RabbitMQPublisher(configuration: configuration, logger: logger)
        let context = LaneContext(
            schema: schema.name,
            service: service,
            replica: replica,
            instance: instance,
            database: database,
            publisher: publisher,
            requests: RequestClient(
                service: schema == .audit ? .audit : .gateway,
                appID: service,
                instance: instance,
                configuration: configuration,
                publisher: publisher,
                logger: logger
            ),
            logger: logger
        )
        return LaneGroup(context: context, count: 1)
    }
}
