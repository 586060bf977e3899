import TestSupport
import Testing

extension FaultTests {
    private var servers: PrivateServers {
        get throws { try #require(installation.privateServers) }
    }

    @Test func brokerRestarts() async throws {
        try await underLoad("restart") { load in
            try await servers.restartRabbitMQ()
            try await load.acknowledges(50)
        }
        #expect(try await installation.restartEnded() == [], "no service ends because its broker restarts")
    }

    @Test func brokerIsKilled() async throws {
        try await underLoad("power") { load in
            try await servers.killRabbitMQ()
            try await load.acknowledges(50)
            try await servers.startRabbitMQ()
        }
        #expect(try await installation.restartEnded() == [], "no service ends because its broker is away")
    }

    @Test func connectionsAreClosedAgainAndAgain() async throws {
        try await underLoad("connections") { load in
            for _ in 0..<5 {
                try await installation.broker.closeConnections()
                try await load.acknowledges(20)
            }
        }
        #expect(try await installation.restartEnded() == [], "no service ends because its connection is closed")
    }

    @Test func signalsAreDeletedFromTheirQueue() async throws {
        try await underLoad("deleted-signals") { load in
            for engine in installation.replicas(of: .engine) { try await engine.terminate() }
            try await load.acknowledges(80)
            try await waitForMessages(in: "engine.signals")
            try await installation.broker.deleteQueue("engine.signals")
            try await installation.restartEnded()
        }
    }

    @Test func entriesAreDeletedFromTheirQueue() async throws {
        try await underLoad("deleted-entries") { load in
            for writer in installation.replicas(of: .auditWriter) { try await writer.kill() }
            try await load.acknowledges(80)
            try await waitForMessages(in: "audit.writer")
            try await installation.broker.deleteQueue("audit.writer")
            try await installation.restartEnded()
        }
    }

    @Test func queuesAreDeletedUnderTheirConsumers() async throws {
        try await underLoad("deleted-queues") { load in
            for queue in ["engine.signals", "audit.writer", "engine.requests", "audit.requests"] {
                try await installation.broker.deleteQueue(queue)
                try await load.acknowledges(20)
            }
        }
        #expect(try await installation.restartEnded() == [], "no service ends because its queue is deleted")
    }

    @Test func brokerLosesEverything() async throws {
        var ended: [String] = []
        try await underLoad("wiped") { load in
            for service in [SystemService.engine, .auditWriter] {
                for replica in installation.replicas(of: service) { try await replica.kill() }
            }
            // Messages are in the queues when they go.
            try await load.acknowledges(80)
            try await waitForMessages(in: "engine.signals")
            try await installation.restartEnded()
            try await servers.resetRabbitMQ()
            try await installation.applyDefinitions()
            ended = try await installation.restartEnded()
        }
        #expect(ended == [], "no service ends because its broker forgets it")
        // Nor is any about to.
        try await installation.waitUntilReady()
    }

    /// Waits until confirmed messages lie in a queue that nobody consumes.
    private func waitForMessages(in queue: String) async throws {
        try await eventually("messages lie in \(queue)", within: .seconds(30)) {
            try await installation.broker.messageCounts()[queue] ?? 0
        } until: {
            $0 > 0
        }
    }
}
