import Foundation
import JSON
import Logging
import Messaging
import NIOHTTP1
import ServiceLifecycle
import TestSupport
import Testing

/// A virtual host of the test broker's own, with the real exchanges, users and permissions.
struct TestBroker: Sendable {
    let virtualHost: String
    let administration: HTTPTestClient
    private let address: String

    /// Makes a virtual host and installs the definitions in it.
    init(_ name: String) async throws {
        let servers = try TestServers.required()
        virtualHost = "test-\(name)-\(UInt32.random(in: .min ... .max))"
        let url = try #require(URLComponents(string: servers.rabbitMQManagement))
        administration = Self.client(url, user: try #require(url.user), password: try #require(url.password))
        let broker = try #require(URLComponents(string: servers.rabbitMQ))
        address = "\(try #require(broker.host)):\(try #require(broker.port))"
        let passwords = Dictionary(uniqueKeysWithValues: ServiceName.allCases.map { ($0, Self.password(of: $0)) })
        let definitions = Topology.definitions(virtualHost: virtualHost, passwords: passwords)
        // Two suites that make the same user at the same instant disturb each other: the broker refuses one of them.
        try await eventually("the definitions are installed") { [administration] in
            try await administration.send(
                .POST,
                "/api/definitions",
                headers: ["Content-Type": "application/json"],
                body: definitions
            )
        } until: {
            $0.status == 204
        }
    }

    /// Users belong to the whole broker, so every suite gives them the same password.
    static func password(of service: ServiceName) -> String { "test-\(service.rawValue)" }

    private static func client(_ url: URLComponents, user: String, password: String) -> HTTPTestClient {
        let credentials = Data("\(user):\(password)".utf8).base64EncodedString()
        return HTTPTestClient(
            base: "http://\(url.host ?? "127.0.0.1"):\(url.port ?? 15_672)",
            headers: ["Authorization": "Basic \(credentials)"]
        )
    }

    /// The management interface as a service's own user sees it.
    func client(as service: ServiceName) throws -> HTTPTestClient {
        let url = try #require(URLComponents(string: administration.base))
        return Self.client(url, user: service.brokerUser, password: Self.password(of: service))
    }

    func configuration(_ service: ServiceName) throws -> RabbitMQConfiguration {
        var configuration = try RabbitMQConfiguration(
            url: "amqp://\(service.brokerUser):\(Self.password(of: service))@\(address)/\(virtualHost)"
        )
        configuration.backoff = ReconnectBackoff(initial: .milliseconds(20), maximum: .milliseconds(200))
        return configuration
    }

    func remove() async throws {
        _ = try await administration.send(.DELETE, "/api/vhosts/\(virtualHost)")
    }

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// Runs services beside a body and ends them afterwards, whatever happens.
func withServices<R: Sendable>(
    _ services: [any Service],
    _ body: () async throws -> R
) async throws -> R {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for service in services {
            group.addTask {
                do {
                    try await service.run()
                } catch {
                    // A service that ends early fails the body's own expectations.
                }
            }
        }
        defer { group.cancelAll() }
        return try await body()
    }
}
