private import Foundation
private import Logging
import Persistence

/// Where an installation stands: how its database and virtual host are made, reached and removed.
struct Site: Sendable {
    let servers: TestServers
    /// The name of the database and of the virtual host.
    let database: String
    /// How services reach the servers.
    var route: Installation.Route = { $1 }

    /// Makes both, and the first tenant; answers its administrator's token.
    func prepare() async throws -> String {
        try await withSuperuser(of: "postgres") { sql in
            _ = try await sql.execute(.simple("CREATE DATABASE \(database)"))
        }
        try await migrate()
        try await applyDefinitions()
        return try await bootstrap()
    }

    /// `batuta migrate`, as an operator runs it.
    func migrate() async throws {
        let address = try ServerAddress(servers.postgres)
        let url =
            "postgres://\(address.user):\(address.password)@\(address.authority)/\(database)"
            + databaseOptions(address)
        let migrations = BuildFolder.repository.appendingPathComponent("Migrations").path
        try await TestPasswords.withFile(TestPasswords.database) { file in
            try await finish(
                "batuta",
                ["migrate", "--database-url", url, "--migrations", migrations, "--passwords-file", file]
            )
        }
    }

    /// `batuta broker apply`, as an operator runs it.
    func applyDefinitions() async throws {
        let address = try ServerAddress(servers.rabbitMQManagement)
        let management = "http://\(address.user):\(address.password)@\(address.authorities[0])"
        try await TestPasswords.withFile(TestPasswords.broker) { file in
            try await finish(
                "batuta",
                [
                    "broker", "apply", "--management-url", management, "--passwords-file", file, "--virtual-host",
                    database,
                ]
            )
        }
    }

    /// What follows in the URL of a database, or of the broker, where connections are encrypted.
    private func databaseOptions(_ address: ServerAddress) -> String {
        servers.authority.map { "?sslmode=verify-full&sslrootcert=\($0.caFile)" } ?? address.options
    }

    private var brokerOptions: String { servers.authority.map { "?cacertfile=\($0.caFile)" } ?? "" }

    private func bootstrap() async throws -> String {
        let file = Command.temporaryURL("token")
        defer { try? FileManager.default.removeItem(at: file) }
        try await finish(
            SystemService.gateway.rawValue,
            ["bootstrap", "--tenant", Installation.tenant, "--name", "Acme", "--output", file.path],
            environment: try environment(of: .gateway)
        )
        return try String(contentsOf: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What configures a service; replicas add their own name and ports.
    func environment(of service: SystemService) throws -> [String: String] {
        guard let schema = service.schema else { return [:] }
        let postgres = try ServerAddress(servers.postgres)
        let rabbitMQ = try ServerAddress(servers.rabbitMQ)
        let databases = try postgres.authorities.map { try route(service, $0) }.joined(separator: ",")
        let brokers = try rabbitMQ.authorities.map { try route(service, $0) }.joined(separator: ",")
        let (password, secret) = (TestPasswords.database(schema), TestPasswords.broker(schema))
        var environment = [
            "BATUTA_DATABASE_URL":
                "postgres://\(schema.role):\(password)@\(databases)/\(database)\(databaseOptions(postgres))",
            "BATUTA_BROKER_URL":
                "\(servers.authority == nil ? "amqp" : "amqps")://\(schema.role):\(secret)@\(brokers)/\(database)"
                + brokerOptions,
        ]
        if service == .gateway, let authority = servers.authority {
            environment["BATUTA_HTTP_TLS_CERTIFICATE_FILE"] = authority.certificateFile
            environment["BATUTA_HTTP_TLS_KEY_FILE"] = authority.keyFile
        }
        if [.gateway, .engine].contains(service) { environment["BATUTA_SECRET_KEYS_FILE"] = try TestKeys.path() }
        if service == .auditWriter {
            environment["BATUTA_AUDIT_KEY_FILE"] = try TestKeys.logKeyPath()
            environment["BATUTA_AUDIT_WITNESS_KEYS"] = try TestKeys.witnessVerifierKey()
        }
        // What the engine calls in tests listens on loopback.
        if service == .engine { environment["BATUTA_HTTP_ALLOW"] = "127.0.0.1" }
        return environment
    }

    /// Lends a superuser's client.
    func withSuperuser<Value>(
        of database: String,
        _ body: (PostgresClient) async throws -> Value
    ) async throws -> Value {
        var configuration = try PostgresConfiguration(url: servers.postgres)
        configuration.database = database
        configuration.applicationName = "batuta-tests"
        // Many installations begin at once.
        configuration.pool.waitLimit = .seconds(60)
        configuration.statementTimeout = .seconds(60)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let client = PostgresClient(configuration: configuration, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            let result: Result<Value, any Error>
            do {
                result = .success(try await body(client))
            } catch {
                result = .failure(error)
            }
            group.cancelAll()
            try? await group.waitForAll()
            return try result.get()
        }
    }

    /// Removes database and virtual host, in a task that a cancelled test does not cancel with itself.
    func remove(_ broker: BrokerAdministration) async {
        await Task {
            try? await broker.remove()
            try? await withSuperuser(of: "postgres") { sql in
                _ = try await sql.execute(.simple("DROP DATABASE IF EXISTS \(database) WITH (FORCE)"))
            }
        }
        .value
    }

    /// Runs a program that has to succeed within a bounded time.
    private func finish(_ name: String, _ arguments: [String], environment: [String: String] = [:]) async throws {
        let process = try ServiceProcess(name, arguments: arguments, environment: environment)
        let status = try await process.waitForExit(within: .seconds(60))
        guard status == 0 else {
            let call = "\(name) \(arguments.prefix(1).joined())"
            throw TestSupportError(.commandFailed, "\(call) ended with \(status).\n\(process.logTail())")
        }
    }
}
