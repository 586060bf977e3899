import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

@testable import Messaging

/// What each broker user may do, tried out on the broker, against a table that is written by hand.
@Suite(.requiresServers) struct PermissionMatrixTests {
    private static let instance = "019aa3a2-7d3b-7c11-8a2b-0123456789ab"

    /// Every queue, by the service that owns it.
    private static let queues: [(owner: ServiceName, name: String)] =
        ServiceName.allCases.flatMap { service in
            ["commands", "requests", "replies.\(instance)", "events.\(instance)"].map {
                (service, "\(service.rawValue).\($0)")
            }
        } + [(.engine, "engine.signals"), (.engine, "engine.actions"), (.audit, "audit.writer")]

    /// Who may publish where with which key.
    private static let publishing: [(exchange: String, key: String, by: Set<ServiceName>)] =
        [
            ("batuta.signals", "order.paid", [.gateway, .engine]),
            ("batuta.signals", "x", [.gateway, .engine]),
            ("batuta.commands", "audit.keep", Set(ServiceName.allCases)),
            ("batuta.commands", "audit.keep.more", []),
            ("batuta.commands", "engine.cancel", []),
            ("batuta.commands", "gateway.cancel", []),
            ("batuta.requests", "gateway", []),
            ("batuta.requests", "engine", [.gateway, .engine]),
            ("batuta.requests", "scheduler", [.gateway]),
            ("batuta.requests", "jobs", [.gateway]),
            ("batuta.requests", "audit", Set(ServiceName.allCases)),
            ("batuta.requests", "auditor", []),
            ("batuta.replies", instance, Set(ServiceName.allCases)),
            ("batuta.events", "runs.ended", [.engine]),
            ("batuta.events", "schedules.fired", [.scheduler]),
            ("batuta.events", "jobs.started", [.jobs]),
            ("batuta.events", "anything.else", []),
            ("batuta.audit", "acme", []),
            ("batuta.audit", "acme.engine.more", []),
            ("batuta.audit", "Acme.engine", []),
            ("batuta.actions", "call.acme.student.level", [.engine]),
            ("batuta.actions", "result.acme.student.level", []),
            ("batuta.actions", "calls.acme.student.level", []),
            ("amq.default", "engine.signals", []),
            ("amq.default", "audit.writer", []),
            ("amq.topic", "x", []),
            ("amq.direct", "x", []),
            ("amq.fanout", "x", []),
        ] + ServiceName.allCases.map { ("batuta.audit", "acme.\($0.rawValue)", [$0]) }

    /// Who may bind a queue of its own where with which key.
    private static let binding: [(exchange: String, key: String, by: Set<ServiceName>)] =
        [
            ("batuta.signals", "#", [.engine]),
            ("batuta.signals", "order.paid", []),
            ("batuta.audit", "#", [.audit]),
            ("batuta.actions", "result.#", [.engine]),
            ("batuta.actions", "#", []),
            ("batuta.actions", "call.#", []),
            ("batuta.audit", "acme.engine", []),
            ("batuta.events", "#", [.gateway]),
            ("batuta.events", "runs.*", [.gateway]),
            ("batuta.commands", "#", []),
            ("batuta.requests", "#", []),
            ("batuta.replies", instance, Set(ServiceName.allCases)),
            ("amq.topic", "#", []),
            ("amq.fanout", "", []),
        ]
        + ServiceName.allCases.flatMap { service -> [(String, String, Set<ServiceName>)] in
            [
                ("batuta.commands", "\(service.rawValue).#", [service]),
                ("batuta.requests", service.rawValue, [service]),
            ]
        }

    @Test func everyUserMayDoItsOwnAndNothingElse() async throws {
        let broker = try await TestBroker("matrix")
        let matrix = Matrix(broker: broker)
        do {
            try await matrix.prepare(queues: Self.queues.map(\.name))
            for service in ServiceName.allCases {
                try await matrix.tryPublishing(service, Self.publishing)
                try await matrix.tryBinding(service, Self.binding)
                try await matrix.tryQueues(service, Self.queues)
                try await matrix.tryExchanges(service)
            }
        } catch {
            try await matrix.remove()
            throw error
        }
        try await matrix.remove()
    }

