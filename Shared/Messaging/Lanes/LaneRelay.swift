import Domain
import FaultInjection
import Logging
import RabbitMQ
import Synchronization

/// Publishes what one destination of a lane holds, in order, until the broker has confirmed it.
final class LaneRelay: Sendable {
    /// How far the destination has come, for the verifier.
    struct Progress: Sendable {
        var confirmed: Int64
        /// Confirmed at or before the instant asked for.
        var confirmedLongAgo: Int64
        var verified: Int64
        /// Whether more is published once the consumer is known to hold what it has.
        var isHeld: Bool

        /// Up to where the consumer is asked: while others wait for its answer, even about what has just been confirmed.
        var askable: Int64 { isHeld ? confirmed : confirmedLongAgo }
    }

    private struct State {
        var queue: RelayQueue
        var confirmed: Int64
        var times: ConfirmedTimes
        /// When the oldest unverified item was committed, in milliseconds of Unix time, as far as is known.
        var oldest: UInt64?
    }

    let destination: Destination
    let epoch: Int64
    let producer: String
    /// Whether the lane is another instance's, which this one has taken over.
    let isTakenOver: Bool
    private let context: LaneContext
    private let state: Mutex<State>
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private let onConfirmed: @Sendable () -> Void

    /// Makes a relay; nothing is sent before `run`.
    ///
    /// - Parameters:
    ///   - context: What the lanes of the process have in common.
    ///   - epoch: The lane.
    ///   - producer: Its name.
    ///   - destination: Which of its destinations.
    ///   - last: The last number committed.
    ///   - confirmed: The last one confirmed.
    ///   - verified: The last one that the consumer holds.
    ///   - oldest: When the one after that was committed, in milliseconds of Unix time.
    ///   - isTakenOver: Whether the lane was another instance's.
    ///   - onConfirmed: Called when more is confirmed.
    init(
        context: LaneContext,
        epoch: Int64,
        producer: String,
        destination: Destination,
        last: Int64 = 0,
        confirmed: Int64 = 0,
        verified: Int64 = 0,
        oldest: UInt64? = nil,
        isTakenOver: Bool = false,
        onConfirmed: @escaping @Sendable () -> Void
    ) {
        self.context = context
        self.epoch = epoch
        self.producer = producer
        self.destination = destination
        self.isTakenOver = isTakenOver
        self.onConfirmed = onConfirmed
        state = Mutex(
            State(
                queue: RelayQueue(
                    taken: confirmed,
                    committed: last,
                    verified: verified,
                    window: context.outbox.window
                ),
                confirmed: confirmed,
                times: ConfirmedTimes(settled: confirmed),
                oldest: oldest
            )
        )
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        if last > confirmed {
            wake.yield()
        }
    }

    /// Messages were committed; they are published soon.
    func committed(_ messages: some Sequence<OutboxMessage>) {
        state.withLock { state in
            for message in messages {
                if state.queue.waiting == 0 {
                    state.oldest = UUIDv7.milliseconds(of: message.id)
                }
                state.queue.committed(message)
            }
        }
        wake.yield()
    }

    /// Everything up to this number is committed; what memory does not hold is read from the outbox.
    func committed(through seq: Int64) {
        state.withLock { state in
            if state.queue.waiting == 0 {
                state.oldest = UUIDv7.milliseconds(of: UUIDv7.make())
            }
            state.queue.committed(through: seq)
        }
        wake.yield()
    }

    /// The last number confirmed together with all before it.
    var confirmed: Int64 {
        state.withLock { $0.confirmed }
    }

    /// Whether everything committed is confirmed, or waits for the consumer.
    var isFlushed: Bool {
        state.withLock { $0.confirmed >= ($0.queue.isHeld ? $0.queue.takenSeq : $0.queue.committedSeq) }
    }

    /// Whether everything committed is verified.
    var isVerified: Bool {
        state.withLock { $0.queue.waiting == 0 }
    }

    /// What of this destination waits for its consumer.
    var backlog: OutboxBacklog {
        state.withLock { OutboxBacklog(items: $0.queue.waiting, oldest: $0.oldest) }
    }

