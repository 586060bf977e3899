import APIGatewayCore
import Domain
import Foundation
import JSON
import Logging
import Messaging
import Persistence
import Secrets
import ServiceLifecycle
import ServiceRuntime
import TestSupport
import Testing

/// A gateway on a migrated database of its own, without a broker: what its lanes hold stays in the outbox.
struct TestGateway: Sendable {
    let storage: ServiceDatabase
    let gateway: Gateway
    /// The admin token that was made by the bootstrap.
    let adminToken: String
    private let services: ServiceGroup

    /// What a gateway is configured with that listens on any free port, and does not wait for its clients at its stop.
    static let configuration = {
        var configuration = GatewayConfiguration(address: ListenAddress(host: "127.0.0.1", port: 0))
        configuration.server.closingPatience = .milliseconds(100)
        return configuration
    }()

    /// Works as the service.
    var database: PostgresClient { storage.client }

    /// Makes a database, bootstraps it, prepares it, starts a gateway, lends it, and drops everything.
    static func with(
        bodyPatience: Duration = .seconds(10),
        secrets: SecretKeyRing? = nil,
        configuration: GatewayConfiguration = TestGateway.configuration,
        tls: GatewayTLS? = nil,
        logger: Logger = ServiceDatabase.logger,
        prepare: @Sendable (ServiceDatabase) async throws -> Void = { _ in },
        _ body: @Sendable (TestGateway) async throws -> Void
    ) async throws {
        var configuration = configuration
        configuration.server.bodyPatience = bodyPatience
        try await ServiceDatabase.with(.gateway, connections: 8) { [configuration] database in
            try await run(configuration, database, tls, secrets, logger, prepare, body)
        }
    }

    private static func run(
        _ configuration: GatewayConfiguration,
        _ database: ServiceDatabase,
        _ tls: GatewayTLS?,
        _ secrets: SecretKeyRing?,
        _ logger: Logger,
        _ prepare: @Sendable (ServiceDatabase) async throws -> Void,
        _ body: @Sendable (TestGateway) async throws -> Void
    ) async throws {
        let order = Bootstrap.Order(tenant: try tenant(), name: "Test", tokenName: "admin")
        let token = try await BootstrapProcess.run(
            order,
            database: database.configuration,
            replica: "test",
            logger: ServiceDatabase.logger
        )
        guard let token else {
            throw PostgresError(.configuration, "the database is not fresh")
        }
        try await prepare(database)
        let context = LaneContext.withoutBroker(database.client, schema: .gateway)
        let gateway = Gateway(
            configuration,
            database: database.client,
            lanes: LaneGroup(context: context, count: 3),
            requests: context.requests,
            tls: tls,
            secrets: secrets,
            logger: logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            let serviceGroup = ServiceGroup(
                configuration: .init(services: gateway.parts.map(\.service), logger: ServiceDatabase.logger)
            )
            group.addTask { try await serviceGroup.run() }
            try await eventually("the server listens") { gateway.server.port != nil }
            let test = TestGateway(
                storage: database,
                gateway: gateway,
                adminToken: token,
                services: serviceGroup
            )
            try await body(test)
            await test.stop()
            try await group.waitForAll()
        }
    }

    /// Begins its stop, which it need not wait for; the end of the block does.
    func stop() async {
        await services.triggerGracefulShutdown()
    }

    /// Asks for a first tenant once more.
    func bootstrapAgain() async throws -> String? {
        let order = Bootstrap.Order(tenant: try Self.tenant(), name: "Other", tokenName: "other")
        return try await BootstrapProcess.run(
            order,
            database: storage.configuration,
            replica: "test",
            logger: ServiceDatabase.logger
        )
    }

    /// The actions of all audit entries in the outbox, in alphabetical order.
    func auditedActions() async throws -> [String] {
        try await auditEntries().map { $0["action"]?.stringValue ?? "" }.sorted()
    }

    /// All audit entries in the outbox.
    func auditEntries() async throws -> [JSONValue] {
        let rows = try await database.execute(
            PostgresStatement("SELECT convert_from(body, 'UTF8') FROM gateway.outbox WHERE destination = 'audit'")
        )
        return try rows.flatMap { row in
            try row.decode(0, as: String.self).split(separator: "\n").map { line in
                try JSONValue(parsing: Array(line.utf8), limits: .wrapped)
            }
        }
    }

    /// An administrator's token of another tenant, which no operation of this release makes.
    func addTenant(_ key: String) async throws -> String {
        var generator = SystemRandomNumberGenerator()
        let text = APIToken(using: &generator).text
        try await storage.executeAsSuperuser(
            """
            INSERT INTO gateway.tenants (tenant, name) VALUES ('\(key)', '\(key)');
            INSERT INTO gateway.api_tokens (token_id, tenant, name, role, token_hash, created_by)
            VALUES (gen_random_uuid(), '\(key)', 'admin', 'admin', sha256('\(text)'), 'tests');
            UPDATE gateway.identity_generation SET generation = generation + 1;
            """
        )
        return text
    }

    static func tenant() throws -> Tenant {
        guard let tenant = Tenant("acme") else {
            throw PostgresError(.configuration, "acme is no tenant")
        }
        return tenant
    }
}
