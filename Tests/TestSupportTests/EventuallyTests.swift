import TestSupport
import Testing

@Suite("Waiting for a condition")
struct EventuallyTests {
    @Test("the value that satisfies the condition is returned, and errors before it count as not yet")
    func returnsTheValue() async throws {
        var looks = 0
        let value = try await eventually(
            "three looks",
            every: .zero,
            look: {
                looks += 1
                if looks == 1 { throw TestSupportError(.noResources, "Not yet.") }
                return looks
            },
            until: { $0 >= 3 }
        )
        #expect(value == 3)
    }

    @Test("a deadline that passes throws what was waited for and the last value")
    func deadline() async throws {
        let error = await #expect(throws: TestSupportError.self) {
            try await eventually("seven", within: .zero, every: .zero, look: { 6 }, until: { $0 == 7 })
        }
        #expect(error?.code == .deadlineExceeded)
        #expect(error?.message.contains("seven") == true)
        #expect(error?.message.contains("the last value was 6") == true)
    }

    @Test("a deadline that passes names the last error")
    func lastError() async throws {
        let error = await #expect(throws: TestSupportError.self) {
            try await eventually("calm", within: .zero) { throw TestSupportError(.noServers, "Nobody is there.") }
        }
        #expect(error?.message.contains("Nobody is there.") == true)
    }

    @Test("cancellation ends the wait with the cancellation, not with a deadline")
    func cancellation() async throws {
        let wait = Task { try await eventually("never", within: .seconds(3600)) { false } }
        wait.cancel()
        await #expect(throws: CancellationError.self) { try await wait.value }
    }
}
