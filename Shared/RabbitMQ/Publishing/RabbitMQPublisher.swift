package import Logging
import ServiceLifecycle

/// Publishes messages and tells each caller how the broker settled them.
///
/// A message stays with the publisher until it is confirmed, returned or refused, or until its deadline: when a
/// connection is lost, or the broker is silent or refuses responsibility, it is published again on another one.
/// So a message may arrive more than once, and a call that failed may still have published it. One that is marked as
/// sent once is published once at most: it fails with `connectionLost` or `confirmTimeout` where the broker may have it,
/// with `nacked` where the broker has refused it, and with anything else where it was not given away.
///
/// One thread of its own holds the one connection; calls only put messages in its mailbox and wait.
package final class RabbitMQPublisher: Service, Sendable {
    private let configuration: RabbitMQConfiguration
    private let core: PublisherCore
    private let logger: Logger

    /// Makes a publisher; nothing happens before `run`.
    ///
    /// - Parameters:
    ///   - configuration: Where to connect, and the limits.
    ///   - logger: Told of lost connections.
    ///   - topology: Declared on every connection, in order.
    package init(configuration: RabbitMQConfiguration, logger: Logger, topology: [TopologyDeclaration] = []) {
        self.configuration = configuration
        self.logger = logger
        core = PublisherCore(configuration: configuration, topology: topology)
    }

    /// How the connection is.
    package var status: ConnectionStatus { core.status }

    /// Whether there is a connection that is set up.
    package var isConnected: Bool { status.isConnected }

    /// Why the broker takes no messages although the connection stands: its alarm, in its own words.
    package var blockedReason: String? { core.blockedReason }

    /// How many messages the broker has yet to confirm.
    package var outstandingCount: Int { core.outstandingCount }

    /// Connects and serves until graceful shutdown, whose drain waits for confirms, or cancellation, which does not.
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

    /// Publishes a message and waits for the broker's confirm.
    ///
    /// - Parameters:
    ///   - message: What to publish.
    ///   - deadline: The end of the wait; `publishTimeout` from now when there is none.
    /// - Returns: Whether a queue has it.
    /// - Throws: `RabbitMQError`: `accessRefused` and `preconditionFailed` at once; at the deadline `blocked`,
    ///   `notFound` or `deadlineExceeded`; and `cancelled`, `stopped`, `invalidMessage`.
    package func publish(
        _ message: OutgoingMessage,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> PublishOutcome {
        let outcomes = try await publish(contentsOf: [message], deadline: deadline)
        guard let outcome = outcomes.first else {
            throw RabbitMQError(.protocolViolation, "a message was settled without an outcome")
        }
        return outcome
    }

    /// Publishes messages in order and waits until all of them are settled.
    ///
    /// - Returns: The outcomes, in the messages' order.
    /// - Throws: As for one message; some of them may have been published then.
    package func publish(
        contentsOf messages: [OutgoingMessage],
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [PublishOutcome] {
        guard !messages.isEmpty else { return [] }
        for message in messages { try message.validate() }
        let limit = deadline ?? .now + configuration.publishTimeout
        let slot = CallSlot()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { core.submit(messages, deadline: limit, slot: slot, caller: $0) }
        } onCancel: {
            if let submission = slot.cancelled() { core.cancel(submission) }
        }
        return try result.get()
    }

    /// Sends an event that nobody relies on: not mandatory, not repeated, not waited for.
    ///
    /// - Returns: Whether it was taken; never while there is no connection or the broker takes no messages.
    @discardableResult
    package func send(_ message: OutgoingMessage) -> Bool {
        var event = message
        event.isMandatory = false
        guard (try? event.validate()) != nil else { return false }
        return core.send(event)
    }
}
