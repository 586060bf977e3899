import Foundation
import TestSupport
import Testing

@Suite("Private servers", .requiresPrivateServers)
struct PrivateServersTests {
    @Test("a pair starts, survives being killed, and leaves nothing behind")
    func lifeCycle() async throws {
        let directory = try await PrivateServers.with { pair in
            let servers = pair.servers
            let status = { try await Command.run(servers.command, ["status", servers.directory]).status }
            #expect(try await status() == 0)
            #expect(try await Command.check(servers.rabbitMQControl, ["-q", "list_users"]).contains("batuta"))

            try await pair.killPostgres()
            try await pair.killRabbitMQ()
            #expect(try await status() == 1)

            try await pair.startPostgres()
            try await pair.startRabbitMQ()
            #expect(try await status() == 0)
            return servers.directory
        }
        #expect(!FileManager.default.fileExists(atPath: directory))
    }
}
