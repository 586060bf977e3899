import Foundation
import JSON
import Messaging
import NIOHTTP1
import TestSupport
import Testing

extension MonitorTests {
    /// Every exchange of the virtual host, the broker's own ones among them.
    private static let exchanges =
        ["batuta.signals", "batuta.commands", "batuta.requests", "batuta.replies", "batuta.events", "batuta.audit"]
        + ["batuta.actions", "amq.topic", "amq.direct", "amq.fanout", "amq.headers"]

    @Test("the broker refuses a monitor everything but taking from its own queue")
    func refusals() async throws {
        try await withMonitor { monitor in
            try await withMonitor { other in
                let foreign = Self.unique("tenant")
                try await withMonitor(of: foreign) { stranger in
                    try await tryConnections(monitor)
                    try await tryConsuming(monitor, [other.queue, stranger.queue])
                    try await tryPublishing(monitor, [other.queue, stranger.queue])
                    try await tryDeclaring(monitor, other.queue)
                    try await tryManaging(monitor, [other.queue, stranger.queue])
                    #expect(try await refusal(consuming: monitor.queue, as: monitor) == nil)
                }
            }
        }
    }

    // MARK: - As a client of AMQP

    private func tryConnections(_ monitor: Monitor) async throws {
        let elsewhere = Self.unique("elsewhere")
        try await installation.broker.control(["add_vhost", elsewhere])
        for host in ["/", elsewhere] {
            let refusal = try await refusal(consuming: monitor.queue, as: monitor, virtualHost: host)
            #expect(refusal?.code == .accessRefused, "\(host): \(String(describing: refusal))")
        }
        try await installation.broker.control(["delete_vhost", elsewhere])
    }

