package import ArgumentParser
import Foundation
import Persistence

/// `batuta bench`: measures what a running system does, end to end.
package struct BenchCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure durable runs per second, end to end, and the CPU that they cost.",
        discussion: """
            Posts events of 1 KB over HTTP, each of which starts a run of three steps, and stops the clock when the audit \
            entry of the last run is stored in the log: first one event per request, then in batches. One line of JSON per \
            figure goes to standard output. Nothing else should use the system meanwhile: every entry that reaches the log \
            counts. The automation that it creates is deactivated in the end; its runs stay.

            What the log holds is read from the audit-writer's metrics or, with --database-url, from the database; then \
            lone signals are measured as well. \(DatabaseOptions.urlName), or the file that \(DatabaseOptions.urlName)_FILE \
            names, stands for --database-url.
            """
    )

    @OptionGroup var gateway: GatewayOptions

    @Option(name: .long, help: "How many signals are measured.")
    var signals = 20_000

    @Option(name: .long, help: "How many signals are sent before, unmeasured.")
    var warmUp = 2_000

    @Option(name: .long, help: "How many connections are kept busy.")
    var concurrency = 64

    @Option(name: .long, help: "The automation's key; otherwise a new one.")
    var automationKey: String?

    @Option(name: .long, help: "The audit-writer's metrics.")
    var metrics = "http://127.0.0.1:9105/metrics"

    @Option(name: .long, help: "postgres://user:password@host:port/database of a user who may read every schema.")
    var databaseURL: String?

    @Option(name: .long, help: "How many signals are sent one after the other; needs --database-url.")
    var loneSignals = 200

    @Option(name: .long, help: "How many signals a request carries in the load that posts batches; 0 leaves it out.")
    var batch = 50

    @Option(name: .long, help: "How often each list of runs and signals is asked for.")
    var listings = 100

    @Option(name: .long, help: "How many seconds of load at half the speed are measured; 0 leaves it out.")
    var soak = 0

    @Option(
        name: .long,
        help: """
            What the steps do: pure, or http, which calls a sink of this command's own; or parked: one that waits, to \
            measure what waiting runs cost and how late they go on, which needs --database-url.
            """
    )
    var steps = Steps.pure

    @Option(name: .long, help: "host:port at which the engine reaches the sink; BATUTA_HTTP_ALLOW must allow it.")
    var sink = "127.0.0.1:0"

    @Option(name: .long, help: "What each line carries as its label.")
    var label: String?

    @Option(
        name: .customLong("process"),
        help: "name=pid of a process whose CPU and memory are counted, with all its descendants."
    )
    var processes: [ProcessTree] = []

    @Option(name: .long, help: "After so many seconds it fails.")
    var deadline = 180

    /// What the steps do.
    enum Steps: String, CaseIterable, ExpressibleByArgument {
        case pure
        case http
        case parked
    }

    package init() {}

    package mutating func validate() throws {
        guard (1...10_000_000).contains(signals), (0...1_000_000).contains(warmUp), (1...10_000).contains(concurrency),
            (0...100_000).contains(loneSignals), (1...86_400).contains(deadline),
            // More would not fit into the megabyte that a batch may have.
            (0...1_000).contains(batch), (0...100_000).contains(listings),
            (0...86_400).contains(soak)
        else {
            throw ValidationError("A number is out of its range.")
        }
        guard BenchSink.parts(of: sink) != nil else {
            throw ValidationError("The sink's address must be host:port.")
        }
        guard steps != .parked || deadline > 2 * ParkedRuns.pause else {
            throw ValidationError("The deadline comes before the end of the waits.")
        }
        guard soak < deadline else {
            throw ValidationError("The deadline comes before the end of the soak.")
        }
        guard Set(processes.map(\.name)).count == processes.count else {
            throw ValidationError("Two processes have the same name.")
        }
    }

    package mutating func run() async throws {
        guard let url = try databaseURL ?? EnvironmentSetting.value(DatabaseOptions.urlName) else {
            return try await run(log: .metrics(metrics), database: nil)
        }
        let configuration: PostgresConfiguration
        do {
            configuration = try PostgresConfiguration(url: url)
        } catch {
            throw ValidationError(error.message)
        }
        try await DatabaseSession.with(configuration) { client in
            try await run(log: .database(client), database: client)
        }
    }

    private func run(log: AuditLogSize, database: PostgresClient?) async throws {
        guard steps != .parked || database != nil else {
            throw ValidationError("Waiting runs are counted in the database, which needs --database-url.")
        }
        let sink = try await startSink()
        let plan = BenchPlan(
            run: try makeRun(log: log, steps: benchSteps(sink)),
            database: database,
            signals: signals,
            warmUp: warmUp,
            batch: batch,
            loneSignals: loneSignals,
            listings: listings,
            soak: soak,
            show: { Self.printLine($0.line(label: label)) }
        )
        try await plan.perform()
        await sink?.stop()
    }

    private func benchSteps(_ sink: BenchSink?) -> BenchSteps {
        steps == .parked ? .parked(ParkedRuns.pause) : sink.map { .http($0.address) } ?? .pure
    }

    private func startSink() async throws -> BenchSink? {
        switch steps {
        case .pure, .parked: nil
        case .http: try await BenchSink.start(at: sink)
        }
    }

    private func makeRun(log: AuditLogSize, steps: BenchSteps) throws -> BenchRun {
        let client = try gateway.client()
        guard client.base.scheme == "http", let host = client.base.host else {
            throw ValidationError(
                "The load is sent over plain connections, so the address must be http://; a gateway that serves https:// "
                    + "can be measured by a replica without TLS beside it."
            )
        }
        let unique = String(UInt32.random(in: .min ... .max), radix: 36)
        let key = automationKey ?? "bench-\(unique)"
        return BenchRun(
            client: client,
            host: host,
            port: client.base.port ?? 80,
            automation: BenchAutomation(key: key, signalType: "bench.\(unique)", client: client, steps: steps),
            log: log,
            processes: processes,
            concurrency: concurrency,
            deadline: .now + .seconds(deadline),
            tell: { StandardStream.error.writeLine($0) }
        )
    }

    private static func printLine(_ line: String) {
        StandardStream.output.writeLine(line)
    }
}
