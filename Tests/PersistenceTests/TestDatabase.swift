import Foundation
import Logging
import Persistence

/// A database of its own on the server for tests, dropped when the body ends.
struct TestDatabase: Sendable {
    static let environmentName = "BATUTA_TEST_POSTGRES"
    static let isAvailable = address != nil
    static let skipped = "needs \(environmentName), the URL of a Postgres server's superuser"

    private static let address = ProcessInfo.processInfo.environment[environmentName].flatMap { $0.isEmpty ? nil : $0 }

    /// The same in all tests, because roles belong to the whole server.
    static let passwords = Dictionary(
        uniqueKeysWithValues: ServiceSchema.allCases.map { ($0, "for-tests-\($0.name)") }
    )

    let name: String
    /// Logged in as the superuser, one connection, no statement limit.
    let admin: PostgresClient
    private let configuration: PostgresConfiguration

    /// The migrations of the repository.
    static func catalog() throws -> MigrationCatalog {
        try MigrationCatalog(folder: migrations)
    }

    static let migrations = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Migrations")

    /// Makes an empty database, lends it, and drops it.
    static func with<Value: Sendable>(_ body: (TestDatabase) async throws -> Value) async throws -> Value {
        let server = try PostgresConfiguration(url: address ?? "")
        let name = "batuta_test_\(UUID().uuidString.lowercased().filter { $0 != "-" })"
        return try await client(server) { (owner) async throws in
            try await owner.execute(.simple("CREATE DATABASE \(name)"))
            var own = server
            own.database = name
            let result: Result<Value, any Error>
            do {
                result = .success(
                    try await client(Migrator.configuration(own)) { admin in
                        try await body(TestDatabase(name: name, admin: admin, configuration: own))
                    }
                )
            } catch {
                result = .failure(error)
            }
            try await owner.execute(.simple("DROP DATABASE \(name) WITH (FORCE)"))
            return try result.get()
        }
    }

    /// Makes a database with all migrations applied, lends it, and drops it.
    static func migrated<Value: Sendable>(_ body: (TestDatabase) async throws -> Value) async throws -> Value {
        try await with { (database) async throws in
            _ = try await database.migrate(catalog())
            return try await body(database)
        }
    }

    /// Migrates and returns what was reported.
    func migrate(_ catalog: MigrationCatalog, by client: PostgresClient? = nil) async throws -> [MigrationEvent] {
        var events: [MigrationEvent] = []
        let migrator = Migrator(client: client ?? admin, catalog: catalog, passwords: Self.passwords)
        try await migrator.migrate { events.append($0) }
        return events
    }

    /// Another client of the superuser.
    func asAdmin<Value: Sendable>(_ body: (PostgresClient) async throws -> Value) async throws -> Value {
        try await Self.client(Migrator.configuration(configuration), body)
    }

    /// A client that is logged in as a service.
    func `as`<Value: Sendable>(
        _ schema: ServiceSchema,
        _ body: (PostgresClient) async throws -> Value
    ) async throws -> Value {
        var own = configuration
        own.user = schema.role
        own.pool.maximum = 1
        own.password = Self.passwords[schema]
        return try await Self.client(own, body)
    }

    private static func client<Value: Sendable>(
        _ configuration: PostgresConfiguration,
        _ body: (PostgresClient) async throws -> Value
    ) async throws -> Value {
        let client = PostgresClient(configuration: configuration, logger: Logger(label: "test"))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            let result: Result<Value, any Error>
            do {
                result = .success(try await body(client))
            } catch {
                result = .failure(error)
            }
            group.cancelAll()
            // Until the connections are closed, so that the database can be dropped.
            try? await group.waitForAll()
            return try result.get()
        }
    }
}

/// The SQLSTATE with which a statement is refused; nil when it is not.
func refusal(_ sql: String, by client: PostgresClient) async -> String? {
    do {
        try await client.execute(.simple(sql))
        return nil
    } catch {
        return error.sqlState ?? "\(error)"
    }
}