    @Test func theInstalledPermissionsAreThoseOfTheTopology() async throws {
        let broker = try await TestBroker("installed")
        for service in ServiceName.allCases {
            let user = service.brokerUser
            let expected = BrokerPermissions(of: service)
            let path = "/api/permissions/\(broker.virtualHost)/\(user)"
            let installed = try JSONDocument(parsing: try await broker.administration.get(path).body).root
            #expect(installed["configure"]?.stringValue == expected.configure)
            #expect(installed["write"]?.stringValue == expected.write)
            #expect(installed["read"]?.stringValue == expected.read)
            let topics = "/api/topic-permissions/\(broker.virtualHost)/\(user)"
            let root = try JSONDocument(parsing: try await broker.administration.get(topics).body).root
            #expect(root.count == Topology.exchanges.filter { $0.kind == .topic }.count)
            for topic in root.elements {
                let rule = expected.topics.first { $0.exchange == topic["exchange"]?.stringValue }
                #expect(topic["write"]?.stringValue == rule?.write)
                #expect(topic["read"]?.stringValue == rule?.read)
            }
            // Without a tag the user has no business in the management interface.
            #expect(try await broker.client(as: service).get("/api/overview").status == 401)
        }
        try await broker.remove()
    }

    @Test func aMessageMustNameTheUserThatPublishesIt() async throws {
        let broker = try await TestBroker("userid")
        let publisher = RabbitMQPublisher(configuration: try broker.configuration(.gateway), logger: TestBroker.logger)
        try await withServices([publisher]) {
            var message = OutgoingMessage(exchange: Topology.signalsExchange, routingKey: "order.paid", body: [])
            message.properties.userID = "batuta_engine"
            let error = await #expect(throws: RabbitMQError.self) {
                try await publisher.publish(message, deadline: .now + .seconds(10))
            }
            #expect(error?.code == .preconditionFailed)
        }
        try await broker.remove()
    }
}

/// Tries operations as users that have the permissions of the services, through the broker's management interface: it
/// carries each out with the user's own rights, as a connection of that user would.
private struct Matrix {
    private let broker: TestBroker
    private let password = "matrix"

    init(broker: TestBroker) {
        self.broker = broker
    }

    private var host: String { broker.virtualHost }

    private func user(_ service: ServiceName) -> String { "\(host)-\(service.rawValue)" }

