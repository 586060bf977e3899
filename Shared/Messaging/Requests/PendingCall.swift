import Synchronization

/// A place for one result that one task waits for; the first result counts, every later one is dropped.
final class PendingCall: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<Reply, any Error>)
        case resolved(Result<Reply, any Error>)
        case taken
    }

    /// The broker user that may answer.
    let answerer: String
    private let state = Mutex(State.open)

    init(answerer: String) {
        self.answerer = answerer
    }

    /// Waits for the result; to be called once.
    func value() async throws -> Reply {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<Reply, any Error>? = state.withLock { state in
                switch state {
                case .open:
                    state = .waiting(continuation)
                    return nil
                case .resolved(let result):
                    state = .taken
                    return result
                case .waiting, .taken:
                    preconditionFailure("a call has one waiter")
                }
            }
            if let result { continuation.resume(with: result) }
        }
    }

    /// Offers a result.
    ///
    /// - Returns: Whether it was the first.
    @discardableResult
    func resolve(_ result: Result<Reply, any Error>) -> Bool {
        let (isFirst, waiter): (Bool, CheckedContinuation<Reply, any Error>?) = state.withLock { state in
            switch state {
            case .open:
                state = .resolved(result)
                return (true, nil)
            case .waiting(let continuation):
                state = .taken
                return (true, continuation)
            case .resolved, .taken:
                return (false, nil)
            }
        }
        waiter?.resume(with: result)
        return isFirst
    }
}
