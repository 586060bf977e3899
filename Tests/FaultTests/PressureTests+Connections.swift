import Foundation
import Logging
import Persistence
import TestSupport
import Testing

extension PressureTests {
    /// How many connections the database takes while strangers compete for them.
    private static let connections = 40

    @Test func strangersTakeEveryDatabaseConnection() async throws {
        try await installation.showingLogs {
            try await prepare()
            try await bound(connections: Self.connections)
            try await withStrangers {
                try await installation.postBatches(200, of: 50, prefix: "crowded", type: "pressure.crowded")
                try await crowdOut()
                let refused = try await installation.postBatch(["out-1"], type: "pressure.crowded")
                #expect(!refused, "503 with Retry-After, and nothing else")
                // A process that starts meanwhile says what is wrong, or waits.
                let late = try engine.launchBeside(["BATUTA_REPLICA": "late"])
                let status = try await late.waitForExit(within: .seconds(60))
                #expect(status == 1)
                let reasons = ["too many clients", "remaining connection slots are reserved"]
                #expect(reasons.contains { late.log.contains($0) }, "\(late.logTail())")
                #expect(late.log.contains("BATUTA_DATABASE_URL"), "\(late.logTail())")
            }
            while try await !installation.postBatch(["out-1"], type: "pressure.crowded") {
                try await Task.sleep(for: .milliseconds(100))
            }
            try await recovers()
            #expect(try await installation.restartEnded() == [], "no service ends because strangers crowd it out")
            _ = try await installation.sql.execute(.simple("ALTER SYSTEM RESET max_connections"))
        }
    }

    @Test func theGatewayRunsOutOfDescriptors() async throws {
        try await installation.showingLogs {
            try await prepare()
            let gateway = try gateway
            let pid = try #require(gateway.process?.pid)
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
            try await Command.check("/usr/bin/prlimit", ["--pid", "\(pid)", "--nofile=\(open + 8):4096"])
            do {
                let idle = IdleConnections(64, port: gateway.httpPort)
                #expect(idle.count == 64, "the kernel takes them for the process")
                try await eventually("no descriptor is left") {
                    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count >= open + 8
                }
                let before = try processorSeconds(pid)
                try await Task.sleep(for: .seconds(2))
                let spent = try processorSeconds(pid) - before
                #expect(spent < 1, "\(spent) of two seconds spent on connections that cannot be taken")
                #expect(gateway.isRunning)
                withExtendedLifetime(idle) {}
            }
            try await eventually("requests are answered again") {
                try await installation.postBatch(["descriptors-1"], type: "pressure.descriptors")
            }
            try await Command.check("/usr/bin/prlimit", ["--pid", "\(pid)", "--nofile=4096:4096"])
            try await recovers()
            #expect(try await installation.restartEnded() == [], "no service ends for want of descriptors")
        }
    }

    /// Seconds of processor time that a process has used.
    private func processorSeconds(_ pid: Int32) throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        let ticks = fields.indices.contains(12) ? (Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0) : 0
        return ticks / 100
    }

    private func bound(connections: Int) async throws {
        _ = try await installation.sql.execute(.simple("ALTER SYSTEM SET max_connections = \(connections)"))
        _ = try await installation.sql.execute(.simple("CREATE ROLE stranger LOGIN PASSWORD 'stranger'"))
        try await #require(installation.privateServers).restartPostgres()
        try await installation.waitUntilReady()
    }

    /// Takes every connection that becomes free, for as long as the body runs.
    private func withStrangers(_ body: () async throws -> Void) async throws {
        let address = try ServerAddress(installation.servers.postgres)
        var configuration = try PostgresConfiguration(url: "postgres://stranger:stranger@\(address.authority)/postgres")
        configuration.pool.minimum = Self.connections
        configuration.pool.maximum = Self.connections
        // They are quicker than any service.
        configuration.backoffBase = .milliseconds(1)
        configuration.backoffMaximum = .milliseconds(5)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let strangers = PostgresClient(configuration: configuration, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try? await strangers.run() }
            defer { group.cancelAll() }
            try await body()
        }
    }

    /// Ends the services' sessions until strangers have taken the place of all of them, and no place is free.
    private func crowdOut() async throws {
        try await eventually("strangers have every connection", within: .seconds(60), every: .milliseconds(200)) {
            try await installation.count(
                """
                WITH ended AS (
                    SELECT count(pg_terminate_backend(pid)) AS sessions FROM pg_stat_activity
                    WHERE starts_with(usename, 'batuta_')
                )
                SELECT sessions + (
                    SELECT greatest(0, \(Self.connections) - current_setting('superuser_reserved_connections')::integer
                                       - count(*))
                    FROM pg_stat_activity WHERE backend_type = 'client backend'
                ) FROM ended
                """
            )
        } until: {
            $0 == 0
        }
    }
}
