import Testing

@testable import APIGatewayCore

@Suite struct HookBodyGateTests {
    private static let large = HookBodyGate.largeBytes + 1

    @Test func onlySoManyLargeBodiesAreHeldAtOnce() async throws {
        let gate = HookBodyGate(capacity: 1)
        try await gate.holding(Self.large) {
            await #expect(throws: GatewayProblem.overloaded) { try await gate.holding(Self.large) {} }
            try await gate.holding(HookBodyGate.largeBytes) {}
        }
        await #expect(throws: CancellationError.self) {
            try await gate.holding(Self.large) { throw CancellationError() }
        }
        try await gate.holding(Self.large) {}
    }
}
