import Logging

@testable import PostgreSQL

/// A client that lives as long as a body runs.
struct TestClient {
    let configuration: PostgresConfiguration

    @discardableResult
    func withClient<R: Sendable>(_ body: (PostgresClient) async throws -> R) async throws -> R {
        var logger = Logger(label: "test")
        logger.logLevel = .error
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
