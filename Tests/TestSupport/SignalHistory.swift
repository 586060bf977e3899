package import Foundation
private import Synchronization

/// What clients have asked for and were told, in Jepsen's words: `ok`, `fail`, or `info` where nobody knows.
package final class SignalHistory: Sendable {
    /// One thing that happened to a client, in the order in which it happened.
    package struct Event: Hashable, Sendable {
        /// `invoke`, `ok`, `retry` or `surprise`.
        package let kind: String
        /// When, since the history began.
        package let at: Duration
        /// The client's id of the signal; empty where it is not known.
        package let id: String
        /// Our id, the reason, or what was surprising.
        package let detail: String
    }

    private struct State {
        let began = ContinuousClock.now
        var events: [Event] = []
        var acknowledged: [String: UUID] = [:]
        var pending: Set<String> = []
        var contradictions: [String] = []
        var retried: [String: Int] = [:]

        mutating func note(_ kind: String, _ id: String, _ detail: String = "") {
            events.append(Event(kind: kind, at: ContinuousClock.now - began, id: id, detail: detail))
        }
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

    /// Everything that happened, for a reader who wants to know how it came to a contradiction.
    package var events: [Event] { state.withLock { $0.events } }

    /// `invoke`: a signal is about to be sent for the first time.
    package func invoked(_ id: String) {
        state.withLock { state in
            state.pending.insert(id)
            state.note("invoke", id)
        }
    }

    /// `ok`: the signal was acknowledged.
    package func acknowledged(_ id: String, as signalID: UUID) {
        state.withLock { state in
            state.pending.remove(id)
            state.note("ok", id, signalID.uuidString.lowercased())
            let earlier = state.acknowledged.updateValue(signalID, forKey: id)
            guard let earlier, earlier != signalID else { return }
            state.contradictions.append("\(id) was acknowledged as \(earlier) and as \(signalID)")
        }
    }

    /// The operator has gone back to a moment at which these were not acknowledged yet: they are to be sent again.
    package func forget(_ ids: some Sequence<String>) {
        state.withLock { state in
            for id in ids { state.acknowledged[id] = nil }
        }
    }

    /// `fail` or `info`: the request was refused or lost, and is sent again.
    package func retrying(_ reason: String, _ id: String = "") {
        state.withLock { state in
            state.retried[reason, default: 0] += 1
            state.note("retry", id, reason)
        }
    }

    /// An answer that no client should ever see.
    package func surprised(_ what: String) {
        state.withLock { state in
            state.contradictions.append(what)
            state.note("surprise", "", what)
        }
    }
}
