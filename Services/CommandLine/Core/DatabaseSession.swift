import Logging
import Persistence

/// A database client for as long as one command works.
enum DatabaseSession {
    /// Opens the client, lends it to the body, and closes it.
    static func with<Value: Sendable>(
        _ configuration: PostgresConfiguration,
        _ body: (PostgresClient) async throws -> Value
    ) async throws -> Value {
        // What fails is thrown; nothing is worth a log line of its own here.
        let logger = Logger(label: "batuta") { _ in SwiftLogNoOpLogHandler() }
        let client = PostgresClient(configuration: configuration, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            defer { group.cancelAll() }
            return try await body(client)
        }
    }
}
