import DequeModule
import Synchronization

/// Hands out lanes, each to one holder at a time, in the order of asking.
final class LanePool: Sendable {
    fileprivate struct Waiter {
        var id: UInt64
        var continuation: CheckedContinuation<Lane, any Error>
    }

    fileprivate struct State {
        var free: [Lane]
        var waiters: Deque<Waiter> = []
        var cancelled: Set<UInt64> = []
        var nextID: UInt64 = 0
        var isDraining = false
    }

    /// More waiters than this are refused.
    static let maximumWaiters = 10_000

    private let state: Mutex<State>

    init(_ lanes: [Lane]) {
        state = Mutex(State(free: lanes))
    }

    /// Waits for a free lane.
    ///
    /// Every holder has a deadline of its own, so the wait is bounded.
    func checkout() async throws -> Lane {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome = state.withLock { $0.checkout(id: id, continuation: continuation) }
                outcome?()
            }
        } onCancel: {
            let waiter = state.withLock { $0.cancel(id: id) }
            waiter?.resume(throwing: CancellationError())
        }
    }

    /// Gives a lane back.
    func checkin(_ lane: Lane) {
        let waiter: CheckedContinuation<Lane, any Error>? = state.withLock { state in
            if let waiter = state.waiters.popFirst() {
                return waiter.continuation
            }
            state.free.append(lane)
            return nil
        }
        waiter?.resume(returning: lane)
    }

    /// Takes out a free lane that satisfies a condition, if there is one; it has to be given back.
    func checkoutFree(where condition: (Lane) -> Bool) -> Lane? {
        state.withLock { state in
            state.free.firstIndex(where: condition).map { state.free.remove(at: $0) }
        }
    }

    /// Refuses everything from now on; lanes that are out come back as they are given back.
    func drain() {
        let waiters = state.withLock { state in
            state.isDraining = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters {
            waiter.continuation.resume(throwing: LaneError(code: .draining, message: "the process is shutting down"))
        }
    }

    /// The lanes that nobody holds.
    var free: [Lane] {
        state.withLock { $0.free }
    }
}

extension LanePool.State {
    /// Answers what is to be done once the lock is released.
    fileprivate mutating func checkout(
        id: UInt64,
        continuation: CheckedContinuation<Lane, any Error>
    ) -> (() -> Void)? {
        if cancelled.remove(id) != nil {
            return { continuation.resume(throwing: CancellationError()) }
        }
        if isDraining {
            let error = LaneError(code: .draining, message: "the process is shutting down")
            return { continuation.resume(throwing: error) }
        }
        if let lane = free.popLast() {
            return { continuation.resume(returning: lane) }
        }
        guard waiters.count < LanePool.maximumWaiters else {
            let error = LaneError(code: .tooManyWaiters, message: "too many transactions wait for a lane")
            return { continuation.resume(throwing: error) }
        }
        waiters.append(LanePool.Waiter(id: id, continuation: continuation))
        return nil
    }

    /// A cancellation may come before the wait begins; it then leaves a mark.
    fileprivate mutating func cancel(id: UInt64) -> CheckedContinuation<Lane, any Error>? {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else {
            cancelled.insert(id)
            return nil
        }
        return waiters.remove(at: index).continuation
    }
}
