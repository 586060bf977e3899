import Contracts
import Domain
package import FoundationEssentials
package import Logging
import Metrics
package import RabbitMQ
import ServiceLifecycle
import Synchronization

/// Makes requests to other services and waits for their replies.
///
/// All replies to the process come to one exclusive queue. When its connection is lost the queue is declared again under
/// the same name: replies sent meanwhile are gone, and their callers learn at their deadline that the request may have
/// been carried out; replies sent afterwards still arrive.
package final class RequestClient: Service, Sendable {
    /// How long a call waits for the reply queue to be there before it gives up.
    private static let patience = Duration.seconds(1)

    private let service: ServiceName
    private let appID: String
    private let instance: String
    private let publisher: RabbitMQPublisher
    private let replies: RabbitMQConsumer
    private let calls = Mutex<[String: PendingCall]>([:])
    private let logger: Logger

    /// Makes a client; nothing happens before `run`.
    ///
    /// - Parameters:
    ///   - service: The service that asks.
    ///   - appID: Its name in messages, as `api-gateway`.
    ///   - instance: The process.
    ///   - configuration: For the connection that replies come on.
    ///   - publisher: Publishes the requests; it is run by somebody else.
    ///   - logger: Told of replies that nobody asked for.
    package init(
        service: ServiceName,
        appID: String,
        instance: UUID,
        configuration: RabbitMQConfiguration,
        publisher: RabbitMQPublisher,
        logger: Logger
    ) {
        self.service = service
        self.appID = appID
        self.instance = instance.lowercased
        self.publisher = publisher
        self.logger = logger
        let subscription = Topology.replies(to: service, instance: instance.lowercased)
        var configuration = configuration
        configuration.connectionName += "/replies"
        replies = RabbitMQConsumer(
            configuration: configuration,
            queue: subscription.queue,
            bindings: subscription.bindings,
            prefetch: 1_000,
            logger: logger
        )
    }

    /// Whether requests can be made.
    package var isReady: Bool { replies.isConsuming && publisher.isConnected }

    /// How many calls wait for their reply.
    package var pendingCount: Int { calls.withLock { $0.count } }

    /// Takes replies until graceful shutdown or cancellation.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [replies] in try await replies.run() }
            group.addTask { [self] in
                while let batch = try await replies.nextBatch(maximum: 1_000) {
                    for delivery in batch { settle(delivery) }
                    replies.acknowledge(batch)
                }
            }
            try await group.waitForAll()
        }
    }

    /// Makes a request and waits for its reply.
    ///
    /// - Parameters:
    ///   - service: The service that is asked, by its schema's name.
    ///   - type: The request, as `RequestType` names it.
    ///   - body: JSON.
    ///   - context: On whose behalf.
    ///   - deadline: Until when to wait; the context's own where there is none.
    /// - Returns: The reply, which may be a problem.
    /// - Throws: `RequestError` when there is none.
    package func call(
        service: String,
        type: String,
        body: [UInt8],
        context: RequestContext,
        deadline: ContinuousClock.Instant? = nil
    ) async throws(RequestError) -> Reply {
        let deadline = deadline ?? context.deadline
        try await waitUntilReady(deadline: deadline)
        let remaining = ContinuousClock.now.duration(to: deadline)
        guard remaining >= .milliseconds(1) else {
            throw RequestError(.timedOut, "the deadline of \(type) had passed before it was sent")
        }
        let id = UUID().lowercased
        let pending = PendingCall(answerer: Topology.brokerUser(of: service))
        calls.withLock { $0[id] = pending }
        defer { calls.withLock { _ = $0.removeValue(forKey: id) } }
        let message = self.message(to: service, type: type, body: body, context: context, remaining: remaining, id: id)
        do {
            return try await exchange(message, pending, deadline: deadline)
        } catch let error as RequestError {
            Counter(label: "batuta_requests_failed", dimensions: [("type", type), ("code", error.code.rawValue)])
                .increment()
            throw error
        } catch {
            throw RequestError(.unavailable, "\(type) failed: \(error)")
        }
    }

    /// The message of a request.
    private func message(
        to service: String,
        type: String,
        body: [UInt8],
        context: RequestContext,
        remaining: Duration,
        id: String
    ) -> OutgoingMessage {
        var properties = MessageProperties(
            contentType: "application/json",
            messageID: id,
            correlationID: id,
            type: type,
            headers: RequestHeaders.write(context, remaining: remaining)
        )
        properties.replyTo = instance
        properties.expiration = String(max(1, remaining.wholeMilliseconds))
        properties.appID = appID
        properties.userID = self.service.brokerUser
        properties.timestamp = RequestHeaders.unixMilliseconds() / 1_000
        return OutgoingMessage(
            exchange: Topology.requestsExchange,
            routingKey: service,
            isMandatory: true,
            properties: properties,
            body: body
        )
    }

    /// Sends a request and waits for whatever comes first: its reply, the news that nobody took it, or the deadline.
    private func exchange(
        _ message: OutgoingMessage,
        _ pending: PendingCall,
        deadline: ContinuousClock.Instant
    ) async throws -> Reply {
        try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [publisher] in
                    if let error = await Self.publish(message, by: publisher, deadline: deadline) {
                        pending.resolve(.failure(error))
                    }
                }
                group.addTask {
                    guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else {
                        return
                    }
                    let type = message.properties.type ?? ""
                    pending.resolve(.failure(RequestError(.timedOut, "\(type) had no reply before its deadline")))
                }
                defer { group.cancelAll() }
                return try await pending.value()
            }
        } onCancel: {
            pending.resolve(.failure(RequestError(.cancelled, "the caller has gone away")))
        }
    }

    /// Publishes a request; answers why it cannot have a reply.
    private static func publish(
        _ message: OutgoingMessage,
        by publisher: RabbitMQPublisher,
        deadline: ContinuousClock.Instant
    ) async -> RequestError? {
        do {
            switch try await publisher.publish(message, deadline: deadline) {
            case .confirmed: return nil
            case .returned: return RequestError(.unavailable, "nobody takes requests to \(message.routingKey)")
            }
        } catch let error as RabbitMQError {
            switch error.code {
            case .deadlineExceeded, .cancelled: return nil
            case .accessRefused, .preconditionFailed: return RequestError(.refused, "\(error)")
            case .invalidMessage: return RequestError(.invalid, "\(error)")
            default: return RequestError(.unavailable, "the request could not be sent: \(error)")
            }
        } catch {
            return RequestError(.unavailable, "the request could not be sent: \(error)")
        }
    }

    /// Waits a moment for the reply queue, without which a reply would be lost.
    private func waitUntilReady(deadline: ContinuousClock.Instant) async throws(RequestError) {
        let limit = min(deadline, .now + Self.patience)
        while !isReady {
            guard ContinuousClock.now < limit else {
                throw RequestError(.unavailable, "the broker is not reachable")
            }
            do {
                try await Task.sleep(for: .milliseconds(10))
            } catch {
                throw RequestError(.cancelled, "the caller has gone away")
            }
        }
    }

    /// Gives a reply to the call that waits for it.
    private func settle(_ delivery: Delivery) {
        let properties = delivery.properties
        guard let id = properties.correlationID, let pending = calls.withLock({ $0[id] }) else {
            Counter(label: "batuta_replies_dropped", dimensions: [("reason", "late")]).increment()
            return
        }
        guard properties.userID == pending.answerer,
            let status = properties.headers[RequestHeaders.status]?.intValue, (100..<600).contains(status)
        else {
            Counter(label: "batuta_replies_dropped", dimensions: [("reason", "invalid")]).increment()
            logger.warning(
                "a reply was dropped, because it is not from the service that was asked or has no status",
                metadata: ["user": "\(properties.userID ?? "none")", "expected": "\(pending.answerer)"]
            )
            return
        }
        pending.resolve(.success(Reply(status: status, body: delivery.body)))
    }
}
