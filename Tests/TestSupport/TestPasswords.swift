private import Foundation
package import Persistence

/// The passwords of roles and broker users on servers for tests.
///
/// Roles and users belong to a whole server, so every suite that shares the servers has to use the same ones.
package enum TestPasswords {
    /// The password of a service's role on Postgres.
    package static func database(_ schema: ServiceSchema) -> String { "for-tests-\(schema.name)" }

    /// The password of a service's user on RabbitMQ.
    package static func broker(_ schema: ServiceSchema) -> String { "test-\(schema.name)" }

    /// Lends the path of a passwords file as `batuta` reads it.
    static func withFile<Value>(
        _ password: (ServiceSchema) -> String,
        _ body: (String) async throws -> Value
    ) async throws -> Value {
        let file = Command.temporaryURL("passwords.json")
        defer { try? FileManager.default.removeItem(at: file) }
        let passwords = Dictionary(uniqueKeysWithValues: ServiceSchema.allCases.map { ($0.name, password($0)) })
        let created = FileManager.default.createFile(
            atPath: file.path,
            contents: try JSONEncoder().encode(passwords),
            attributes: [.posixPermissions: 0o600]
        )
        guard created else {
            throw TestSupportError(.noResources, "\(file.path) cannot be written.")
        }
        return try await body(file.path)
    }
}
