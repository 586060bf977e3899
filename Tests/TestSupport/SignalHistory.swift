package import Foundation
private import Synchronization

/// What clients have asked for and were told, in Jepsen's words: `ok`, `fail`, or `info` where nobody knows.
package final class SignalHistory: Sendable {
    private struct State {
        var acknowledged: [String: UUID] = [:]
        var pending: Set<String> = []
        var contradictions: [String] = []
        var retried: [String: Int] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// The signals that were acknowledged: the client's id, and ours.
    ///
    /// None of these may be lost.
    package var acknowledged: [String: UUID] { state.withLock { $0.acknowledged } }

    /// How many signals were acknowledged.
    package var count: Int { state.withLock { $0.acknowledged.count } }

    /// Signals that were sent and never acknowledged: they may be there or not.
    package var unknown: Set<String> { state.withLock { $0.pending } }

    /// Answers that contradict an earlier one, or that no client should ever see.
    package var contradictions: [String] { state.withLock { $0.contradictions } }

    /// Why requests were sent once more, and how often.
    package var retried: [String: Int] { state.withLock { $0.retried } }

    /// `invoke`: a signal is about to be sent for the first time.
    package func invoked(_ id: String) { state.withLock { _ = $0.pending.insert(id) } }

    /// `ok`: the signal was acknowledged.
    package func acknowledged(_ id: String, as signalID: UUID) {
        state.withLock { state in
            state.pending.remove(id)
            let earlier = state.acknowledged.updateValue(signalID, forKey: id)
            guard let earlier, earlier != signalID else { return }
            state.contradictions.append("\(id) was acknowledged as \(earlier) and as \(signalID)")
        }
    }

    /// `fail` or `info`: the request was refused or lost, and is sent again.
    package func retrying(_ reason: String) { state.withLock { $0.retried[reason, default: 0] += 1 } }

    /// An answer that no client should ever see.
    package func surprised(_ what: String) { state.withLock { $0.contradictions.append(what) } }
}
