import FoundationEssentials
import Testing

@testable import PostgreSQL

/// The server that the tests run against: `BATUTA_TEST_POSTGRES`, the URL of a superuser on a server of its own.
enum TestDatabase {
    static let url = ProcessInfo.processInfo.environment["BATUTA_TEST_POSTGRES"]
    static let isAvailable = url != nil
    static let skipped: Comment = "BATUTA_TEST_POSTGRES names no server"

    static func configuration() throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(url: #require(url))
        configuration.applicationName = "tests-\(UUID().uuidString.prefix(8))"
        configuration.pool.maximum = 4
        configuration.pool.waitLimit = .seconds(30)
        return configuration
    }

    /// The test server with other settings.
    static func configured(_ change: (inout PostgresConfiguration) -> Void) throws -> TestClient {
        var configuration = try configuration()
        change(&configuration)
        return TestClient(configuration: configuration)
    }

    /// Runs a client with the usual settings for as long as the body takes.
    @discardableResult
    static func withClient<R: Sendable>(_ body: (PostgresClient) async throws -> R) async throws -> R {
        try await TestClient(configuration: configuration()).withClient(body)
    }

    /// Repeats a check until it holds; fails when it does not within the time.
    static func eventually(
        within limit: Duration = .seconds(10),
        _ what: Comment,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ check: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now.advanced(by: limit)
        while try await !check() {
            guard ContinuousClock.now < end else {
                Issue.record(what, sourceLocation: sourceLocation)
                return
            }
            await Task.yield()
        }
    }

    /// A name for a table that no other test uses.
    static func uniqueName() -> String {
        "t_" + UUID().uuidString.lowercased().filter { $0 != "-" }
    }

    /// The error that a body throws, of this module's type.
    static func error<R>(_ body: () async throws -> R) async -> PostgresError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? PostgresError
        }
    }
}
