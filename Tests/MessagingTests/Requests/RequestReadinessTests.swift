import Contracts
import Domain
import Foundation
import JSON
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

@testable import Messaging

@Suite("A request server is ready only while requests arrive and can be answered", .requiresServers)
struct RequestReadinessTests {
    /// What is taken away from a server that runs.
    enum Loss: CaseIterable {
        /// The subscription that it gets requests by; the connection for replies stays.
        case subscription
        case connections
    }

    private final class Counter: Sendable {
        let value = Atomic(0)
    }

    /// An engine that answers, on a virtual host of its own.
    private struct Site {
        let broker: TestBroker
        let server: RequestServer
        let publisher: RabbitMQPublisher
        /// How many requests have come.
        let requests = Counter()

        init(_ name: String) async throws {
            broker = try await TestBroker(name)
            let configuration = try broker.configuration(.engine)
            publisher = RabbitMQPublisher(configuration: configuration, logger: TestBroker.logger)
            var routes = RequestRoutes()
            routes.on("engine.test.ping") { [requests] _, _ in
                requests.value.add(1, ordering: .relaxed)
                return Reply(body: Array("{}".utf8))
            }
            server = RequestServer(
                service: .engine,
                appID: "automation-engine",
                configuration: configuration,
                publisher: publisher,
                routes: routes,
                logger: TestBroker.logger
            )
        }

        private func send(_ method: HTTPMethod, _ path: String, _ json: String? = nil) async throws -> [UInt8] {
            let body = json.map { Array($0.utf8) }
            let headers = ["Content-Type": "application/json"]
            let answer = try await broker.administration.send(method, path, headers: headers, body: body)
            guard answer.status < 300 || answer.status == 404 else {
                throw TestSupportError(.commandFailed, "the broker answered \(answer.status): \(answer.text)")
            }
            return answer.body
        }

        /// Whether the broker takes new connections.
        func takesConnections(_ isOpen: Bool) async throws {
            let path = "/api/vhost-limits/\(broker.virtualHost)/max-connections"
            _ = try await isOpen ? send(.DELETE, path) : send(.PUT, path, #"{"value":0}"#)
        }

        func take(_ loss: Loss) async throws {
            guard loss != .subscription else {
                let queue = Topology.requests(to: .engine).queue.name
                _ = try await send(.DELETE, "/api/queues/\(broker.virtualHost)/\(queue)")
                return
            }
            let listed = try await send(.GET, "/api/connections?columns=name,vhost")
            for connection in try JSONValue(parsing: listed).arrayValue ?? [] {
                guard connection["vhost"]?.stringValue == broker.virtualHost else { continue }
                let name = try #require(connection["name"]?.stringValue)
                let path = try #require(name.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
                _ = try await send(.DELETE, "/api/connections/\(path)")
            }
        }

        /// Has a request answered.
        func ask() async throws -> Int {
            let configuration = try broker.configuration(.gateway)
            let publisher = RabbitMQPublisher(configuration: configuration, logger: TestBroker.logger)
            let client = RequestClient(
                service: .gateway,
                appID: "api-gateway",
                instance: UUIDv7.make(),
                configuration: configuration,
                publisher: publisher,
                logger: TestBroker.logger
            )
            return try await withServices([publisher, client]) {
                try await eventually("the gateway is ready") { client.isReady }
                let context = RequestContext(
                    tenant: "acme",
                    actor: AuditActor(type: .user, id: "ann", via: "token:1"),
                    requestID: "r-1",
                    deadline: .now + .seconds(20)
                )
                let reply = try await client.call(
                    service: "engine",
                    type: "engine.test.ping",
                    body: Array("{}".utf8),
                    context: context
                )
                return reply.status
            }
        }
    }

    @Test("not before it runs, not while something is taken away, and again when it is back", arguments: Loss.allCases)
    func losses(loss: Loss) async throws {
        let site = try await Site("ready")
        #expect(!site.server.isReady)
        try await withServices([site.publisher, site.server]) {
            try await eventually("it is ready") { site.server.isReady }
            #expect(try await site.ask() == 200)
            // What is lost now stays lost.
            try await site.takesConnections(false)
            try await eventually("it is not ready, and replies could go only where their connection was left alone") {
                // Again and again, because the broker may list a young connection late.
                try await site.take(loss)
                return !site.server.isReady && site.publisher.isConnected == (loss == .subscription)
            }
            try await site.takesConnections(true)
            try await eventually("it is ready again") { site.server.isReady }
            #expect(try await site.ask() == 200)
        }
        try await eventually("it has ended") { !site.server.isReady }
        try await site.broker.remove()
    }

    @Test("not where requests arrive and nobody sends the replies")
    func noPublisher() async throws {
        let site = try await Site("mute")
        try await withServices([site.server]) {
            // Nobody is there to be asked before the queue is bound.
            let call = Task {
                try await eventually("the answer comes", within: .seconds(60)) { try await site.ask() == 200 }
            }
            try await eventually("a request arrives") { site.requests.value.load(ordering: .relaxed) > 0 }
            #expect(!site.server.isReady)
            try await withServices([site.publisher]) {
                try await eventually("it is ready") { site.server.isReady }
                try await call.value
            }
            #expect(!site.server.isReady)
        }
        try await site.broker.remove()
    }
}
