private import Foundation

/// A Postgres and a RabbitMQ of one test's own, which it may restart and kill.
package struct PrivateServers: Sendable {
    /// How Postgres is stopped before it is started again.
    package enum Stop: Sendable {
        /// Sessions are ended, and everything is written to disk.
        case fast
        /// At once; the next start recovers from the log.
        case immediate
    }

    /// Where the servers are.
    package let servers: TestServers

    /// Whether this test run knows how to start servers.
    package static var isAvailable: Bool { FileManager.default.isExecutableFile(atPath: command) }

    /// Starts a pair, hands it to a closure, and removes it with everything it stored.
    ///
    /// - Parameters:
    ///   - isEncrypted: whether they take encrypted connections only.
    ///   - megabytes: the size of a disk of Postgres' own, in MiB; nil leaves it on the machine's.
    ///   - body: what to do with the servers.
    /// - Returns: what the closure returned.
    /// - Throws: `TestSupportError` when the servers did not start, or the closure's error.
    package static func with<Value>(
        isEncrypted: Bool = false,
        databaseDisk megabytes: Int? = nil,
        _ body: (PrivateServers) async throws -> Value
    ) async throws -> Value {
        let directory = Command.temporaryURL("servers").path
        do {
            if let megabytes { try await SmallDisk.mount(at: directory + "/servers/postgres", megabytes: megabytes) }
            try await Command.check(command, ["start", directory] + (isEncrypted ? ["tls"] : []))
            let value = try await body(PrivateServers(servers: try read(directory)))
            try await remove(directory)
            return value
        } catch {
            try? await remove(directory)
            throw error
        }
    }

    /// Stops Postgres and starts it again.
    package func restartPostgres(_ stop: Stop = .fast) async throws {
        try await perform("restart-postgres", stop == .immediate ? ["immediate"] : [])
    }

    /// Kills every process of Postgres at once.
    package func killPostgres() async throws { try await perform("kill-postgres") }

    /// Starts Postgres, and waits until it accepts connections.
    package func startPostgres() async throws { try await perform("start-postgres") }

    /// Stops Postgres in an orderly way.
    package func stopPostgres() async throws { try await perform("stop-postgres") }

    /// Freezes Postgres: its connections stay open, and nothing answers.
    package func pausePostgres() async throws { try await perform("pause-postgres") }

    /// Lets a frozen Postgres run on.
    package func resumePostgres() async throws { try await perform("resume-postgres") }

    /// Stops RabbitMQ and starts it again.
    package func restartRabbitMQ() async throws { try await perform("restart-rabbitmq") }

    /// Kills RabbitMQ.
    package func killRabbitMQ() async throws { try await perform("kill-rabbitmq") }

    /// Starts RabbitMQ, and waits until it accepts connections.
    package func startRabbitMQ() async throws { try await perform("start-rabbitmq") }

    /// Stops RabbitMQ in an orderly way.
    package func stopRabbitMQ() async throws { try await perform("stop-rabbitmq") }

    /// Freezes RabbitMQ: its connections stay open, and nothing answers.
    package func pauseRabbitMQ() async throws { try await perform("pause-rabbitmq") }

    /// Lets a frozen RabbitMQ run on.
    package func resumeRabbitMQ() async throws { try await perform("resume-rabbitmq") }

    /// Kills RabbitMQ and starts it with nothing of what it stored.
    package func resetRabbitMQ() async throws { try await perform("reset-rabbitmq") }

    private func perform(_ verb: String, _ arguments: [String] = []) async throws {
        try await Command.check(servers.command, [verb, servers.directory] + arguments)
    }

    private static var command: String {
        ProcessInfo.processInfo.environment["BATUTA_TEST_SERVERS_COMMAND"]
            ?? BuildFolder.repository.appendingPathComponent("compose/servers").path
    }

    /// Removes the servers in a task that a cancelled test does not cancel with itself.
    private static func remove(_ directory: String) async throws {
        let command = command
        _ = try await Task.detached { try await Command.check(command, ["remove", directory]) }.value
    }

    /// Reads the file that `compose/servers` writes for shells: lines of `export NAME='value'`.
    private static func read(_ directory: String) throws -> TestServers {
        let text = try String(contentsOfFile: directory + "/env", encoding: .utf8)
        var environment: [String: String] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("export ") {
            let parts = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            environment[String(parts[0])] = parts[1].trimmingCharacters(in: CharacterSet(charactersIn: "'"))
        }
        guard let servers = TestServers(environment: environment) else {
            throw TestSupportError(.noServers, "\(directory)/env does not name every address.")
        }
        return servers
    }
}
