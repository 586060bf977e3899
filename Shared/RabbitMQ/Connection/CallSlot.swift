import Synchronization

/// Joins a call with its cancellation, whichever comes first.
final class CallSlot: Sendable {
    private enum State {
        case initialized
        case waiting(UInt64)
        case cancelled
    }

    private let state = Mutex(State.initialized)

    /// The call has been entered under a number.
    ///
    /// - Returns: Whether it still stands; if not, the caller must cancel it itself.
    func entered(as id: UInt64) -> Bool {
        state.withLock { state in
            if case .cancelled = state { return false }
            state = .waiting(id)
            return true
        }
    }

    /// The caller's task was cancelled.
    ///
    /// - Returns: The number to cancel, if the call has been entered.
    func cancelled() -> UInt64? {
        state.withLock { state in
            defer { state = .cancelled }
            guard case .waiting(let id) = state else { return nil }
            return id
        }
    }
}
