import Contracts
import Domain
import Foundation
import JSON
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Messaging

@Suite(.requiresServers) struct RequestTests {
    private struct Broken: Error {}

    private static func context(deadline: ContinuousClock.Instant = .now + .seconds(20)) -> RequestContext {
        RequestContext(
            tenant: "acme",
            actor: AuditActor(type: .user, id: "ann", via: "token:1"),
            requestID: "r-1",
            idempotencyKey: "k-1",
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            deadline: deadline
        )
    }

    /// A gateway that asks, and what it needs.
    private struct Gateway {
        let client: RequestClient
        let publisher: RabbitMQPublisher

        init(_ broker: TestBroker) throws {
            let configuration = try broker.configuration(.gateway)
            publisher = RabbitMQPublisher(configuration: configuration, logger: TestBroker.logger)
            client = RequestClient(
                service: .gateway,
                appID: "api-gateway",
                instance: UUIDv7.make(),
                configuration: configuration,
                publisher: publisher,
                logger: TestBroker.logger
            )
        }

        var services: [any Service] { [publisher, client] }
    }

    /// An engine that answers, and what it needs.
    private struct Engine {
        let server: RequestServer
        let publisher: RabbitMQPublisher

        init(_ broker: TestBroker, _ routes: RequestRoutes) throws {
            let configuration = try broker.configuration(.engine)
            publisher = RabbitMQPublisher(configuration: configuration, logger: TestBroker.logger)
            server = RequestServer(
                service: .engine,
                appID: "automation-engine",
                configuration: configuration,
                publisher: publisher,
                concurrency: 32,
                routes: routes,
                logger: TestBroker.logger
            )
        }

        var services: [any Service] { [publisher, server] }
    }

    private static func routes() -> RequestRoutes {
        var routes = RequestRoutes()
        routes.on("engine.test.echo") { context, document in
            let body: JSONValue = [
                "tenant": .string(context.tenant), "principal": .string(context.principal),
                "request_id": .string(context.requestID), "key": .string(context.idempotencyKey ?? ""),
                "trace": .string(context.traceparent ?? ""), "given": document.root.value,
            ]
            return Reply(status: 201, body: try body.canonicalBytes())
        }
        routes.on("engine.test.refuse") { _, _ in throw Problem(.keyTaken, "That key is taken.") }
        routes.on("engine.test.break") { _, _ in throw Broken() }
        routes.on("engine.test.never") { context, _ in
            try await Task.sleep(until: context.deadline + .milliseconds(200), clock: .continuous)
            return Reply(body: Array("{}".utf8))
        }
        return routes
    }

    private func withBoth(
        _ name: String,
        _ body: (Gateway, Engine, TestBroker) async throws -> Void
    ) async throws {
        let broker = try await TestBroker(name)
        let gateway = try Gateway(broker)
        let engine = try Engine(broker, Self.routes())
        try await withServices(gateway.services + engine.services) {
            try await eventually("both are ready") { gateway.client.isReady && engine.server.isReady }
            try await body(gateway, engine, broker)
        }
        try await broker.remove()
    }

    @Test func aThousandConcurrentCallsGetTheirOwnReplies() async throws {
        try await withBoth("thousand") { gateway, _, _ in
            let context = Self.context()
            let answers = try await withThrowingTaskGroup(of: (Int, Reply).self) { group in
                for number in 0..<1_000 {
                    group.addTask {
                        let reply = try await gateway.client.call(
                            service: "engine",
                            type: "engine.test.echo",
                            body: Array("\(number)".utf8),
                            context: context
                        )
                        return (number, reply)
                    }
                }
                return try await group.reduce(into: [Int: Reply]()) { $0[$1.0] = $1.1 }
            }
            #expect(answers.count == 1_000)
            for (number, reply) in answers {
                let root = try JSONDocument(parsing: reply.body).root
                #expect(reply.status == 201)
                #expect(root["given"]?.int64Value == Int64(number))
                #expect(root["tenant"]?.stringValue == "acme")
                #expect(root["principal"]?.stringValue == "token:1")
                #expect(root["request_id"]?.stringValue == "r-1")
                #expect(root["key"]?.stringValue == "k-1")
                #expect(root["trace"]?.stringValue == context.traceparent)
            }
            #expect(gateway.client.pendingCount == 0)
        }
    }

    @Test func aRefusalAndAFailureComeAsProblems() async throws {
        try await withBoth("problems") { gateway, _, _ in
            let context = Self.context()
            func problem(_ type: String, _ body: String = "{}") async throws -> Problem? {
                try await gateway.client.call(
                    service: "engine",
                    type: type,
                    body: Array(body.utf8),
                    context: context
                ).problem
            }
            let refused = try await problem("engine.test.refuse")
            #expect(refused == Problem(.keyTaken, "That key is taken."))
            let broken = try await problem("engine.test.break")
            #expect(broken == Problem(.internalError))
            let unknown = try await problem("engine.test.unknown")
            #expect(unknown?.code == .unknownRequest)
            let unreadable = try await problem("engine.test.echo", "{")
            #expect(unreadable?.code == .invalidJSON)
        }
    }

