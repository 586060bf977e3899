import Domain
import FoundationEssentials
package import Logging
import Messaging
package import Persistence
package import ServiceRuntime

/// The one-off process that makes the first tenant: it needs the database and nothing else.
///
/// What it leaves in its lane for the audit log is sent by the next gateway that runs, as that of any process that ended.
package enum BootstrapProcess {
    /// Makes tenant and token.
    ///
    /// - Parameters:
    ///   - order: What is to be made.
    ///   - configuration: The process's settings, of which the database's address and the replica's name count.
    ///   - logger: Where the clients log.
    /// - Returns: The token's text, or nil where a tenant is there already.
    /// - Throws: What the schema check or the database refused with.
    package static func run(
        _ order: Bootstrap.Order,
        configuration: ServiceConfiguration,
        logger: Logger
    ) async throws -> String? {
        var settings = try PostgresConfiguration(url: configuration[CommonKeys.databaseURL].reveal())
        settings.applicationName = "api-gateway bootstrap"
        return try await run(order, database: settings, replica: configuration[CommonKeys.replica], logger: logger)
    }

    /// Makes tenant and token in a database.
    package static func run(
        _ order: Bootstrap.Order,
        database settings: PostgresConfiguration,
        replica: String,
        logger: Logger
    ) async throws -> String? {
        let database = PostgresClient(configuration: settings, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await database.run() }
            defer { group.cancelAll() }
            try await SchemaGate.check(client: database, schema: .gateway)
            let lanes = lanes(database, replica: replica, logger: logger)
            return try await Bootstrap(lanes: lanes).run(order, deadline: .now + .seconds(30))
        }
    }

    /// One lane that is never relayed from: its publisher and its requests are not run, so nothing connects to a broker.
    private static func lanes(_ database: PostgresClient, replica: String, logger: Logger) -> LaneGroup {
        let instance = UUIDv7.make()
        let broker = RabbitMQConfiguration(endpoints: [], user: "", password: "")
        let publisher = RabbitMQPublisher(configuration: broker, logger: logger)
        let requests = RequestClient(
            service: .gateway,
            appID: ServiceIdentity.apiGateway.name,
            instance: instance,
            configuration: broker,
            publisher: publisher,
            logger: logger
        )
        return LaneGroup(
            context: LaneContext(
                schema: ServiceSchema.gateway.name,
                service: ServiceIdentity.apiGateway.name,
                replica: replica,
                instance: instance,
                database: database,
                publisher: publisher,
                requests: requests,
                logger: logger
            ),
            count: 1
        )
    }
}
