package import Contracts
import Domain
import JSON
package import Logging
import Metrics
import PostgreSQL
package import RabbitMQ
import ServiceLifecycle

/// Answers the requests to a service.
///
/// A request is acknowledged once it is answered. One that the broker delivers a second time is not carried out again,
/// because nobody knows how far the first delivery went: its caller is told to try again, which its idempotency key makes
/// safe.
package struct RequestServer: Service {
    /// Makes a problem of what a handler threw; nil leaves it to the server.
    package typealias Translate = @Sendable (any Error) -> Problem?

    private let service: ServiceName
    private let appID: String
    private let consumer: RabbitMQConsumer
    private let publisher: RabbitMQPublisher
    private let concurrency: Int
    private let routes: RequestRoutes
    private let translate: Translate
    private let logger: Logger

    /// Makes a server; nothing happens before `run`.
    ///
    /// - Parameters:
    ///   - service: The service that answers.
    ///   - appID: Its name in messages, as `automation-engine`.
    ///   - configuration: For the connection that requests come on.
    ///   - publisher: Publishes the replies; it is run by somebody else.
    ///   - concurrency: How many requests are answered at once.
    ///   - routes: What is answered.
    ///   - translate: Makes problems of the service's own errors.
    ///   - logger: Told of failures.
    package init(
        service: ServiceName,
        appID: String,
        configuration: RabbitMQConfiguration,
        publisher: RabbitMQPublisher,
        concurrency: Int = 64,
        routes: RequestRoutes,
        translate: @escaping Translate = { _ in nil },
        logger: Logger
    ) {
        self.service = service
        self.appID = appID
        self.publisher = publisher
        self.concurrency = max(1, concurrency)
        self.routes = routes
        self.translate = translate
        self.logger = logger
        let subscription = Topology.requests(to: service)
        var configuration = configuration
        configuration.connectionName += "/requests"
        consumer = RabbitMQConsumer(
            configuration: configuration,
            queue: subscription.queue,
            bindings: subscription.bindings,
            prefetch: max(1, concurrency),
            logger: logger
        )
    }

    /// Whether requests arrive.
    package var isReady: Bool { consumer.isConsuming && publisher.isConnected }

    /// Answers requests until graceful shutdown, which lets those under way end, or cancellation.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await consumer.run() }
            group.addTask { try await serve() }
            try await group.waitForAll()
        }
    }

    private func serve() async throws {
        try await withThrowingTaskGroup(of: Void.self) { handlers in
            var running = 0
            while let batch = try await consumer.nextBatch(maximum: concurrency) {
                for delivery in batch {
                    if running == concurrency {
                        try await handlers.next()
                        running -= 1
                    }
                    running += 1
                    handlers.addTask { await handle(delivery) }
                }
            }
            try await handlers.waitForAll()
        }
    }

    private func handle(_ delivery: Delivery) async {
        defer { consumer.acknowledge(delivery) }
        let began = ContinuousClock.now
        let type = delivery.properties.type ?? ""
        // Types that nobody answers share one label, so that a caller cannot make up metrics.
        let label = routes[type] == nil ? "unknown" : type
        let context: RequestContext
        do {
            context = try RequestHeaders.read(delivery.properties.headers)
        } catch {
            logger.warning("a request has wrong headers", metadata: ["type": "\(label)", "error": "\(error)"])
            await send(Reply(Problem(.invalidRequest)), to: delivery, deadline: began + .seconds(5))
            return
        }
        guard began < context.deadline else {
            Counter(label: "batuta_requests_expired", dimensions: [("type", label)]).increment()
            return
        }
        let reply = delivery.isRedelivered ? Reply(Problem(.unavailable)) : await answer(delivery, type, context)
        Counter(label: "batuta_requests_served", dimensions: [("type", label), ("status", "\(reply.status)")])
            .increment()
        Metrics.Timer(label: "batuta_request_duration", dimensions: [("type", label)])
            .recordNanoseconds(began.duration(to: .now).wholeMicroseconds * 1_000)
        await send(reply, to: delivery, deadline: context.deadline)
    }

    private func answer(_ delivery: Delivery, _ type: String, _ context: RequestContext) async -> Reply {
        guard let handler = routes[type] else {
            return Reply(Problem(.unknownRequest))
        }
        let document: JSONDocument
        do {
            // What a client sent may stand within it, as deep as it may be.
            document = try JSONDocument(parsing: delivery.body, limits: .wrapped)
        } catch {
            return Reply(Problem(.invalidJSON))
        }
        do {
            return try await handler(context, document)
        } catch {
            return Reply(problem(of: error, type: type, context: context))
        }
    }

    /// What a caller is told of an error; nothing of its inside.
    private func problem(of error: any Error, type: String, context: RequestContext) -> Problem {
        if let problem = error as? Problem ?? translate(error) {
            return problem
        }
        if let error = error as? RequestError {
            return error.problem
        }
        if let error = error as? LaneError {
            logger.warning("a request found no lane", metadata: ["type": "\(type)", "error": "\(error)"])
            return Problem(.unavailable)
        }
        if let error = error as? PostgresError, error.isRetryable || Self.passingCodes.contains(error.code) {
            logger.warning("a request found no database", metadata: ["type": "\(type)", "error": "\(error)"])
            return Problem(.unavailable)
        }
        logger.error(
            "a request failed",
            metadata: ["type": "\(type)", "request_id": "\(context.requestID)", "error": "\(error)"]
        )
        return Problem(.internalError)
    }

    /// Errors of the database that say nothing about the request.
    private static let passingCodes: Set<PostgresError.Code> = [
        .commitOutcomeUnknown, .deadlineExceeded, .shutdown, .cancelled,
    ]

    private func send(_ reply: Reply, to delivery: Delivery, deadline: ContinuousClock.Instant) async {
        guard let caller = delivery.properties.replyTo, let id = delivery.properties.correlationID else {
            return
        }
        var properties = MessageProperties(
            contentType: "application/json",
            correlationID: id,
            type: delivery.properties.type,
            headers: [RequestHeaders.status: .int64(Int64(reply.status))]
        )
        properties.isPersistent = false
        properties.appID = appID
        properties.userID = service.brokerUser
        let message = OutgoingMessage(
            exchange: Topology.repliesExchange,
            routingKey: caller,
            isMandatory: false,
            properties: properties,
            body: reply.body
        )
        guard !publisher.send(message) else {
            return
        }
        // There is no connection at present: the publisher keeps the reply until there is one, or it is of no use.
        do {
            _ = try await publisher.publish(message, deadline: deadline)
        } catch {
            logger.warning("a reply could not be sent", metadata: ["error": "\(error)"])
        }
    }
}

extension Duration {
    /// Microseconds, rounded down.
    fileprivate var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        return min(max(seconds, 0), 1_000_000_000) * 1_000_000 + max(attoseconds, 0) / 1_000_000_000_000
    }
}
