import APIGatewayCore
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import TestSupport
import Testing

@Suite("A gateway that stops", .requiresServers, .timeLimit(.minutes(2)))
struct ConnectionDrainTests {
    /// What was logged, by level.
    private struct Recorder: LogHandler {
        final class Lines: Sendable {
            let all = Mutex<[(level: Logger.Level, text: String)]>([])
        }

        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.all.withLock { $0.append((event.level, "\(event.message)")) }
        }
    }

    /// Runs a gateway that finds no fault with its own end.
    private static func withGateway(
        closingPatience: Duration,
        _ body: @Sendable (TestGateway) async throws -> Void
    ) async throws {
        let lines = Recorder.Lines()
        var configuration = TestGateway.configuration
        configuration.server.closingPatience = closingPatience
        let logger = Logger(label: "test") { _ in Recorder(lines: lines) }
        try await TestGateway.with(configuration: configuration, logger: logger, body)
        #expect(lines.all.withLock { $0.filter { $0.level >= .warning }.map(\.text) } == [])
        #expect(lines.all.withLock { $0.contains { $0.text == "listening" } })
    }

    private static func isRefused(_ port: Int) async -> Bool {
        let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        guard let channel = try? await bootstrap.connect(host: "127.0.0.1", port: port).get() else {
            return true
        }
        // The server may have closed it already.
        try? await channel.close()
        return false
    }

    @Test("answers on the connections that are open, and asks their clients to close")
    func drain() async throws {
        // Longer than the test: the connection ends because its client is asked to end it.
        try await Self.withGateway(closingPatience: .seconds(600)) { test in
            let port = try #require(test.gateway.server.port)
            let client = test.client()
            let before = try await client.post("/api/signals", json: #"{"type":"a.b"}"#)
            #expect(before.status == 202)
            #expect(before.headers["Connection"] != ["close"])
            await test.stop()
            try await eventually("new connections are refused") { await Self.isRefused(port) }
            try await eventually("the client's own is left") { test.gateway.server.openConnections == 1 }
            let after = try await client.post("/api/signals", json: #"{"type":"a.b"}"#)
            #expect(after.status == 202)
            #expect(after.headers["Connection"] == ["close"])
        }
    }

    @Test("closes a connection whose client does nothing")
    func silence() async throws {
        try await Self.withGateway(closingPatience: .milliseconds(10)) { test in
            let silent = IdleConnections(1, port: test.gateway.server.port ?? 0, saying: "")
            #expect(silent.count == 1)
            try await eventually("it is there") { test.gateway.server.openConnections == 1 }
            await test.stop()
            try await eventually("it is gone") { test.gateway.server.openConnections == 0 }
            withExtendedLifetime(silent) {}
        }
    }
}
