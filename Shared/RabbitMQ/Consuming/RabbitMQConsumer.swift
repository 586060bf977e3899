package import Logging
import ServiceLifecycle

/// Consumes a queue; deliveries are taken in batches and acknowledged when their work is committed.
///
/// After a lost connection everything is declared and subscribed again; what had been delivered comes once more, and
/// settling a delivery of the earlier connection does nothing. At most `prefetch` deliveries are unsettled at once.
package final class RabbitMQConsumer: Service, Sendable {
    private let configuration: RabbitMQConfiguration
    private let core: ConsumerCore
    private let logger: Logger

    /// Makes a consumer; nothing happens before `run`.
    ///
    /// - Parameters:
    ///   - configuration: Where to connect, and the limits.
    ///   - queue: What to consume.
    ///   - bindings: Declared with the queue; an empty queue name stands for the consumer's queue.
    ///   - prefetch: How many deliveries may be unsettled, 1 to 65535.
    ///   - declaresQueue: Whether the queue is declared, rather than expected to be there.
    ///   - exchanges: Declared before the queue.
    ///   - isExclusive: Whether no other consumer may be subscribed.
    ///   - logger: Told of lost connections.
    package init(
        configuration: RabbitMQConfiguration,
        queue: QueueDeclaration,
        bindings: [Binding] = [],
        prefetch: Int = 500,
        declaresQueue: Bool = true,
        exchanges: [ExchangeDeclaration] = [],
        isExclusive: Bool = false,
        logger: Logger
    ) {
        self.configuration = configuration
        self.logger = logger
        let subscription = ConsumerCore.Subscription(
            queue: queue,
            bindings: bindings,
            prefetch: prefetch,
            declaresQueue: declaresQueue,
            exchanges: exchanges,
            isExclusive: isExclusive
        )
        core = ConsumerCore(configuration: configuration, subscription: subscription)
    }

    /// How the connection is.
    package var status: ConnectionStatus { core.status }

    /// Whether there is a connection that is set up.
    package var isConnected: Bool { status.isConnected }

    /// Whether the broker has confirmed the subscription and deliveries may come.
    package var isConsuming: Bool { core.isConsuming }

    /// The queue's name, which the broker may have chosen; `nil` while there is no connection.
    package var queueName: String? { core.queueName }

    /// Connects and consumes until graceful shutdown, which lets what is handed out be settled, or cancellation.
    ///
    /// - Throws: `RabbitMQError` when the broker refuses this client in a way that no repetition mends.
    package func run() async throws {
        try configuration.validate()
        let failure = try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await core.runThread(logger: logger)
            } onGracefulShutdown: { [core] in
                core.shutDown(isGraceful: true)
            }
        } onCancel: {
            core.shutDown(isGraceful: false)
        }
        if let failure { throw failure }
    }

    /// Waits for a delivery and returns what has arrived.
    ///
    /// - Parameters:
    ///   - maximum: The most that are wanted, at least 1.
    ///   - minimum: How many have to wait before this caller takes any; fewer are handed out after 50 milliseconds.
    /// - Returns: At least one delivery; `nil` once the consumer has been stopped.
    /// - Throws: `RabbitMQError`: what ended the consumer, or `cancelled`.
    package func nextBatch(maximum: Int, minimum: Int = 1) async throws -> [Delivery]? {
        let slot = CallSlot()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { caller in
                core.next(maximum: max(1, maximum), minimum: minimum, slot: slot, caller: caller)
            }
        } onCancel: {
            if let waiter = slot.cancelled() { core.cancelWait(waiter) }
        }
        return try result.get()
    }

    /// The deliveries one by one; ends once the consumer has been stopped.
    package var deliveries: Deliveries { Deliveries(consumer: self) }

    /// Settles a delivery, or with `multiple` all that were delivered up to it on its connection.
    package func acknowledge(_ delivery: Delivery, multiple: Bool = false) {
        core.settle(multiple ? .acknowledgeThrough(delivery.token) : .acknowledge([delivery.token]))
    }

    /// Settles deliveries, in as few commands as they allow.
    package func acknowledge(_ deliveries: [Delivery]) {
        guard !deliveries.isEmpty else { return }
        core.settle(.acknowledge(deliveries.map(\.token)))
    }

    /// Gives a delivery back to the queue, or away to its dead-letter exchange.
    package func reject(_ delivery: Delivery, requeue: Bool) { core.settle(.reject(delivery.token, requeue: requeue)) }

    /// Cancels the subscription; what has not been handed out goes back to the queue.
    package func pause() { core.setPaused(true) }

    /// Subscribes again after `pause`.
    package func resume() { core.setPaused(false) }

    /// Ends the subscription for good and returns once no delivery can come any more.
    ///
    /// What has been handed out can still be settled; what has not goes back to the queue.
    package func stop() async {
        await withCheckedContinuation { core.stop($0) }
    }
}

extension RabbitMQConsumer {
    /// The deliveries of a consumer, one by one.
    package struct Deliveries: AsyncSequence, Sendable {
        package typealias Element = Delivery

        fileprivate let consumer: RabbitMQConsumer

        package func makeAsyncIterator() -> Iterator { Iterator(consumer: consumer) }

        /// Takes one delivery at a time, so that none is lost with the iterator.
        package struct Iterator: AsyncIteratorProtocol {
            fileprivate let consumer: RabbitMQConsumer

            package mutating func next() async throws -> Delivery? {
                try await consumer.nextBatch(maximum: 1)?.first
            }
        }
    }
}