    /// Makes the queues, and a user of its own for each service, so that other suites' users stay as they are.
    func prepare(queues: [String]) async throws {
        for queue in queues {
            try await require(.PUT, "/api/queues/\(host)/\(queue)", #"{"durable":true}"#)
        }
        for service in ServiceName.allCases {
            let permissions = BrokerPermissions(of: service)
            let name = user(service)
            try await require(.PUT, "/api/users/\(name)", #"{"password":"\#(password)","tags":"management"}"#)
            try await require(
                .PUT,
                "/api/permissions/\(host)/\(name)",
                json(["configure": permissions.configure, "write": permissions.write, "read": permissions.read])
            )
            for topic in permissions.topics {
                try await require(
                    .PUT,
                    "/api/topic-permissions/\(host)/\(name)",
                    json(["exchange": topic.exchange, "write": topic.write, "read": topic.read])
                )
            }
        }
    }

    func remove() async throws {
        for service in ServiceName.allCases {
            _ = try await broker.administration.send(.DELETE, "/api/users/\(user(service))")
        }
        try await broker.remove()
    }

    func tryPublishing(
        _ service: ServiceName,
        _ table: [(exchange: String, key: String, by: Set<ServiceName>)]
    ) async throws {
        for (exchange, key, allowed) in table {
            let body = #"{"properties":{},"routing_key":"\#(key)","payload":"x","payload_encoding":"string"}"#
            let path = "/api/exchanges/\(host)/\(exchange)/publish"
            try await expect(allowed.contains(service), service, .POST, path, body, "publish \(exchange) \(key)")
        }
    }

    func tryBinding(
        _ service: ServiceName,
        _ table: [(exchange: String, key: String, by: Set<ServiceName>)]
    ) async throws {
        for (exchange, key, allowed) in table {
            let path = "/api/bindings/\(host)/e/\(exchange)/q/\(service.rawValue).commands"
            let body = #"{"routing_key":"\#(key)"}"#
            try await expect(allowed.contains(service), service, .POST, path, body, "bind \(exchange) \(key)")
        }
    }

    func tryQueues(_ service: ServiceName, _ queues: [(owner: ServiceName, name: String)]) async throws {
        for (owner, queue) in queues {
            let isOwn = owner == service
            let path = "/api/queues/\(host)/\(queue)"
            let get = #"{"count":1,"ackmode":"ack_requeue_true","encoding":"auto"}"#
            try await expect(isOwn, service, .POST, path + "/get", get, "consume \(queue)")
            try await expect(isOwn, service, .DELETE, path + "/contents", nil, "purge \(queue)")
            // A queue of another service may not even be bound, whatever the exchange.
            let bind = "/api/bindings/\(host)/e/batuta.replies/q/\(queue)"
            try await expect(isOwn, service, .POST, bind, #"{"routing_key":"x"}"#, "bind to \(queue)")
            try await expect(isOwn, service, .DELETE, path, nil, "delete \(queue)")
            try await expect(isOwn, service, .PUT, path, #"{"durable":true}"#, "declare \(queue)")
        }
        for foreign in ["other", "\(service.rawValue).other", "\(service.rawValue).replies.x", "x\(service.rawValue)"] {
            let path = "/api/queues/\(host)/\(foreign)"
            try await expect(false, service, .PUT, path, #"{"durable":true}"#, "declare \(foreign)")
        }
    }

    func tryExchanges(_ service: ServiceName) async throws {
        for exchange in ["other", "\(service.rawValue).other"] {
            let path = "/api/exchanges/\(host)/\(exchange)"
            try await expect(false, service, .PUT, path, #"{"type":"topic","durable":true}"#, "declare \(exchange)")
        }
        for exchange in Topology.exchanges.map(\.name) {
            let path = "/api/exchanges/\(host)/\(exchange)"
            try await expect(false, service, .PUT, path, #"{"type":"topic","durable":true}"#, "declare \(exchange)")
            try await expect(false, service, .DELETE, path, nil, "delete \(exchange)")
        }
    }

    /// Does something as a service's user and expects the broker to allow or refuse it.
    private func expect(
        _ isAllowed: Bool,
        _ service: ServiceName,
        _ method: HTTPMethod,
        _ path: String,
        _ body: String?,
        _ what: String
    ) async throws {
        let credentials = Data("\(user(service)):\(password)".utf8).base64EncodedString()
        let answer = try await broker.administration.send(
            method,
            path,
            headers: ["Authorization": "Basic \(credentials)", "Content-Type": "application/json"],
            body: body.map { Array($0.utf8) }
        )
        if isAllowed {
            #expect((200..<300).contains(answer.status), "\(service) \(what): \(answer.status) \(answer.text)")
        } else {
            // What the user may not log in for reads otherwise, so a wrong password is not taken for a refusal.
            let isRefused = ["ACCESS_REFUSED", "Access refused"].contains { answer.text.contains($0) }
            #expect(answer.status >= 400, "\(service) \(what): \(answer.status) \(answer.text)")
            #expect(isRefused, "\(service) \(what): \(answer.status) \(answer.text)")
        }
    }

    private func require(_ method: HTTPMethod, _ path: String, _ body: String) async throws {
        let answer = try await broker.administration.send(
            method,
            path,
            headers: ["Content-Type": "application/json"],
            body: Array(body.utf8)
        )
        try #require((200..<300).contains(answer.status), "\(path): \(answer.status) \(answer.text)")
    }

    private func json(_ members: [String: String]) -> String {
        let object = JSONValue.object(members.map { JSONMember($0.key, .string($0.value)) })
        return (try? object.canonicalBytes()).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
