import TestSupport
import Testing

@Suite("Running programs")
struct CommandTests {
    @Test("status and output, of both streams, are those of the program")
    func statusAndOutput() async throws {
        let result = try await Command.run("/bin/sh", ["-c", "echo out; echo err >&2; exit 3"])
        #expect(result.status == 3)
        #expect(result.output == "out\nerr\n")
    }

    @Test("a program that a signal ended has 128 plus the signal as its status")
    func signalled() async throws {
        let result = try await Command.run("/bin/sh", ["-c", "kill -9 $$"])
        #expect(result.status == 137)
    }

    @Test("a program that leaves another running in the background is not waited for any longer")
    func background() async throws {
        let clock = ContinuousClock()
        let duration = try await clock.measure {
            let pid = try await Command.check("/bin/sh", ["-c", "sleep 60 & echo $!"])
            try await Command.check("/bin/kill", [pid.split(separator: "\n").map(String.init).first ?? ""])
        }
        #expect(duration < .seconds(30))
    }

    @Test("a failure that is checked for is thrown with what the program printed")
    func checked() async throws {
        let error = await #expect(throws: TestSupportError.self) {
            try await Command.check("/bin/sh", ["-c", "echo broken; exit 1"])
        }
        #expect(error?.code == .commandFailed)
        #expect(error?.message.contains("broken") == true)
    }

    @Test("a program that is not there is an error, not a crash")
    func absent() async throws {
        let error = await #expect(throws: TestSupportError.self) { try await Command.run("/nonexistent/program") }
        #expect(error?.code == .notStarted)
    }

    @Test("no port is handed out twice")
    func ports() throws {
        let ports = try (0..<50).map { _ in try FreePort.next() }
        #expect(Set(ports).count == ports.count)
    }
}
