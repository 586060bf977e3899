import Domain
package import FoundationEssentials
import Logging
package import Messaging
package import Persistence
import ServiceLifecycle
package import ServiceRuntime

/// What every service with a schema and a broker user stands on: its database, its broker connections, its lanes.
///
/// Made once, while the service is built; `parts` are in the order in which they depend on each other.
package struct ServiceBase: Sendable {
    package let schema: ServiceSchema
    package let name: ServiceName
    package let instance: UUID
    package let database: PostgresClient
    package let publisher: RabbitMQPublisher
    package let requests: RequestClient
    package let lanes: LaneGroup
    package let parts: [ServicePart]
    private let appID: String
    private let broker: RabbitMQConfiguration
    private let health: HealthRegistry
    let logger: Logger

    /// Connects, and checks that the schema is one that this release can work with.
    ///
    /// - Parameters:
    ///   - context: The service's configuration, logger and health.
    ///   - schema: The schema that the service owns.
    ///   - laneCount: How many transactions may be under way at once.
    ///   - rows: What retention deletes row by row besides what every schema has.
    ///   - loadSignals: Reads events from the service's own table of signals, for those that are sent again.
    /// - Returns: The base, with parts that are not yet running.
    /// - Throws: What stops the start, with a sentence that says what to do.
    package static func connect(
        _ context: ServiceContext,
        schema: ServiceSchema,
        laneCount: Int,
        deleting rows: [RowRetention] = [],
        loadSignals: @escaping @Sendable (PostgresClient, [UUID]) async throws -> [UUID: [UInt8]] = { _, _ in [:] }
    ) async throws -> ServiceBase {
        let name = ServiceName(schema)
        let instance = UUIDv7.make()
        let database = try await connection(context, schema: schema, connections: laneCount + 5)
        let broker = try broker(context)
        let publisher = RabbitMQPublisher(configuration: broker, logger: context.logger)
        let requests = RequestClient(
            service: name,
            appID: context.identity.name,
            instance: instance,
            configuration: broker,
            publisher: publisher,
            logger: context.logger
        )
        let lanes = LaneGroup(
            context: LaneContext(
                schema: schema.name,
                service: context.identity.name,
                replica: context.replica,
                instance: instance,
                database: database.client,
                publisher: publisher,
                requests: requests,
                loadSignals: { try await loadSignals(database.client, $0) },
                outbox: OutboxKeys.limits(context.configuration),
                logger: context.logger
            ),
            count: laneCount
        )
        observe(context, publisher: publisher, requests: requests, lanes: lanes)
        return ServiceBase(
            schema: schema,
            name: name,
            instance: instance,
            database: database.client,
            publisher: publisher,
            requests: requests,
            lanes: lanes,
            parts: database.parts + [
                ServicePart("publisher", publisher),
                ServicePart("requests to others", requests),
                ServicePart("lanes", lanes),
                ServicePart(
                    "retention",
                    RetentionKeeper(
                        policy(context, schema, rows),
                        database: database.client,
                        lanes: lanes,
                        logger: context.logger
                    )
                ),
            ],
            appID: context.identity.name,
            broker: broker,
            health: context.health,
            logger: context.logger
        )
    }

    /// Lets health and metrics see the broker and the outbox.
    private static func observe(
        _ context: ServiceContext,
        publisher: RabbitMQPublisher,
        requests: RequestClient,
        lanes: LaneGroup
    ) {
        context.health.register("broker") {
            brokerHealth(publisher, isReady: publisher.isConnected && requests.isReady)
        }
        context.health.register("outbox") {
            let findings = lanes.findings
            return findings.isEmpty ? .ok : .noted(findings.joined(separator: "; "))
        }
        context.metrics.addCollector { exposition in
            let now = UUIDv7.milliseconds(of: UUIDv7.make()) ?? 0
            OutboxKeys.collect(lanes.backlogs, now: now, into: &exposition)
        }
    }

    /// A consumer of one of the service's queues, not yet running.
    ///
    /// - Parameters:
    ///   - subscription: The queue.
    ///   - prefetch: How many deliveries may be unsettled.
    ///   - connection: What tells its connection from the service's others.
    /// - Returns: The consumer.
    package func consumer(
        _ subscription: Topology.Subscription,
        prefetch: Int,
        connection: String = ""
    ) -> RabbitMQConsumer {
        var broker = broker
        broker.connectionName += connection
        return RabbitMQConsumer(
            configuration: broker,
            queue: subscription.queue,
            bindings: subscription.bindings,
            prefetch: prefetch,
            logger: logger
        )
    }

    /// Answers the requests that other services send to this one, which is ready only while it takes them.
    package func requestServer(
        _ routes: RequestRoutes,
        concurrency: Int = 64,
        translate: @escaping RequestServer.Translate = { _ in nil }
    ) -> RequestServer {
        let server = RequestServer(
            service: name,
            appID: appID,
            configuration: broker,
            publisher: publisher,
            concurrency: concurrency,
            routes: routes,
            translate: translate,
            logger: logger
        )
        health.register("requests") {
            server.isReady ? .ok : .failing("requests of other services are not taken")
        }
        return server
    }

    /// A database of a service, connected and checked.
    package struct Database: Sendable {
        package let client: PostgresClient
        package let parts: [ServicePart]
    }

    /// Connects to the service's database only, and checks the schema.
    ///
    /// - Parameters:
    ///   - context: The service's configuration, logger and health.
    ///   - schema: The schema that the service owns.
    ///   - rows: What retention deletes row by row besides what every schema has.
    /// - Returns: The client, and the parts that look after the schema.
    /// - Throws: What stops the start, with a sentence that says what to do.
    package static func database(
        _ context: ServiceContext,
        schema: ServiceSchema,
        deleting rows: [RowRetention] = []
    ) async throws -> Database {
        let database = try await connection(context, schema: schema, connections: 5)
        let retention = RetentionKeeper(
            policy(context, schema, rows),
            database: database.client,
            logger: context.logger
        )
        return Database(client: database.client, parts: database.parts + [ServicePart("retention", retention)])
    }

    /// Lends a client of the service's database for what has to be known before its parts can be built.
    package static func once<Value: Sendable>(
        _ context: ServiceContext,
        _ body: (PostgresClient) async throws -> Value
    ) async throws -> Value {
        let client = PostgresClient(configuration: try configuration(context), logger: context.logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            defer { group.cancelAll() }
            return try await body(client)
        }
    }

    /// Connections of their own for work that must not keep the service's other work from having one; not yet running.
    ///
    /// - Parameters:
    ///   - context: The service's configuration and logger.
    ///   - work: What tells them from the service's others, as the server shows them.
    ///   - connections: How many they are at most.
    /// - Returns: The client.
    /// - Throws: What stops the start, with a sentence that says what to do.
    package static func connections(
        _ context: ServiceContext,
        for work: String,
        atMost connections: Int
    ) throws -> PostgresClient {
        var configuration = try configuration(context)
        configuration.applicationName += "/\(work)"
        configuration.pool.maximum = connections
        return PostgresClient(configuration: configuration, logger: context.logger)
    }

    private static func configuration(_ context: ServiceContext) throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(url: context.configuration[CommonKeys.databaseURL].reveal())
        configuration.applicationName = "\(context.identity.name)/\(context.replica)"
        return configuration
    }

    private static func policy(
        _ context: ServiceContext,
        _ schema: ServiceSchema,
        _ rows: [RowRetention]
    ) -> RetentionPolicy {
        RetentionPolicy(schema, days: context.configuration[CommonKeys.retentionDays], rows: rows)
    }

    private static func connection(
        _ context: ServiceContext,
        schema: ServiceSchema,
        connections: Int
    ) async throws -> Database {
        var configuration = try configuration(context)
        configuration.pool.maximum = connections
        let client = PostgresClient(configuration: configuration, logger: context.logger)
        // The client serves only while it runs, and the schema is checked before anything else does.
        try await once(context) { gate in
            do {
                try await SchemaGate.check(client: gate, schema: schema)
            } catch let error as PersistenceError where error.code == .database {
                throw DatabaseAwayError(cause: error)
            }
        }
        context.health.register("database") {
            do {
                try await client.execute(PostgresStatement("SELECT 1", isReadOnly: true), deadline: .now + .seconds(2))
                return .ok
            } catch {
                return .failing("the database does not answer")
            }
        }
        return Database(
            client: client,
            parts: [
                ServicePart("database", client),
                ServicePart("partitions", PartitionKeeper(client: client, schema: schema, logger: context.logger)),
            ]
        )
    }

    /// What is found of the connections to the broker, and why one is missing where somebody has to act: a certificate
    /// that is refused stays so.
    package static func brokerHealth(_ publisher: RabbitMQPublisher, isReady: Bool) -> HealthState {
        guard !isReady else {
            return publisher.blockedReason.map { .noted("the broker takes no messages: \($0)") } ?? .ok
        }
        guard case .disconnected(let error) = publisher.status, error.code == .tls else {
            return .failing("a connection to the broker is missing")
        }
        return .failing("a connection to the broker is missing: \(error.message)")
    }

    /// How the service reaches the broker.
    package static func broker(_ context: ServiceContext) throws -> RabbitMQConfiguration {
        var configuration = try RabbitMQConfiguration(url: context.configuration[CommonKeys.brokerURL].reveal())
        configuration.connectionName = "\(context.identity.name)/\(context.replica)"
        return configuration
    }
}

extension ServiceName {
    /// The name on the broker is the schema's.
    package init(_ schema: ServiceSchema) {
        switch schema {
        case .gateway: self = .gateway
        case .engine: self = .engine
        case .scheduler: self = .scheduler
        case .jobs: self = .jobs
        case .audit: self = .audit
        }
    }
}
