import Synchronization

/// Bounds how many large bodies are held in memory at once: they come before anybody is known to have sent them.
final class HookBodyGate: Sendable {
    /// A body of more bytes is a large one.
    static let largeBytes = 1_024 * 1_024

    private let capacity: Int
    private let count = Mutex(0)

    init(capacity: Int = 8) {
        self.capacity = capacity
    }

    /// Runs a body that holds a request's bytes; 503 where there are too many large ones already.
    func holding<Value>(_ bytes: Int, _ body: () async throws -> Value) async throws -> Value {
        guard bytes > Self.largeBytes else {
            return try await body()
        }
        let isAdmitted = count.withLock { count in
            guard count < capacity else {
                return false
            }
            count += 1
            return true
        }
        guard isAdmitted else {
            throw GatewayProblem.overloaded
        }
        defer { count.withLock { $0 -= 1 } }
        return try await body()
    }
}
