import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Submits messages to the operator's relay (RFC 6409), each over a connection of its own.
///
/// A message goes to all of its recipients or to none: where the relay refuses one, it gets no message. What blocks runs on
/// a few threads, which are the limit of how many messages are under way; the others wait for their turn until their
/// deadline. There are no retries.
///
/// A client must be shut down, by ``shutdown()`` or by the end of ``run()``, before it is let go of.
package final class MailClient: Service, Sendable {
    /// How many messages are submitted at once.
    package static let standardConcurrency = 8

    /// Where the messages go.
    package let relay: MailRelay
    private let threads: NIOThreadPool
    private let clock: @Sendable () -> Int64
    private let underWay = Mutex<Controls>(Controls())

    /// Makes a client; its threads wait.
    ///
    /// - Parameters:
    ///   - relay: Where the messages go.
    ///   - concurrency: How many are submitted at once.
    ///   - clock: Seconds of Unix time.
    package init(
        _ relay: MailRelay,
        concurrency: Int = MailClient.standardConcurrency,
        clock: @escaping @Sendable () -> Int64
    ) {
        self.relay = relay
        self.clock = clock
        threads = NIOThreadPool(numberOfThreads: concurrency)
        threads.start()
    }

    /// Submits a message.
    ///
    /// - Parameters:
    ///   - message: What is sent.
    ///   - deadline: When everything must be over.
    /// - Throws: ``MailError``, whose outcome says whether the message may have been sent.
    package func send(_ message: MailMessage, deadline: ContinuousClock.Instant) async throws(MailError) {
        let bytes = try message.bytes(from: relay.sender, at: clock())
        let recipients = message.recipients
        guard deadline > .now else {
            throw MailError(.timedOut, "The deadline had passed before the message was sent.")
        }
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        // Whoever comes first completes it; later attempts do nothing.
        let answer = loop.makePromise(of: Void.self)
        let turn = SubmissionTurn()
        let control = Submission.Control()
        let timer = loop.scheduleTask(in: TimeAmount(deadline - .now)) {
            guard turn.withdraw() else { return }
            answer.fail(MailError(.busy, "Too many messages were under way for this one to have its turn in time."))
        }
        defer { timer.cancel() }
        do {
            try await withTaskCancellationHandler {
                threads.submit { [relay, self] state in
                    guard turn.begin() else { return }
                    guard state == .active, let id = enter(control) else {
                        answer.fail(MailError(.shutDown, "The client is shut down; nothing was sent."))
                        return
                    }
                    Submission(relay, recipients: recipients, message: bytes, control: control) {
                        answer.completeWith($0.mapError { $0 as any Error })
                    }
                    .run(patience: deadline - .now)
                    leave(id)
                }
                try await answer.futureResult.get()
            } onCancel: {
                guard turn.withdraw() else {
                    control.abandon()
                    return
                }
                answer.fail(MailError(.cancelled, "The message was given up before it was sent."))
            }
        } catch {
            throw error as? MailError ?? MailError(.connectionLost, .unknown, "The submission ended without a result.")
        }
    }

    /// Waits for the graceful shutdown, or cancellation, and then shuts down.
    package func run() async {
        try? await gracefulShutdown()
        await shutdown()
    }

    /// Ends what is under way, and refuses what is to come.
    package func shutdown() async {
        underWay.withLock { controls in
            controls.isShutDown = true
            for control in controls.entries.values { control.abandon() }
        }
        try? await threads.shutdownGracefully()
    }

    // MARK: - What is under way

    private struct Controls {
        var entries: [Int: Submission.Control] = [:]
        var last = 0
        var isShutDown = false
    }

    private func enter(_ control: Submission.Control) -> Int? {
        underWay.withLock { controls in
            guard !controls.isShutDown else { return nil }
            controls.last &+= 1
            controls.entries[controls.last] = control
            return controls.last
        }
    }

    private func leave(_ id: Int) {
        underWay.withLock { $0.entries[id] = nil }
    }
}
