import Synchronization

/// Notes how the parts ended, so that one log line can say it.
final class StopRecord: Sendable {
    struct Failure: Sendable {
        let part: String
        let error: any Error
    }

    private struct State {
        var firstFailure: Failure?
        var cancelled: [String] = []
    }

    private let state = Mutex(State())

    func failed(_ part: String, _ error: any Error) {
        state.withLock { state in
            if state.firstFailure == nil { state.firstFailure = Failure(part: part, error: error) }
        }
    }

    func cancelled(_ part: String) {
        state.withLock { $0.cancelled.append(part) }
    }

    /// The failure that came first; the others are mostly its consequences.
    var firstFailure: Failure? { state.withLock { $0.firstFailure } }

    /// The parts that were cancelled before they had finished.
    var cancelledParts: [String] { state.withLock { $0.cancelled } }
}
