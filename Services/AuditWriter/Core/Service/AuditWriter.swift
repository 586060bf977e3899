import Logging
import Messaging
import Persistence
import ServiceBase
package import ServiceRuntime

/// Builds the audit-writer out of its parts, in the order in which they depend on each other.
package enum AuditWriter {
    /// How many messages one batch takes at most.
    private static let batch = 200
    /// How many requests are answered at once.
    private static let requestConcurrency = 8

    /// What the service declares about itself.
    package static let definition = ServiceDefinition(
        .auditWriter,
        metrics: ServiceBase.metrics + LogMetrics.descriptions
    )

    /// The parts of the service.
    ///
    /// It has no lanes: what it has to say about itself it can append to the log without a way over the broker.
    ///
    /// - Throws: What stops the start, with a sentence that says what to do.
    package static func parts(_ context: ServiceContext) async throws -> [ServicePart] {
        let database = try await ServiceBase.database(
            context,
            schema: .audit,
            deleting: [.commands(keeping: context.configuration[CommonKeys.retentionDays])]
        )
        let broker = try ServiceBase.broker(context)
        let publisher = RabbitMQPublisher(configuration: broker, logger: context.logger)
        let entries = consumer(Topology.auditWriter, "/log", broker, context)
        let commands = consumer(Topology.commands(to: .audit), "/commands", broker, context)
        let requests = RequestServer(
            service: .audit,
            appID: context.identity.name,
            configuration: broker,
            publisher: publisher,
            concurrency: requestConcurrency,
            routes: routes(database.client),
            logger: context.logger
        )
        context.health.register("schema") {
            do {
                try await SchemaGate.check(client: database.client, schema: .audit)
                return .ok
            } catch {
                return .failing("the schema cannot be read or is not one that this release can use")
            }
        }
        context.health.register("broker") {
            entries.isConnected && commands.isConnected && publisher.isConnected
                ? .ok : .failing("a connection to the broker is missing")
        }
        // In the order of the stop, which is the reverse: a source ends before the part that works on what it gave out.
        return database.parts + [
            ServicePart("log", log(entries, database.client, context)),
            ServicePart("kept values", keeping(commands, database.client, context)),
            ServicePart("log queue", entries),
            ServicePart("command queue", commands),
            ServicePart("publisher of replies", publisher),
            ServicePart("requests", requests),
        ]
    }

    private static func routes(_ database: PostgresClient) -> RequestRoutes {
        let lacking = LackingRequests(database: database)
        let reader = EntryReader(database: database)
        var routes = RequestRoutes()
        routes.on(RequestName.lanesPosition) { try await lacking.numbers($0, $1) }
        routes.on(RequestName.commandsLacking) { try await lacking.commands($0, $1) }
        routes.on(RequestName.entriesList) { try await reader.list($0, $1) }
        return routes
    }

    private static func log(
        _ source: RabbitMQConsumer,
        _ database: PostgresClient,
        _ context: ServiceContext
    ) -> BatchConsumer {
        let intake = LogIntake(
            appender: LogAppender(database: database, logger: context.logger),
            deadLetters: DeadLetterRepository(schema: "audit", database: database)
        )
        return BatchConsumer(
            label: Topology.auditWriter.queue.name,
            source: source,
            settings: BatchConsumer.Settings(maximum: batch),
            process: intake.process,
            classify: LogIntake.classify,
            bury: intake.bury,
            logger: context.logger
        )
    }

    private static func keeping(
        _ source: RabbitMQConsumer,
        _ database: PostgresClient,
        _ context: ServiceContext
    ) -> BatchConsumer {
        let intake = KeepIntake(
            repository: KeptBodyRepository(database: database),
            deadLetters: DeadLetterRepository(schema: "audit", database: database)
        )
        return BatchConsumer(
            label: Topology.commands(to: .audit).queue.name,
            source: source,
            settings: BatchConsumer.Settings(maximum: batch),
            process: intake.process,
            classify: LogIntake.classify,
            bury: intake.bury,
            logger: context.logger
        )
    }

    /// A consumer that has the next batch at hand while one is committed.
    private static func consumer(
        _ subscription: Topology.Subscription,
        _ suffix: String,
        _ broker: RabbitMQConfiguration,
        _ context: ServiceContext
    ) -> RabbitMQConsumer {
        var broker = broker
        broker.connectionName += suffix
        return RabbitMQConsumer(
            configuration: broker,
            queue: subscription.queue,
            bindings: subscription.bindings,
            prefetch: batch * 2,
            logger: context.logger
        )
    }
}
