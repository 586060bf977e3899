import Foundation
import Logging
import Messaging
import PostgreSQL
import TestSupport

/// A schema of the suite's own, made by the migration that every service's schema begins with.
struct TestDatabase: Sendable {
    let schema: String
    let client: PostgresClient

    init(_ name: String) throws {
        schema = "\(name)_\(UInt32.random(in: .min ... .max))"
        let url = try TestServers.required().postgres
        client = PostgresClient(configuration: try PostgresConfiguration(url: url), logger: TestBroker.logger)
    }

    /// Lends the schema and removes it afterwards.
    func use(_ body: () async throws -> Void) async throws {
        try await withServices([client]) {
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let file = root.appendingPathComponent("Migrations/every-schema/0001_foundation.sql")
            let migration = try String(contentsOf: file, encoding: .utf8)
                .replacing("{{schema}}", with: schema).replacing("{{role}}", with: "postgres")
            try await client.executeScript("CREATE SCHEMA \(schema);\n\(migration)")
            do {
                try await body()
            } catch {
                try await client.executeScript("DROP SCHEMA \(schema) CASCADE")
                throw error
            }
            try await client.executeScript("DROP SCHEMA \(schema) CASCADE")
        }
    }

    var deadLetters: DeadLetterRepository { DeadLetterRepository(schema: schema, database: client) }
}
