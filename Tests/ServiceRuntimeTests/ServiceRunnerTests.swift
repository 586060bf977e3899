import Logging
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization
import Testing

@testable import ServiceRuntime

/// Keeps what happened, in order.
private final class Journal: Sendable {
    private let kept = Mutex<[String]>([])

    var entries: [String] { kept.withLock { $0 } }

    func note(_ entry: String) {
        kept.withLock { $0.append(entry) }
    }
}

/// A part that notes its start and its stop.
private struct NotingPart: Service {
    let name: String
    let journal: Journal
    let health: HealthRegistry

    func run() async throws {
        journal.note("start \(name)")
        try await gracefulShutdown()
        journal.note("stop \(name) while \(health.phase.rawValue)")
    }
}

/// Keeps the runner's health server.
private final class ServerSlot: Sendable {
    private let slot = Mutex<HealthServer?>(nil)

    var held: HealthServer? { slot.withLock { $0 } }

    func keep(_ server: HealthServer) {
        slot.withLock { $0 = server }
    }
}

/// A part that runs a closure.
private struct ClosurePart: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws { try await body() }
}

private struct SchemaTooOld: OperatorFacingError {
    var description: String { "The database schema is at 3 and this version needs 5; run batuta migrate up." }
}

@Suite struct ServiceRunnerTests {
    private static let port = ConfigurationKey<Int>.int("BATUTA_PORT", in: 1...10, default: 1, help: "A port.")
    private let sink = RecordingSink()
    private let journal = Journal()
    private let server = ServerSlot()

