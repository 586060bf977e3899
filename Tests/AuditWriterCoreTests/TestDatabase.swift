import FoundationEssentials
import Logging
import Persistence
import TestSupport

/// A database of one test's own, migrated, and used with the rights of the service's role.
struct TestDatabase: Sendable {
    let configuration: PostgresConfiguration
    let client: PostgresClient

    static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    /// Makes a database, runs the body, and drops the database.
    static func with<R: Sendable>(_ body: (TestDatabase) async throws -> R) async throws -> R {
        let server = try PostgresConfiguration(url: TestServers.required().postgres)
        let name = "audit_\(UUID().uuidString.lowercased().filter { $0 != "-" })"
        return try await run(server) { admin in
            try await admin.execute(.simple("CREATE DATABASE \(name)"))
            var configuration = server
            configuration.database = name
            let result: Result<R, any Error>
            do {
                try await migrate(configuration)
                configuration.sessionSettings["role"] = ServiceSchema.audit.role
                configuration.pool.maximum = 6
                result = .success(
                    try await run(configuration) { [configuration] client in
                        try await body(TestDatabase(configuration: configuration, client: client))
                    }
                )
            } catch {
                result = .failure(error)
            }
            try await admin.execute(.simple("DROP DATABASE \(name) WITH (FORCE)"))
            return try result.get()
        }
    }

    private static func migrate(_ configuration: PostgresConfiguration) async throws {
        let catalog = try MigrationCatalog(folder: BuildFolder.repository.appendingPathComponent("Migrations"))
        try await run(Migrator.configuration(configuration)) { client in
            try await Migrator(client: client, catalog: catalog).migrate { _ in }
        }
    }

    /// Runs a client for as long as the body takes.
    private static func run<R: Sendable>(
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