    /// How far the destination has come, and had come at an earlier instant.
    func progress(confirmedBefore instant: ContinuousClock.Instant) -> Progress {
        state.withLock { state in
            Progress(
                confirmed: state.confirmed,
                confirmedLongAgo: state.times.confirmedBefore(instant),
                verified: state.queue.verifiedSeq,
                isHeld: state.queue.isHeld
            )
        }
    }

    /// The consumer holds everything up to this number; what waited for that is published now.
    ///
    /// - Parameters:
    ///   - seq: The number.
    ///   - next: A message that tells the age of what comes after it.
    func verified(_ seq: Int64, next: OutboxMessage?) {
        let isHeld = state.withLock { state in
            let isHeld = state.queue.isHeld
            state.queue.verified(seq)
            state.oldest = state.queue.waiting > 0 ? next.flatMap { UUIDv7.milliseconds(of: $0.id) } : nil
            return isHeld
        }
        if isHeld {
            wake.yield()
        }
    }

    /// Nothing more will be committed: `run` ends once everything at hand is published.
    func finish() {
        wake.finish()
    }

    /// Publishes until the relay is finished or the task is cancelled.
    func run() async {
        for await _ in wakes {
            while !Task.isCancelled {
                do {
                    guard let messages = try await nextMessages() else {
                        break
                    }
                    await publish(messages)
                } catch {
                    context.logger.warning(
                        "the outbox cannot be read, and is tried again",
                        metadata: ["error": "\(error)", "epoch": "\(epoch)"]
                    )
                    try? await Task.sleep(for: .milliseconds(500))
                }
            }
        }
    }

    private func nextMessages() async throws -> [OutboxMessage]? {
        switch state.withLock({ $0.queue.next(maximum: 256) }) {
        case .messages(let messages):
            return messages
        case .nothing, .held:
            return nil
        case .read(let seq, let last, let limit):
            let messages = try await context.withBodies(
                try await context.repository.messages(
                    epoch: epoch,
                    destination: destination,
                    after: seq,
                    through: last,
                    limit: limit
                )
            )
            guard !messages.isEmpty else {
                return nil
            }
            state.withLock { $0.queue.read(messages) }
            return messages
        }
    }

    /// Publishes messages again and again until each is confirmed, then moves the watermark on.
    ///
    /// Commands that were cleared are left out, and count as confirmed: whoever took the lane over while this process
    /// stood still has sent them, and their consumer is known to hold them.
    private func publish(_ messages: [OutboxMessage]) async {
        var remaining = (destination == .commands ? messages.filter { !$0.body.isEmpty } : messages)[...]
        var pause = Duration.milliseconds(50)
        while !remaining.isEmpty, !Task.isCancelled {
            remaining = await attempt(remaining)
            guard let first = remaining.first else {
                break
            }
            confirmed(through: first.firstSeq - 1)
            try? await Task.sleep(for: pause * Double.random(in: 0.5...1))
            pause = min(pause * 2, .seconds(5))
        }
        guard remaining.isEmpty, let last = messages.last else {
            return
        }
        CrashPoints.reached(.afterPublishBeforeWatermark)
        confirmed(through: last.lastSeq)
    }

    /// Publishes messages once and answers those that are not confirmed.
    private func attempt(_ messages: ArraySlice<OutboxMessage>) async -> ArraySlice<OutboxMessage> {
        let outgoing = messages.map {
            $0.outgoing(service: context.service, user: context.brokerUser, producer: producer, epoch: epoch)
        }
        do {
            let outcomes = try await context.publisher.publish(
                contentsOf: outgoing,
                deadline: ContinuousClock.now + .seconds(30)
            )
            return ArraySlice(zip(messages, outcomes).filter { $0.1 != .confirmed }.map(\.0))
        } catch {
            context.logger.debug(
                "publishing is tried again",
                metadata: ["error": "\(error)", "destination": "\(destination)", "epoch": "\(epoch)"]
            )
            return messages
        }
    }

    private func confirmed(through seq: Int64) {
        state.withLock { state in
            state.confirmed = max(state.confirmed, seq)
            state.times.confirmed(state.confirmed, at: .now)
        }
        onConfirmed()
    }
}
