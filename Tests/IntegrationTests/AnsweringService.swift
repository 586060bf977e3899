import Foundation
import JSON
import Logging
import Messaging
import Synchronization
import TestSupport
import Testing

/// A service that carries out an action: it takes calls from its queue and answers with their idempotency keys.
final class AnsweringService: Sendable {
    private struct State {
        var keys: [String] = []
        var isHoldingBack = false
        var heldBack: [Delivery] = []
    }

    private let consumer: RabbitMQConsumer
    private let publisher: RabbitMQPublisher
    private let state = Mutex(State())

    init(_ installation: Installation, action: String, password: String) throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let tenant = Installation.tenant
        let broker = try ServerAddress(installation.servers.rabbitMQ).authority
        let configuration = try RabbitMQConfiguration(
            url: "amqp://batuta_action_\(tenant)_\(action):\(password)@\(broker)/\(installation.broker.virtualHost)"
        )
        var queue = QueueDeclaration(name: "actions.\(tenant).\(action)")
        // It may declare nothing.
        queue.isPassive = true
        consumer = RabbitMQConsumer(
            configuration: configuration,
            queue: queue,
            bindings: [],
            prefetch: 10,
            logger: logger
        )
        publisher = RabbitMQPublisher(configuration: configuration, logger: logger)
    }

    /// The keys of the calls, in their order.
    var keys: [String] { state.withLock { $0.keys } }

    /// How many calls have come that are not answered.
    var heldBack: Int { state.withLock { $0.heldBack.count } }

    /// Answers no more calls from now on.
    func holdBack() {
        state.withLock { $0.isHoldingBack = true }
    }

    func answerHeldBack() async throws {
        let calls = state.withLock { state in
            defer { state.heldBack = [] }
            return state.heldBack
        }
        for call in calls { try await answer(call) }
    }

    /// Serves beside a body.
    func run(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.publisher.run() }
            group.addTask { try await self.consumer.run() }
            group.addTask {
                for try await call in self.consumer.deliveries { try await self.take(call) }
            }
            defer { group.cancelAll() }
            try await body()
        }
    }

    private func take(_ call: Delivery) async throws {
        let isHeldBack = state.withLock { state in
            state.keys.append(call.properties.headers["idempotency-key"]?.stringValue ?? "")
            if state.isHoldingBack { state.heldBack.append(call) }
            return state.isHoldingBack
        }
        if !isHeldBack { try await answer(call) }
        consumer.acknowledge(call)
    }

    private func answer(_ call: Delivery) async throws {
        let key = call.properties.headers["idempotency-key"]?.stringValue ?? ""
        let answer = OutgoingMessage(
            exchange: "batuta.actions",
            routingKey: call.properties.replyTo ?? "",
            properties: MessageProperties(correlationID: call.properties.correlationID),
            body: Array(#"{"status":"succeeded","output":{"key":"\#(key)"}}"#.utf8)
        )
        #expect(try await publisher.publish(answer) == .confirmed)
    }
}
