import APIGatewayCore
import Domain
import Foundation
import JSON
import Logging
import Messaging
import Persistence
import ServiceLifecycle
import ServiceRuntime
import TestSupport
import Testing

/// A gateway on a migrated database of its own, without a broker: what its lanes hold stays in the outbox.
struct TestGateway: Sendable {
    static let environmentName = "BATUTA_TEST_POSTGRES"
    static let isAvailable = address != nil
    static let skipped: Comment = "needs BATUTA_TEST_POSTGRES, the URL of a Postgres server's superuser"

    private static let address = ProcessInfo.processInfo.environment[environmentName].flatMap { $0.isEmpty ? nil : $0 }

    let database: PostgresClient
    /// The superuser, on another database.
    let owner: PostgresClient
    let databaseName: String
    let gateway: Gateway
    /// The admin token that was made by the bootstrap.
    let adminToken: String
    private let configuration: PostgresConfiguration

    /// Makes a database, bootstraps it, starts a gateway, lends it, and drops everything.
    static func with(
        bodyPatience: Duration = .seconds(10),
        _ body: @Sendable (TestGateway) async throws -> Void
    ) async throws {
        var configuration = GatewayConfiguration(address: ListenAddress(host: "127.0.0.1", port: 0))
        configuration.server.bodyPatience = bodyPatience
        let server = try PostgresConfiguration(url: address ?? "")
        let name = "batuta_gateway_\(UUID().uuidString.lowercased().filter { $0 != "-" })"
        try await client(server) { owner in
            try await owner.execute(.simple("CREATE DATABASE \(name)"))
            var own = server
            own.database = name
            let result: Result<Void, any Error>
            do {
                try await migrate(own)
                // Every session has the rights of the service's role, and no more.
                try await owner.execute(.simple("ALTER DATABASE \(name) SET role = 'batuta_gateway'"))
                try await run(configuration, own, owner, body)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            try await owner.execute(.simple("DROP DATABASE \(name) WITH (FORCE)"))
            try result.get()
        }
    }

    private static func migrate(_ configuration: PostgresConfiguration) async throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let catalog = try MigrationCatalog(folder: root.appendingPathComponent("Migrations"))
        try await client(Migrator.configuration(configuration)) { admin in
            try await Migrator(client: admin, catalog: catalog).migrate { _ in }
        }
    }

    private static func run(
        _ configuration: GatewayConfiguration,
        _ own: PostgresConfiguration,
        _ owner: PostgresClient,
        _ body: @Sendable (TestGateway) async throws -> Void
    ) async throws {
        let order = Bootstrap.Order(tenant: try tenant(), name: "Test", tokenName: "admin")
        let token = try await BootstrapProcess.run(order, database: own, replica: "test", logger: logger)
        guard let token else {
            throw PostgresError(.configuration, "the database is not fresh")
        }
        var pooled = own
        pooled.pool.maximum = 8
        let database = PostgresClient(configuration: pooled, logger: logger)
        let (lanes, requests) = withoutBroker(database)
        let gateway = Gateway(configuration, database: database, lanes: lanes, requests: requests, logger: logger)
        let services: [any Service] = [database] + gateway.parts.map(\.service)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let serviceGroup = ServiceGroup(configuration: .init(services: services, logger: logger))
            group.addTask { try await serviceGroup.run() }
            try await eventually("the server listens") { gateway.server.port != nil }
            let test = TestGateway(
                database: database,
                owner: owner,
                databaseName: own.database,
                gateway: gateway,
                adminToken: token,
                configuration: own
            )
            try await body(test)
            await serviceGroup.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }

    /// Lanes whose messages nobody sends, and requests that nobody answers.
    private static func withoutBroker(_ database: PostgresClient) -> (LaneGroup, RequestClient) {
        let instance = UUIDv7.make()
        let broker = RabbitMQConfiguration(endpoints: [], user: "", password: "")
        let publisher = RabbitMQPublisher(configuration: broker, logger: logger)
        let requests = RequestClient(
            service: .gateway,
            appID: "api-gateway",
            instance: instance,
            configuration: broker,
            publisher: publisher,
            logger: logger
        )
        let context = LaneContext(
            schema: "gateway",
            service: "api-gateway",
            replica: "test",
            instance: instance,
            database: database,
            publisher: publisher,
            requests: requests,
            logger: logger
        )
        return (LaneGroup(context: context, count: 3), requests)
    }

    static func client<Value: Sendable>(
        _ configuration: PostgresConfiguration,
        _ body: (PostgresClient) async throws -> Value
    ) async throws -> Value {
        let client = PostgresClient(configuration: configuration, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            defer { group.cancelAll() }
            return try await body(client)
        }
    }

    /// Asks for a first tenant once more.
    func bootstrapAgain() async throws -> String? {
        let order = Bootstrap.Order(tenant: try Self.tenant(), name: "Other", tokenName: "other")
        return try await BootstrapProcess.run(order, database: configuration, replica: "test", logger: Self.logger)
    }

    /// The actions of all audit entries in the outbox, in alphabetical order.
    func auditedActions() async throws -> [String] {
        let rows = try await database.execute(
            PostgresStatement("SELECT convert_from(body, 'UTF8') FROM gateway.outbox WHERE destination = 'audit'")
        )
        return try rows.flatMap { row in
            try row.decode(0, as: String.self).split(separator: "\n").map { line in
                try JSONDocument(parsing: String(line)).root["action"]?.stringValue ?? ""
            }
        }
        .sorted()
    }

    static func tenant() throws -> Tenant {
        guard let tenant = Tenant("acme") else {
            throw PostgresError(.configuration, "acme is no tenant")
        }
        return tenant
    }

    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}
