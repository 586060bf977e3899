private import FoundationEssentials
package import Logging
package import Persistence

/// A database of one test's own, migrated, and used with the rights of a service's role and no more.
package struct ServiceDatabase: Sendable {
    /// Logs in to the database as the service.
    package let configuration: PostgresConfiguration

    /// Works as the service.
    package let client: PostgresClient

    /// The superuser, in another database.
    package let owner: PostgresClient

    /// A logger that shows nothing but what must never happen.
    package static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    /// Makes a database, runs the body, and drops the database.
    ///
    /// - Parameters:
    ///   - schema: whose role the sessions have.
    ///   - connections: how many connections the client opens at most.
    ///   - body: is lent the database.
    /// - Returns: what the body returns.
    /// - Throws: `TestSupportError` without servers, `PostgresError` when the database cannot be made, what the body throws.
    package static func with<R: Sendable>(
        _ schema: ServiceSchema,
        connections: Int = 6,
        _ body: (ServiceDatabase) async throws -> R
    ) async throws -> R {
        var server = try PostgresConfiguration(url: TestServers.required().postgres)
        // Hundreds of tests begin at once.
        server.pool.waitLimit = .seconds(60)
        let template = try await MigratedTemplate.shared.name(on: server)
        let name = "\(schema.name)_\(UUID().uuidString.lowercased().filter { $0 != "-" })"
        return try await withClient(server) { [server] owner in
            try await owner.execute(.simple("CREATE DATABASE \(name) TEMPLATE \(template)"))
            var configuration = server
            configuration.database = name
            let result: Result<R, any Error>
            do {
                configuration.sessionSettings["role"] = schema.role
                configuration.pool.maximum = connections
                result = .success(
                    try await withClient(configuration) { [configuration] client in
                        try await body(ServiceDatabase(configuration: configuration, client: client, owner: owner))
                    }
                )
            } catch {
                result = .failure(error)
            }
            try await owner.execute(.simple("DROP DATABASE \(name) WITH (FORCE)"))
            return try result.get()
        }
    }

    /// Lends a client that reaches the database by a proxy.
    package func through<R: Sendable>(
        _ proxy: DroppingProxy,
        _ body: (PostgresClient) async throws -> R
    ) async throws -> R {
        var configuration = configuration
        configuration.hosts = [.init("127.0.0.1", port: proxy.port)]
        return try await Self.withClient(configuration, body)
    }

    /// Executes statements in the database that the service itself may not.
    package func executeAsSuperuser(_ script: String) async throws {
        var superuser = configuration
        superuser.sessionSettings["role"] = nil
        try await Self.withClient(superuser) { try await $0.executeScript(script) }
    }

    fileprivate static func migrate(_ configuration: PostgresConfiguration) async throws {
        let catalog = try MigrationCatalog(folder: BuildFolder.repository.appendingPathComponent("Migrations"))
        try await withClient(Migrator.configuration(configuration)) { client in
            try await Migrator(client: client, catalog: catalog).migrate { _ in }
        }
    }

    /// Runs a client for as long as the body takes.
    package static func withClient<R: Sendable>(
        _ configuration: PostgresConfiguration,
        _ body: (PostgresClient) async throws -> R
    ) async throws -> R {
        let client = PostgresClient(configuration: configuration, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            let result: Result<R, any Error>
            do { result = .success(try await body(client)) } catch { result = .failure(error) }
            group.cancelAll()
            try await group.waitForAll()
            return try result.get()
        }
    }
}

/// The database that those of all tests are copies of: migrated once.
private actor MigratedTemplate {
    static let shared = MigratedTemplate()

    private var making: Task<String, any Error>?

    func name(on server: PostgresConfiguration) async throws -> String {
        if let making {
            return try await making.value
        }
        let task = Task {
            let name = "template_\(UUID().uuidString.lowercased().filter { $0 != "-" })"
            try await ServiceDatabase.withClient(server) { owner in
                _ = try await owner.execute(.simple("CREATE DATABASE \(name)"))
            }
            var configuration = server
            configuration.database = name
            try await ServiceDatabase.migrate(configuration)
            return name
        }
        making = task
        return try await task.value
    }
}
