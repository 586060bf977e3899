package import AsyncHTTPClient
package import Foundation
private import NIOHTTP1
private import Synchronization

/// One replica of a service: processes that follow each other under one name, at the same ports.
package final class Replica: Sendable {
    /// The service that it is a replica of.
    package let service: SystemService

    /// What tells it from its siblings.
    package let name: String

    /// The port of health and metrics.
    package let metricsPort: Int

    /// The port of the HTTP API; only a gateway listens there.
    package let httpPort: Int

    /// What configures it.
    package let environment: [String: String]

    /// Whose certificate a gateway shows; nil where it serves plain HTTP.
    private let authority: TestAuthority?
    private let processes = Mutex<[ServiceProcess]>([])
    private let leaving = Atomic(false)

    init(
        _ service: SystemService,
        number: Int,
        environment: [String: String],
        authority: TestAuthority? = nil
    ) throws {
        self.service = service
        self.authority = authority
        name = "\(service.rawValue)-\(number)"
        metricsPort = try FreePort.next()
        httpPort = try FreePort.next()
        var environment = environment
        environment["BATUTA_REPLICA"] = name
        if service == .gateway { environment["BATUTA_HTTP_ADDRESS"] = "127.0.0.1:\(httpPort)" }
        if service == .auditWriter { environment["BATUTA_AUDIT_STATE_DIR"] = Command.temporaryURL("checkpoints").path }
        self.environment = environment
    }

    /// The process that runs now, or ran last.
    package var process: ServiceProcess? { processes.withLock { $0.last } }

    /// Whether it runs.
    package var isRunning: Bool { process?.isRunning ?? false }

    /// Whether it has said that it is not ready since it was asked to end: a load balancer gives it no more connections.
    package var isLeaving: Bool { leaving.load(ordering: .relaxed) }

    /// The HTTP API of a gateway.
    ///
    /// - Parameters:
    ///   - headers: Fields of every request.
    ///   - connections: Whose connections are used; nil takes those that all tests share.
    /// - Returns: The client.
    package func client(headers: [String: String] = [:], on connections: HTTPClient? = nil) -> HTTPTestClient {
        HTTPTestClient(
            base: authority == nil ? "http://127.0.0.1:\(httpPort)" : "https://localhost:\(httpPort)",
            headers: headers,
            client: connections ?? authority.map(TestConnections.trusting) ?? TestConnections.impatient
        )
    }

    /// Health and metrics.
    package var metrics: HTTPTestClient { HTTPTestClient(base: "http://127.0.0.1:\(metricsPort)") }

    /// Starts a process and waits until it is ready.
    ///
    /// - Parameter crash: the crash point at which it is to die, like `in_audit_append:3`.
    /// - Throws: `TestSupportError` with the end of the log when it did not become ready.
    package func start(crashingAt crash: String? = nil) async throws {
        let process = try launch(crashingAt: crash)
        defer { leaving.store(false, ordering: .relaxed) }
        // It may reach its crash point before it is ready.
        do {
            try await process.waitUntilReady(within: .seconds(60))
        } catch  where crash != nil && process.exitStatus == Self.killed {
            return
        }
    }

    /// Starts a process without waiting.
    ///
    /// - Parameters:
    ///   - crash: the crash point at which it is to die.
    ///   - more: further variables of its environment.
    /// - Returns: the process.
    /// - Throws: `TestSupportError` when it could not be started.
    @discardableResult
    package func launch(crashingAt crash: String? = nil, with more: [String: String] = [:]) throws -> ServiceProcess {
        var environment = environment.merging(more, uniquingKeysWith: { $1 })
        if let crash {
            environment["BATUTA_ALLOW_FAULTS"] = "1"
            environment["BATUTA_CRASH_AT"] = crash
        }
        let process = try ServiceProcess(service.rawValue, environment: environment, metricsPort: metricsPort)
        processes.withLock { $0.append(process) }
        return process
    }

    /// Starts a process of the same service beside it, at ports of its own and with other settings.
    package func launchBeside(_ more: [String: String]) throws -> ServiceProcess {
        var environment = environment.merging(more, uniquingKeysWith: { $1 })
        if service == .gateway { environment["BATUTA_HTTP_ADDRESS"] = "127.0.0.1:\(try FreePort.next())" }
        if service == .auditWriter { environment["BATUTA_AUDIT_STATE_DIR"] = Command.temporaryURL("checkpoints").path }
        return try ServiceProcess(service.rawValue, environment: environment)
    }

    /// Waits until the process is ready; from then on a load balancer gives it connections again.
    package func waitUntilReady() async throws {
        try await process?.waitUntilReady(within: .seconds(60))
        leaving.store(false, ordering: .relaxed)
    }

    /// Waits until the process has killed itself at its crash point.
    package func waitForCrash(within limit: Duration = .seconds(60)) async throws {
        let status = try await process?.waitForExit(within: limit)
        guard status == Self.killed else {
            throw TestSupportError(
                .commandFailed,
                "\(name) ended with \(status.map(String.init) ?? "nothing"), not by its crash point.\n\(logs)"
            )
        }
    }

    /// Asks it to end; answers the exit status.
    @discardableResult
    package func terminate() async throws -> Int32 {
        guard let process, process.isRunning else { return process?.exitStatus ?? 0 }
        async let probe: Void = noticeLeaving(process)
        let status = try await process.terminate(within: .seconds(45))
        await probe
        return status
    }

    /// Asks for readiness as a load balancer does, until the answer is no.
    private func noticeLeaving(_ process: ServiceProcess) async {
        while process.isRunning {
            let answer = try? await metrics.send(.GET, "/readyz", within: .seconds(1))
            if answer?.status != 200 { break }
            try? await Task.sleep(for: .milliseconds(25))
        }
        leaving.store(true, ordering: .relaxed)
    }

    /// Kills it.
    package func kill() async throws {
        guard let process, process.isRunning else { return }
        try await process.kill()
    }

    /// The files that its processes have written to, the first one first.
    package var logFiles: [URL] { processes.withLock { $0.map(\.logFile) } }

    /// The end of what its latest processes have written.
    package var logs: String {
        processes.withLock { $0.suffix(2) }.map { $0.logTail(lines: 30) }.joined(separator: "\n")
    }

    /// The status of a process that SIGKILL has ended.
    private static let killed: Int32 = 128 + 9
}
