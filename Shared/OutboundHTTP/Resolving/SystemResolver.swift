import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Asks the system, which means `/etc/hosts`, DNS and whatever else it is configured for.
///
/// `getaddrinfo` blocks and cannot be stopped, so it runs on a few threads of its own. A caller waits no longer than its
/// limit; the thread goes on until the system gives up. A call that nobody waits for any more is not begun.
final class SystemResolver: Sendable {
    private let threads: NIOThreadPool
    private let group: any EventLoopGroup
    private let limit: Duration
    private let lookUp: @Sendable (String) throws -> [IPAddress]
    private let waiting = Mutex(0)
    private static let waitingLimit = 512

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - threadCount: how many names are resolved at once.
    ///   - limit: how long a caller waits, its turn included.
    ///   - group: where the waiting is timed.
    ///   - lookUp: the blocking call.
    init(
        threadCount: Int = 4,
        limit: Duration,
        group: any EventLoopGroup,
        lookUp: @escaping @Sendable (String) throws -> [IPAddress] = NameLookup.addresses
    ) {
        threads = NIOThreadPool(numberOfThreads: threadCount)
        threads.start()
        self.group = group
        self.limit = limit
        self.lookUp = lookUp
    }

    /// Every address of a name, each once, in the system's order of preference.
    ///
    /// - Throws: ``OutboundError``; with code `cancelled` when the task is.
    func addresses(of name: String) async throws -> [IPAddress] {
        try enter()
        defer { waiting.withLock { $0 -= 1 } }
        let loop = group.any()
        // Whoever comes first completes it: the thread, the timer or the cancellation; later attempts do nothing.
        let answer = loop.makePromise(of: [IPAddress].self)
        let isAwaited = Flag(true)
        let timer = loop.scheduleTask(in: TimeAmount(limit)) {
            answer.fail(OutboundError(.resolutionFailed, .notSent, "The name \(name) was not resolved in time."))
        }
        defer {
            isAwaited.value = false
            timer.cancel()
        }
        return try await withTaskCancellationHandler {
            threads.submit { [lookUp] state in
                guard state == .active, isAwaited.value else {
                    answer.fail(OutboundError(.shutDown, .notSent, "The client is shut down."))
                    return
                }
                answer.completeWith(Result { try lookUp(name) })
            }
            return try await answer.futureResult.get()
        } onCancel: {
            answer.fail(OutboundError(.cancelled, .notSent, "The request was cancelled."))
        }
    }

    /// Ends the threads once what they are at is done; later calls fail.
    func shutdown() async {
        try? await threads.shutdownGracefully()
    }

    private func enter() throws(OutboundError) {
        let isFull = waiting.withLock { count in
            guard count < Self.waitingLimit else { return true }
            count += 1
            return false
        }
        guard isFull else { return }
        throw OutboundError(.busy, .notSent, "Too many names are being resolved already.")
    }

    /// A Boolean that threads share.
    private final class Flag: Sendable {
        private let storage: Atomic<Bool>

        init(_ value: Bool) { storage = Atomic(value) }

        var value: Bool {
            get { storage.load(ordering: .acquiring) }
            set { storage.store(newValue, ordering: .releasing) }
        }
    }
}
