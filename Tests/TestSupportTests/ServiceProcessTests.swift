import TestSupport
import Testing

@Suite("Processes of services")
struct ServiceProcessTests {
    /// A stand-in for a service: a shell that says it is there and then waits for signals.
    private func start(_ script: String) throws -> ServiceProcess {
        try ServiceProcess("/bin/sh", arguments: ["-c", script], environment: ["GREETING": "hello"])
    }

    private func waitForLog(of process: ServiceProcess, _ text: String) async throws {
        try await eventually("the log has \(text)", look: { process.log }, until: { $0.contains(text) })
    }

    @Test("the environment is the given one with the address of metrics, and the rest of ours stays out")
    func environment() async throws {
        let process = try start("env")
        #expect(try await process.waitForExit() == 0)
        #expect(process.log.contains("GREETING=hello\n"))
        #expect(process.log.contains("BATUTA_METRICS_ADDRESS=127.0.0.1:\(process.metricsPort)\n"))
        #expect(!process.log.contains("BATUTA_TEST_"))
    }

    @Test("a process that drains on SIGTERM ends with its own status")
    func terminates() async throws {
        let process = try start("trap 'echo drained; exit 7' TERM; echo started; while :; do sleep 0.01; done")
        try await waitForLog(of: process, "started")
        #expect(process.isRunning)
        #expect(try await process.terminate() == 7)
        #expect(process.log.contains("drained"))
        #expect(!process.isRunning)
    }

    @Test("a killed process has the status of the signal")
    func kills() async throws {
        let process = try start("echo started; exec sleep 600")
        try await waitForLog(of: process, "started")
        try await process.kill()
        #expect(process.exitStatus == 137)
    }

    @Test("a process that ends before it is ready fails at once, with the end of its log")
    func endsTooEarly() async throws {
        let process = try start("echo the reason; exit 78")
        let error = await #expect(throws: TestSupportError.self) { try await process.waitUntilReady() }
        #expect(error?.code == .commandFailed)
        #expect(error?.message.contains("ended with 78") == true)
        #expect(error?.message.contains("the reason") == true)
    }

    @Test("an executable that was not built is an error that says where it was looked for")
    func absent() throws {
        let error = #expect(throws: TestSupportError.self) { try ServiceProcess("no-such-service", environment: [:]) }
        #expect(error?.code == .notStarted)
        #expect(error?.message.contains("no-such-service") == true)
    }
}
