import Synchronization

/// A place for one value that one task awaits and whoever has it delivers.
///
/// It exists before the work that fills it begins, so an answer cannot come too early; a second answer is dropped.
final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case awaited(CheckedContinuation<Value, Never>)
        case full(Value)
        case taken
    }

    private let state = Mutex<State>(.empty)

    /// Delivers the value, resuming the waiting task outside the lock; false when there was one already.
    @discardableResult
    func resolve(_ value: Value) -> Bool {
        let (continuation, isFirst): (CheckedContinuation<Value, Never>?, Bool) = state.withLock { state in
            switch state {
            case .empty:
                state = .full(value)
                return (nil, true)
            case .awaited(let continuation):
                state = .taken
                return (continuation, true)
            case .full, .taken:
                return (nil, false)
            }
        }
        continuation?.resume(returning: value)
        return isFirst
    }

    /// The value, once it is there; only one task may wait.
    func wait() async -> Value {
        if let value = takeIfFull() { return value }
        return await withCheckedContinuation { continuation in
            let value: Value? = state.withLock { state in
                switch state {
                case .empty:
                    state = .awaited(continuation)
                    return nil
                case .full(let value):
                    state = .taken
                    return value
                case .awaited, .taken:
                    preconditionFailure("two tasks wait for one value")
                }
            }
            if let value { continuation.resume(returning: value) }
        }
    }

    /// The value, once it is there; `onCancel` is to bring about an early one.
    func wait(onCancel: @Sendable () -> Void) async -> Value {
        if let value = takeIfFull() { return value }
        return await withTaskCancellationHandler {
            await wait()
        } onCancel: {
            onCancel()
        }
    }

    private func takeIfFull() -> Value? {
        state.withLock { state in
            guard case .full(let value) = state else { return nil }
            state = .taken
            return value
        }
    }
}