    private func run(
        _ environment: [String: String] = [:],
        build: @escaping @Sendable (ServiceContext) async throws -> [ServicePart],
        stop: @escaping @Sendable (@escaping @Sendable () -> Void) async throws -> Void = { _ in }
    ) async throws -> ServiceExit {
        let definition = ServiceDefinition(.scheduler, needs: [], keys: [Self.port])
        let fixed = ["BATUTA_METRICS_ADDRESS": "127.0.0.1:0", "BATUTA_REPLICA": "r-1", "BATUTA_LOG_LEVEL": "info"]
        let runner = ServiceRunner(
            definition,
            in: .init(
                environment: environment.merging(fixed) { own, _ in own },
                sink: sink,
                signals: [],
                ownsProcess: false,
                healthServerStarted: { server in self.keep(server) }
            )
        )
        return try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: ServiceExit.self) { group in
                group.addTask { await runner.run(build: build) }
                do {
                    try await stop { trigger.triggerGracefulShutdown() }
                } catch {
                    Issue.record(error)
                    // A service that nobody stops would keep the test from ending.
                    trigger.triggerGracefulShutdown()
                }
                return try #require(try await group.next())
            }
        }
    }

    private func keep(_ server: HealthServer) {
        self.server.keep(server)
    }

    private func parts(_ names: String..., health: HealthRegistry) -> [ServicePart] {
        names.map { ServicePart($0, NotingPart(name: $0, journal: journal, health: health)) }
    }

    @Test func partsStopInReverseOrderAndReadinessFirst() async throws {
        let status = try await run(
            build: { context in self.parts("database", "broker", "http", health: context.health) },
            stop: { trigger in
                try await eventually("all parts run") { journal.entries.count == 3 }
                try await eventually("listening") { server.held?.port != nil }
                let port = try #require(server.held?.port)
                try await eventually("ready") { (try? await fetch("/readyz", port: port).status) == 200 }
                trigger()
            }
        )
        #expect(status == .success)
        #expect(Set(journal.entries.prefix(3)) == ["start database", "start broker", "start http"])
        #expect(
            journal.entries.suffix(3) == [
                "stop http while draining", "stop broker while draining", "stop database while draining",
            ]
        )
        #expect(messages == ["starting", "ready", "draining", "stopped"])
    }

    @Test func livenessIsServedWhileThePartsAreBuiltAndAStopEndsTheBuild() async throws {
        let status = try await run(
            build: { context in
                self.journal.note("building")
                for await _ in AsyncStream<Void>.makeStream().stream {}
                try Task.checkCancellation()
                return self.parts("never", health: context.health)
            },
            stop: { trigger in
                try await eventually("building") { journal.entries == ["building"] }
                try await eventually("listening") { server.held?.port != nil }
                let port = try #require(server.held?.port)
                #expect(try await fetch("/livez", port: port).status == 200)
                #expect(try await fetch("/readyz", port: port).status == 503)
                trigger()
            }
        )
        #expect(status == .success)
        #expect(journal.entries == ["building"])
    }

    @Test func aPartThatFailsStopsTheOthersInOrder() async throws {
        struct Broken: Error {}
        let status = try await run(build: { context in
            self.parts("database", "broker", health: context.health) + [
                ServicePart(
                    "consumer",
                    ClosurePart {
                        try await eventually("others run") { self.journal.entries.count == 2 }
                        throw Broken()
                    }
                )
            ]
        })
        #expect(status == .failure)
        #expect(journal.entries.suffix(2) == ["stop broker while draining", "stop database while draining"])
        #expect(messages.last == "consumer failed: Broken()")
        #expect(sink.lines.filter { $0.contains(#""level":"critical""#) }.count == 1)
    }

    @Test func aPartThatEndsByItselfIsAFailure() async throws {
        let status = try await run(build: { _ in [ServicePart("relay", ClosurePart {})] })
        #expect(status == .failure)
        #expect(messages.last == "relay ended by itself.")
    }

    @Test func aPartMayEndBeforeItsTurnInTheDrain() async throws {
        let (stream, release) = AsyncStream.makeStream(of: Void.self)
        let status = try await run(
            build: { context in
                [ServicePart("early", ClosurePart { for await _ in stream {} })]
                    + self.parts("middle", health: context.health) + [
                        ServicePart(
                            "late",
                            ClosurePart {
                                self.journal.note("start late")
                                try await gracefulShutdown()
                                release.finish()
                            }
                        )
                    ]
            },
            stop: { trigger in
                try await eventually("all run") { journal.entries.count == 2 }
                trigger()
            }
        )
        #expect(status == .success)
        #expect(journal.entries.last == "stop middle while draining")
    }

    @Test func whatDoesNotDrainInTimeIsCancelled() async throws {
        let status = try await run(
            ["BATUTA_DRAIN_TIMEOUT": "20ms"],
            build: { _ in
                [
                    ServicePart(
                        "stuck",
                        ClosurePart {
                            self.journal.note("start stuck")
                            // Ends by cancellation alone.
                            for await _ in AsyncStream<Void>.makeStream().stream {}
                        }
                    )
                ]
            },
            stop: { trigger in
                try await eventually("running") { journal.entries == ["start stuck"] }
                trigger()
            }
        )
        #expect(status == .failure)
        #expect(messages.last == "The service did not drain within 0.02 seconds; what still ran was cancelled.")
        #expect(sink.lines.last?.contains(#""parts":["stuck"]"#) == true)
    }

    @Test func aRefusedStartIsOneSentence() async throws {
        let status = try await run(build: { _ in throw SchemaTooOld() })
        #expect(status == .failure)
        #expect(messages == ["starting", SchemaTooOld().description])
    }

    @Test func aWrongConfigurationIsToldWholeBeforeAnythingElse() async throws {
        let status = try await run(
            ["BATUTA_PORT": "x", "BATUTA_LOG_LEVEL": "loud"],
            build: { _ in throw SchemaTooOld() }
        )
        #expect(status == .configuration)
        #expect(status.rawValue == 78)
        #expect(
            sink.lines == [
                #"scheduler: BATUTA_LOG_LEVEL="loud" is none of its words; it takes one of trace, debug, info, notice, "#
                    + "warning, error, critical.\n"
                    + #"scheduler: BATUTA_PORT="x" is no whole number; it takes a whole number from 1 to 10."# + "\n"
            ]
        )
    }

    @Test func unknownNamesAreWarnedOf() async throws {
        _ = try await run(["BATUTA_PROT": "1"], build: { _ in throw SchemaTooOld() })
        #expect(
            messages.first == "BATUTA_PROT is not known and has no effect; the nearest known name is BATUTA_PORT."
        )
    }

    /// The messages of the lines, in order.
    private var messages: [String] {
        sink.lines.compactMap { line in
            guard let start = line.firstRange(of: #""message":""#)?.upperBound else { return nil }
            return String(line[start...].prefix { $0 != "\"" })
        }
    }
}
