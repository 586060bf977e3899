import Domain
import Foundation
import NIOHTTP1
import TestSupport
import Testing

@testable import Messaging

/// What the broker user of an action may do, tried out on the broker as that user.
@Suite("Permissions of an action's user", .requiresServers) struct ActionPermissionTests {
    private let password = "for-the-action"

    @Test("a service takes its own calls and gives its own answers, and can do nothing else")
    func permissions() async throws {
        let broker = try await TestBroker("action")
        let tenant = try #require(Tenant("acme"))
        let word = "t\(UInt32.random(in: .min ... .max))"
        let own = try #require(ActionRoute(tenant: tenant, action: "\(word).level"))
        let other = try #require(ActionRoute(tenant: tenant, action: "\(word).other"))
        do {
            try await prepare(own, other, broker)
            try await tryAll(own, other, broker)
        } catch {
            try await remove(own, broker)
            throw error
        }
        try await remove(own, broker)
    }

    private func prepare(_ own: ActionRoute, _ other: ActionRoute, _ broker: TestBroker) async throws {
        let host = broker.virtualHost
        for queue in [own.queueName, other.queueName, "engine.actions", "engine.signals"] {
            try await require(broker, .PUT, "/api/queues/\(host)/\(queue)", #"{"durable":true}"#)
        }
        let user = own.brokerUser
        try await require(broker, .PUT, "/api/users/\(user)", #"{"password":"\#(password)","tags":"management"}"#)
        let permissions = BrokerPermissions(of: own)
        func text(_ expression: String) -> String { expression.replacing("\\", with: "\\\\") }
        for topic in permissions.topics {
            try await require(
                broker,
                .PUT,
                "/api/topic-permissions/\(host)/\(user)",
                #"{"exchange":"\#(topic.exchange)","write":"\#(text(topic.write))","read":"\#(text(topic.read))"}"#
            )
        }
        try await require(
            broker,
            .PUT,
            "/api/permissions/\(host)/\(user)",
            """
            {"configure":"\(text(permissions.configure))","write":"\(text(permissions.write))",\
            "read":"\(text(permissions.read))"}
            """
        )
    }

    private func tryAll(_ own: ActionRoute, _ other: ActionRoute, _ broker: TestBroker) async throws {
        func attempt(_ allowed: Bool, _ method: HTTPMethod, _ path: String, _ body: String? = nil) async throws {
            let credentials = Data("\(own.brokerUser):\(password)".utf8).base64EncodedString()
            let answer = try await broker.administration.send(
                method,
                path.replacing("HOST", with: broker.virtualHost),
                headers: ["Authorization": "Basic \(credentials)", "Content-Type": "application/json"],
                body: body.map { Array($0.utf8) }
            )
            let isRefused = ["ACCESS_REFUSED", "Access refused"].contains { answer.text.contains($0) }
            let what = "\(method) \(path): \(answer.status) \(answer.text)"
            #expect((200..<300).contains(answer.status) == allowed, "\(what)")
            #expect(isRefused == !allowed, "\(what)")
        }
        func publish(_ allowed: Bool, _ exchange: String, _ key: String) async throws {
            let body = #"{"properties":{},"routing_key":"\#(key)","payload":"x","payload_encoding":"string"}"#
            try await attempt(allowed, .POST, "/api/exchanges/HOST/\(exchange)/publish", body)
        }
        let get = #"{"count":1,"ackmode":"ack_requeue_true","encoding":"auto"}"#
        try await attempt(true, .POST, "/api/queues/HOST/\(own.queueName)/get", get)
        try await publish(true, "batuta.actions", own.resultKey)
        for key in [
            own.callKey, other.resultKey, other.callKey, own.resultKey + ".more", "x" + own.resultKey, "result.acme.x",
            own.resultKey.replacing(".", with: "x"), "#",
        ] {
            try await publish(false, "batuta.actions", key)
        }
        for exchange in Topology.exchanges.map(\.name) + ["amq.topic", "amq.direct", "amq.fanout"]
        where exchange != Topology.actionsExchange {
            try await publish(false, exchange, own.resultKey)
        }
        for queue in ["engine.actions", "engine.signals", other.queueName, own.queueName] {
            try await publish(false, "amq.default", queue)
        }
        for queue in [other.queueName, "engine.actions", "engine.signals"] {
            try await attempt(false, .POST, "/api/queues/HOST/\(queue)/get", get)
            try await attempt(false, .DELETE, "/api/queues/HOST/\(queue)/contents")
        }
        for queue in [own.queueName, other.queueName, "engine.actions", "mine"] {
            try await attempt(false, .PUT, "/api/queues/HOST/\(queue)", #"{"durable":true}"#)
        }
        try await attempt(false, .DELETE, "/api/queues/HOST/\(own.queueName)")
        try await attempt(false, .PUT, "/api/exchanges/HOST/mine", #"{"type":"topic","durable":true}"#)
        for key in ["#", other.callKey, own.callKey, own.resultKey] {
            let body = #"{"routing_key":"\#(key)"}"#
            try await attempt(false, .POST, "/api/bindings/HOST/e/batuta.actions/q/\(own.queueName)", body)
        }
        try await attempt(
            false,
            .POST,
            "/api/bindings/HOST/e/batuta.signals/e/batuta.actions",
            ##"{"routing_key":"#"}"##
        )
    }

    private func remove(_ own: ActionRoute, _ broker: TestBroker) async throws {
        _ = try await broker.administration.send(.DELETE, "/api/users/\(own.brokerUser)")
        try await broker.remove()
    }

    private func require(_ broker: TestBroker, _ method: HTTPMethod, _ path: String, _ body: String) async throws {
        let answer = try await broker.administration.send(
            method,
            path,
            headers: ["Content-Type": "application/json"],
            body: Array(body.utf8)
        )
        try #require((200..<300).contains(answer.status), "\(path): \(answer.status) \(answer.text)")
    }
}