    @Test func nobodyThereIsUnavailableAtOnce() async throws {
        let broker = try await TestBroker("nobody")
        let gateway = try Gateway(broker)
        try await withServices(gateway.services) {
            try await eventually("the gateway is ready") { gateway.client.isReady }
            let context = Self.context(deadline: .now + .seconds(60))
            let error = await #expect(throws: RequestError.self) {
                try await gateway.client.call(
                    service: "engine",
                    type: "engine.test.echo",
                    body: Array("1".utf8),
                    context: context
                )
            }
            #expect(error?.code == .unavailable)
            #expect(error?.problem.status == 503)
            #expect(.now < context.deadline)
        }
        try await broker.remove()
    }

    @Test func aReplyAfterTheDeadlineIsATimeoutAndIsDropped() async throws {
        try await withBoth("deadline") { gateway, _, _ in
            let deadline = ContinuousClock.now + .milliseconds(300)
            let error = await #expect(throws: RequestError.self) {
                try await gateway.client.call(
                    service: "engine",
                    type: "engine.test.never",
                    body: Array("1".utf8),
                    context: Self.context(deadline: deadline)
                )
            }
            #expect(error?.code == .timedOut)
            #expect(error?.problem.status == 504)
            #expect(ContinuousClock.now >= deadline)
            #expect(gateway.client.pendingCount == 0)
            // The late reply meets nobody, and the next call is not disturbed by it.
            let reply = try await gateway.client.call(
                service: "engine",
                type: "engine.test.echo",
                body: Array("2".utf8),
                context: Self.context()
            )
            #expect(reply.status == 201)
        }
    }

    @Test func aCancelledCallEndsAtOnce() async throws {
        try await withBoth("cancelled") { gateway, _, _ in
            let call = Task {
                try await gateway.client.call(
                    service: "engine",
                    type: "engine.test.never",
                    body: Array("1".utf8),
                    context: Self.context()
                )
            }
            try await eventually("the call waits") { gateway.client.pendingCount == 1 }
            call.cancel()
            let result = await call.result
            #expect(throws: RequestError.self) { try result.get() }
            #expect(gateway.client.pendingCount == 0)
        }
    }

    @Test func aForgedReplyIsDropped() async throws {
        let broker = try await TestBroker("forged")
        let gateway = try Gateway(broker)
        // An impostor that has taken the engine's requests in, with the rights of the scheduler, cannot answer for it.
        let taken = Topology.requests(to: .engine)
        let thief = RabbitMQConsumer(
            configuration: try broker.configuration(.engine),
            queue: taken.queue,
            bindings: taken.bindings,
            logger: TestBroker.logger
        )
        let forger = RabbitMQPublisher(configuration: try broker.configuration(.scheduler), logger: TestBroker.logger)
        try await withServices(gateway.services + [thief, forger]) {
            try await eventually("all are ready") {
                gateway.client.isReady && thief.isConsuming && forger.isConnected
            }
            let call = Task {
                try await gateway.client.call(
                    service: "engine",
                    type: "engine.test.echo",
                    body: Array("1".utf8),
                    context: Self.context(deadline: .now + .seconds(1))
                )
            }
            let request = try #require(try await thief.nextBatch(maximum: 1)?.first)
            var reply = OutgoingMessage(
                exchange: Topology.repliesExchange,
                routingKey: try #require(request.properties.replyTo),
                isMandatory: true,
                body: Array("{}".utf8)
            )
            reply.properties.correlationID = request.properties.correlationID
            reply.properties.headers["x-status"] = 200
            reply.properties.userID = "batuta_scheduler"
            #expect(try await forger.publish(reply) == .confirmed)
            let result = await call.result
            let error = #expect(throws: RequestError.self) { try result.get() }
            #expect(error?.code == .timedOut)
        }
        try await broker.remove()
    }

    @Test func aRequestAfterItsDeadlineIsNotStarted() async throws {
        let broker = try await TestBroker("expired")
        let calls = Mutex(0)
        var routes = RequestRoutes()
        routes.on("engine.test.count") { _, _ in
            calls.withLock { $0 += 1 }
            return Reply(body: Array("{}".utf8))
        }
        let engine = try Engine(broker, routes)
        let gateway = try Gateway(broker)
        try await withServices(gateway.services + engine.services) {
            try await eventually("both are ready") { gateway.client.isReady && engine.server.isReady }
            var late = OutgoingMessage(
                exchange: Topology.requestsExchange,
                routingKey: "engine",
                isMandatory: true,
                body: Array("{}".utf8)
            )
            late.properties.type = "engine.test.count"
            late.properties.headers = RequestHeaders.write(Self.context(), remaining: .seconds(-5))
            late.properties.headers[RequestHeaders.deadline] = .int64(RequestHeaders.unixMilliseconds() - 1)
            #expect(try await gateway.publisher.publish(late) == .confirmed)
            // Requests are taken in order, so once this one is answered the late one has been looked at.
            _ = try await gateway.client.call(
                service: "engine",
                type: "engine.test.count",
                body: Array("{}".utf8),
                context: Self.context()
            )
            #expect(calls.withLock { $0 } == 1)
        }
        try await broker.remove()
    }
}
