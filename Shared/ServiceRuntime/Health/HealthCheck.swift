import Synchronization

/// One named check: runs at most once at a time, and answers within its bound whatever the check does.
///
/// A check that hangs is not started again; whoever asks meanwhile waits for the same run. The tasks are unstructured
/// because a structured one would have to wait for the check that hangs.
final class HealthCheck: Sendable {
    private struct State {
        var isRunning = false
        var waiters: [UInt64: CheckedContinuation<HealthState, Never>] = [:]
        var lastWaiter: UInt64 = 0
    }

    let name: String
    private let bound: Duration
    private let check: @Sendable () async -> HealthState
    private let state = Mutex(State())

    init(name: String, bound: Duration, check: @escaping @Sendable () async -> HealthState) {
        self.name = name
        self.bound = bound
        self.check = check
    }

    /// Runs the check, or joins the run that is under way.
    func find() async -> HealthFinding {
        let found = await withCheckedContinuation { continuation in
            let (waiter, starts) = state.withLock { state in
                state.lastWaiter &+= 1
                state.waiters[state.lastWaiter] = continuation
                defer { state.isRunning = true }
                return (state.lastWaiter, !state.isRunning)
            }
            if starts { Task { self.finish(await self.check()) } }
            Task {
                try? await Task.sleep(for: self.bound)
                self.giveUp(waiter)
            }
        }
        return HealthFinding(name: name, state: found)
    }

    private func finish(_ result: HealthState) {
        let waiters = state.withLock { state in
            defer { state.waiters = [:] }
            state.isRunning = false
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume(returning: result) }
    }

    private func giveUp(_ waiter: UInt64) {
        let continuation = state.withLock { $0.waiters.removeValue(forKey: waiter) }
        continuation?.resume(returning: .failing("no answer within \(bound)"))
    }
}
