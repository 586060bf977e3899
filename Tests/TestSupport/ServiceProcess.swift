package import Foundation
private import Glibc
private import NIOHTTP1

/// One of our executables, started by a test as a process of its own.
package final class ServiceProcess: Sendable {
    /// The product's name, like `automation-engine`.
    package let name: String

    /// The process id.
    package var pid: Int32 { process.pid }

    /// The port of `/readyz`, `/livez` and `/metrics`, on loopback.
    package let metricsPort: Int

    /// The file that standard output and standard error are written to.
    package let logFile: URL

    private let process: SpawnedProcess

    /// Starts an executable of this package.
    ///
    /// The process inherits nothing but what every program needs (`PATH`, `HOME`, `TMPDIR`, `LANG`, `TZ`), so that
    /// what configures it stands in the test.
    ///
    /// - Parameters:
    ///   - name: the product's name.
    ///   - arguments: its arguments.
    ///   - environment: what configures it.
    ///   - metricsVariable: the variable that receives the address of health and metrics.
    ///   - metricsPort: that port; nil takes a free one.
    /// - Throws: `TestSupportError` when it could not be started.
    package init(
        _ name: String,
        arguments: [String] = [],
        environment: [String: String],
        metricsVariable: String = "BATUTA_METRICS_ADDRESS",
        metricsPort: Int? = nil
    ) throws {
        self.name = name
        self.metricsPort = try metricsPort ?? FreePort.next()
        logFile = Command.temporaryURL("\(name.split(separator: "/").last ?? "service").log")
        var variables = ProcessInfo.processInfo.environment.filter { Self.inherited.contains($0.key) }
        variables[metricsVariable] = "127.0.0.1:\(self.metricsPort)"
        process = try SpawnedProcess(
            try BuildFolder.executable(name),
            arguments,
            environment: variables.merging(environment, uniquingKeysWith: { $1 }),
            output: logFile.path
        )
    }

    deinit {
        // A test that failed half-way must not leave its services running.
        process.signal(SIGKILL)
        try? FileManager.default.removeItem(at: logFile)
    }

    /// False once the process has ended.
    package var isRunning: Bool { exitStatus == nil }

    /// The exit status, or 128 plus the signal that ended it; nil while it runs.
    package var exitStatus: Int32? { process.exitStatus }

    /// Waits until `/readyz` answers 200.
    ///
    /// - Parameter limit: how long that may take.
    /// - Throws: `TestSupportError` with the end of the log when the process ended or the deadline passed.
    package func waitUntilReady(within limit: Duration = .seconds(30)) async throws {
        let client = HTTPTestClient(base: "http://127.0.0.1:\(metricsPort)")
        do {
            try await eventually("\(name) is ready or has ended", within: limit) {
                guard self.isRunning else { return true }
                return try await client.send(.GET, "/readyz", within: .seconds(2)).status == 200
            }
        } catch let error as TestSupportError {
            throw TestSupportError(error.code, "\(error.message)\n\(logTail())")
        }
        guard let exitStatus else { return }
        throw TestSupportError(.commandFailed, "\(name) ended with \(exitStatus) before it was ready.\n\(logTail())")
    }

    /// Asks the process to end, as an operator does, and waits for its end.
    ///
    /// - Parameter limit: how long it may drain; afterwards it is killed and the call throws.
    /// - Returns: the exit status.
    /// - Throws: `TestSupportError` with the end of the log when the deadline passed.
    @discardableResult
    package func terminate(within limit: Duration = .seconds(30)) async throws -> Int32 {
        process.signal(SIGTERM)
        do {
            return try await waitForExit(within: limit)
        } catch let error as TestSupportError {
            process.signal(SIGKILL)
            throw error
        }
    }

    /// Kills the process, as a power failure would, and waits until it is gone.
    package func kill() async throws {
        process.signal(SIGKILL)
        try await waitForExit(within: .seconds(10))
    }

    /// Freezes the process: its connections stay open, its leases run out.
    package func pause() { process.signal(SIGSTOP) }

    /// Lets a frozen process run on.
    package func resume() { process.signal(SIGCONT) }

    /// Waits for the process's end without asking for it.
    ///
    /// - Returns: the exit status.
    /// - Throws: `TestSupportError` with the end of the log when the deadline passed.
    @discardableResult
    package func waitForExit(within limit: Duration = .seconds(30)) async throws -> Int32 {
        do {
            let status = try await eventually(
                "\(name) has ended",
                within: limit,
                look: { exitStatus },
                until: { $0 != nil }
            )
            return status ?? 0
        } catch let error as TestSupportError {
            throw TestSupportError(error.code, "\(error.message)\n\(logTail())")
        }
    }

    /// Everything the process has written.
    package var log: String {
        String(decoding: (try? Data(contentsOf: logFile)) ?? Data(), as: UTF8.self)
    }

    /// The last lines of the log, under a heading.
    package func logTail(lines: Int = 40) -> String {
        let tail = log.split(separator: "\n", omittingEmptySubsequences: false).suffix(lines)
        return "The end of \(name)'s log (\(logFile.path)):\n" + tail.joined(separator: "\n")
    }

    private static let inherited: Set<String> = ["PATH", "HOME", "TMPDIR", "LANG", "TZ"]
}
