import CRabbitMQ
import Glibc
import Synchronization

/// Sees to it that a thread inside a C call keeps nobody waiting for ever.
///
/// librabbitmq sends with no limit of time. While an owner thread is inside a call, the watchdog looks every tenth
/// of a second: it lets the client's callers meet their deadlines, and shuts the socket down at the call's limit,
/// which makes the call fail. It sleeps while no thread is inside a call.
final class Watchdog: Sendable {
    /// The one of this process.
    static let shared = Watchdog()

    /// What the watchdog knows of one owner thread.
    final class Post: Sendable {
        private struct State {
            var socket: Int32 = -1
            var limit: ContinuousClock.Instant?
        }

        private let state = Mutex(State())
        private let tick: @Sendable (ContinuousClock.Instant) -> Void

        /// Makes a post.
        ///
        /// - Parameter tick: Called from the watchdog's thread while the owner is inside a call.
        init(tick: @escaping @Sendable (ContinuousClock.Instant) -> Void) { self.tick = tick }

        /// Notes the socket to shut down at the limit.
        ///
        /// A duplicate is kept: the library closes its own descriptor whenever it likes, and its number is reused.
        func setSocket(_ socket: Int32) {
            state.withLock { state in
                if state.socket >= 0 { close(state.socket) }
                state.socket = socket >= 0 ? dup(socket) : -1
            }
        }

        fileprivate func enter(limit: ContinuousClock.Instant) { state.withLock { $0.limit = limit } }

        func leave() { state.withLock { $0.limit = nil } }

        /// Looks after the thread.
        ///
        /// - Returns: Whether it is inside a call.
        fileprivate func check(_ now: ContinuousClock.Instant) -> Bool {
            let isInside = state.withLock { state in
                guard let limit = state.limit else { return false }
                if limit <= now, state.socket >= 0 { crmq_shut_down_socket(state.socket) }
                return true
            }
            if isInside { tick(now) }
            return isInside
        }
    }

    private let posts = Mutex<[ObjectIdentifier: Post]>([:])
    private let isAsleep = Atomic(false)
    private let wake = WakeUp()

    private init() {
        _ = OwnerThread.start(name: "amqp-watchdog") { [unowned self] in watch() }
    }

    func add(_ post: Post) { posts.withLock { $0[ObjectIdentifier(post)] = post } }

    func remove(_ post: Post) { posts.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(post)) } }

    /// Marks the post's thread as inside a call until `leave`.
    func enter(_ post: Post, limit: ContinuousClock.Instant) {
        post.enter(limit: limit)
        if isAsleep.load(ordering: .sequentiallyConsistent) { wake.signal() }
    }

    private func watch() {
        while true {
            if checkAll() {
                _ = crmq_wait(-1, -1, 100)
                continue
            }
            isAsleep.store(true, ordering: .sequentiallyConsistent)
            // A thread that entered before the store did not signal, so look once more.
            if !checkAll() {
                _ = crmq_wait(-1, wake.descriptor, -1)
                wake.clear()
            }
            isAsleep.store(false, ordering: .sequentiallyConsistent)
        }
    }

    private func checkAll() -> Bool {
        let now = ContinuousClock.now
        var isAnyInside = false
        for post in posts.withLock({ Array($0.values) }) where post.check(now) { isAnyInside = true }
        return isAnyInside
    }
}