    private func tryConsuming(_ monitor: Monitor, _ foreign: [String]) async throws {
        let queues = try await installation.broker.queueNames().subtracting([monitor.queue])
        // The services' own are there, and so are those of the other monitors.
        #expect(
            queues.isSuperset(of: foreign + ["audit.writer", "engine.signals", "engine.actions", "audit.commands"])
        )
        for queue in queues.sorted() {
            expectRefused(try await refusal(consuming: queue, as: monitor), "consume \(queue)")
        }
    }

    private func tryPublishing(_ monitor: Monitor, _ foreign: [String]) async throws {
        let keys = [
            "\(monitor.tenant).engine", "order.paid", "audit.keep", "audit", "result.\(monitor.tenant).a.b", "",
        ]
        for exchange in Self.exchanges {
            for key in keys {
                expectRefused(try await refusal(publishing: exchange, key, as: monitor), "publish \(exchange) \(key)")
            }
        }
        for queue in foreign + [monitor.queue, "audit.writer", "engine.signals"] {
            expectRefused(try await refusal(publishing: "", queue, as: monitor), "publish to \(queue)")
        }
    }

    private func tryDeclaring(_ monitor: Monitor, _ foreign: String) async throws {
        let mine = "monitor.\(monitor.tenant).mine"
        var declarations: [TopologyDeclaration] = [mine, "", monitor.queue, foreign, "audit.writer"].map {
            .queue(QueueDeclaration(name: $0))
        }
        declarations.append(.queue(.exclusive("\(monitor.queue).mine")))
        for exchange in Self.exchanges + [mine, monitor.queue] {
            declarations.append(.exchange(ExchangeDeclaration(name: exchange, kind: .topic)))
            for key in ["#", "\(monitor.tenant).*", "\(monitor.tenant).engine", "*.engine"] {
                declarations.append(.binding(Binding(queue: monitor.queue, exchange: exchange, routingKey: key)))
            }
        }
        for declaration in declarations {
            let publisher = RabbitMQPublisher(
                configuration: try monitor.configuration(installation),
                logger: Monitor.logger,
                topology: [declaration]
            )
            let refusal = try await refusal(of: { try await publisher.run() }, isServed: { publisher.isConnected })
            if case .binding(let binding) = declaration, [mine, monitor.queue].contains(binding.exchange) {
                // There is no such exchange, which the broker may say first.
                #expect([.accessRefused, .notFound].contains(refusal?.code), "\(declaration)")
            } else {
                expectRefused(refusal, "\(declaration)")
            }
        }
    }

    /// How the broker refuses to let a monitor consume a queue; nil where it does not.
    func refusal(
        consuming queue: String,
        as monitor: Monitor,
        virtualHost: String? = nil
    ) async throws -> RabbitMQError? {
        let consumer = RabbitMQConsumer(
            configuration: try monitor.configuration(installation, virtualHost: virtualHost),
            queue: QueueDeclaration(name: queue),
            declaresQueue: false,
            logger: Monitor.logger
        )
        return try await refusal(of: { try await consumer.run() }, isServed: { consumer.isConsuming })
    }

    private func refusal(
        publishing exchange: String,
        _ key: String,
        as monitor: Monitor
    ) async throws -> RabbitMQError? {
        let configuration = try monitor.configuration(installation)
        let publisher = RabbitMQPublisher(configuration: configuration, logger: Monitor.logger)
        let message = OutgoingMessage(exchange: exchange, routingKey: key, isMandatory: false, body: [])
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await publisher.run() }
            defer { group.cancelAll() }
            do {
                _ = try await publisher.publish(message, deadline: .now + .seconds(20))
                return nil
            } catch let error as RabbitMQError {
                return error
            }
        }
    }

    /// How the broker refuses a client that runs; nil once it serves it.
    private func refusal(
        of run: @escaping @Sendable () async throws -> Void,
        isServed: @escaping @Sendable () -> Bool
    ) async throws -> RabbitMQError? {
        try await withThrowingTaskGroup(of: RabbitMQError?.self) { group in
            group.addTask {
                do {
                    try await run()
                    return nil
                } catch let error as RabbitMQError {
                    return error
                }
            }
            group.addTask {
                try await eventually("the broker serves or refuses it") { isServed() }
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private func expectRefused(_ refusal: RabbitMQError?, _ what: String) {
        #expect(refusal?.code == .accessRefused, "\(what): \(String(describing: refusal))")
        #expect(refusal?.message.contains("403") == true, "\(what): \(String(describing: refusal))")
    }

    // MARK: - Over the management interface

    /// Tries the management interface: without its tag the user is refused everything there.
    ///
    /// With the tag, which the test gives it, it tries what the client above cannot ask for: the interface does that with
    /// the user's own rights, as a connection of the user would.
    private func tryManaging(_ monitor: Monitor, _ foreign: [String]) async throws {
        let host = installation.broker.virtualHost
        let client = try client(monitor)
        for path in ["/api/whoami", "/api/overview", "/api/queues/\(host)", "/api/queues/\(host)/\(monitor.queue)"] {
            #expect(try await client.get(path).status == 401, "\(path)")
        }
        try await installation.broker.control(["set_user_tags", monitor.user, "management"])
        #expect(try await client.get("/api/whoami").status == 200)
        let get = #"{"count":1,"ackmode":"ack_requeue_true","encoding":"auto"}"#
        let queues = "/api/queues/\(host)"
        for queue in foreign + ["audit.writer", "engine.signals", "engine.actions", "audit.commands"] {
            try await expectRefused(.POST, "\(queues)/\(queue)/get", get, by: client)
            try await expectRefused(.DELETE, "\(queues)/\(queue)/contents", by: client)
            try await expectRefused(.DELETE, "\(queues)/\(queue)", by: client)
        }
        try await expectRefused(.DELETE, "\(queues)/\(monitor.queue)", by: client)
        let bindings = "/api/bindings/\(host)/e/batuta.audit"
        try await expectRefused(.DELETE, "\(bindings)/q/\(monitor.queue)/\(monitor.tenant)%252E%252A", by: client)
        for key in ["#", "*.engine", "\(monitor.tenant).*"] {
            try await expectRefused(.POST, "\(bindings)/q/\(monitor.queue)", #"{"routing_key":"\#(key)"}"#, by: client)
            try await expectRefused(.POST, "\(bindings)/q/audit.writer", #"{"routing_key":"\#(key)"}"#, by: client)
            for exchange in ["batuta.signals", "amq.topic"] {
                try await expectRefused(.POST, "\(bindings)/e/\(exchange)", #"{"routing_key":"\#(key)"}"#, by: client)
            }
        }
        for exchange in Self.exchanges where exchange.hasPrefix("batuta.") {
            try await expectRefused(.DELETE, "/api/exchanges/\(host)/\(exchange)", by: client)
        }
        try await expectUnauthorized(monitor, by: client)
        // To read a queue is to be allowed to empty it, as taking everything from it does; it is its own.
        #expect(try await client.send(.POST, "\(queues)/\(monitor.queue)/get", body: Array(get.utf8)).status == 200)
    }

    /// What an administrator does is none of its business, with the tag or without.
    private func expectUnauthorized(_ monitor: Monitor, by client: HTTPTestClient) async throws {
        let host = installation.broker.virtualHost
        let rights = #"{"configure":".*","write":".*","read":".*"}"#
        let topic = #"{"exchange":"batuta.audit","write":".*","read":".*"}"#
        let requests: [(HTTPMethod, String, String?)] = [
            (.PUT, "/api/permissions/\(host)/\(monitor.user)", rights),
            (.PUT, "/api/topic-permissions/\(host)/\(monitor.user)", topic),
            (.PUT, "/api/users/\(monitor.user)", #"{"password":"mine","tags":"administrator"}"#),
            (.PUT, "/api/vhosts/\(host)-mine", nil), (.GET, "/api/users", nil), (.GET, "/api/definitions", nil),
            (.PUT, "/api/policies/\(host)/mine", #"{"pattern":".*","definition":{"max-length":1}}"#),
        ]
        for (method, path, body) in requests {
            let answer = try await client.send(method, path, body: body.map { Array($0.utf8) })
            #expect(answer.status == 401, "\(method) \(path): \(answer.status) \(answer.text)")
        }
    }

    private func client(_ monitor: Monitor) throws -> HTTPTestClient {
        let address = try ServerAddress(installation.servers.rabbitMQManagement)
        let credentials = Data("\(monitor.user):\(monitor.password)".utf8).base64EncodedString()
        return HTTPTestClient(
            base: "http://\(address.authorities[0])",
            headers: ["Authorization": "Basic \(credentials)", "Content-Type": "application/json"]
        )
    }

    private func expectRefused(
        _ method: HTTPMethod,
        _ path: String,
        _ body: String? = nil,
        by client: HTTPTestClient
    ) async throws {
        let answer = try await client.send(method, path, body: body.map { Array($0.utf8) })
        let isRefused = ["ACCESS_REFUSED", "Access refused"].contains { answer.text.contains($0) }
        #expect(answer.status >= 400 && isRefused, "\(method) \(path): \(answer.status) \(answer.text)")
    }
}
