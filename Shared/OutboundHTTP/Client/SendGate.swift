import Synchronization

/// Decides, once for each request, whether its first byte leaves or its sender has given up.
///
/// The connection opens the gate on its event loop before it writes; the sender closes it after a failure. Whichever
/// comes first wins, so what a sender was told was not sent never is.
final class SendGate: Sendable {
    /// Path and query to be asked for.
    let target: String

    private enum State {
        case waiting
        case sent
        case abandoned
    }

    private let state = Mutex(State.waiting)

    init(target: String) { self.target = target }

    /// The connection is about to write the request; false when it must not.
    func open() -> Bool { move(to: .sent) }

    /// The sender gives up; true when nothing was written, and nothing will be.
    func close() -> Bool { move(to: .abandoned) }

    private func move(to next: State) -> Bool {
        state.withLock { state in
            guard case .waiting = state else { return false }
            state = next
            return true
        }
    }
}

/// The gates of all requests under way, each under a number.
///
/// A request travels through the HTTP client with its number for a path; ``SendGateHandler`` puts the true one in.
final class SendGates: Sendable {
    private struct State {
        var lastNumber: UInt64 = 0
        var gates: [String: SendGate] = [:]
    }

    private let state = Mutex(State())

    /// Adds a gate and returns the path that stands for it.
    func add(_ gate: SendGate) -> String {
        state.withLock { state in
            state.lastNumber &+= 1
            let path = "/\(state.lastNumber)"
            state.gates[path] = gate
            return path
        }
    }

    /// The gate that a path stands for, while its request is under way.
    func gate(at path: String) -> SendGate? {
        state.withLock { $0.gates[path] }
    }

    /// Forgets a gate.
    func remove(_ path: String) {
        state.withLock { $0.gates[path] = nil }
    }
}
