import Synchronization

/// Lets one task sleep until it is woken, or for a time at most.
package final class Alarm: Sendable {
    private struct State {
        var isRung = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    /// Wakes the sleeper, or the next one at once.
    package func ring() {
        let sleeper = state.withLock { state in
            state.isRung = state.sleeper == nil
            defer { state.sleeper = nil }
            return state.sleeper
        }
        sleeper?.resume()
    }

    /// Sleeps; ends early when woken, or when the task is cancelled.
    package func sleep(for duration: Duration) async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                do {
                    try await Task.sleep(for: duration)
                    self.ring()
                } catch {
                    // Woken before the time had come.
                }
            }
            await withTaskCancellationHandler {
                await waitForRing()
            } onCancel: {
                self.ring()
            }
            group.cancelAll()
        }
    }

    private func waitForRing() async {
        await withCheckedContinuation { continuation in
            let isRung = state.withLock { state in
                if !state.isRung { state.sleeper = continuation }
                defer { state.isRung = false }
                return state.isRung
            }
            if isRung { continuation.resume() }
        }
    }
}
