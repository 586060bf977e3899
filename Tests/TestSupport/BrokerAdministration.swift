private import Foundation
package import JSON
private import NIOHTTP1

/// What a test does to a virtual host from outside: look, delete, unbind, publish.
package struct BrokerAdministration: Sendable {
    /// The virtual host.
    package let virtualHost: String

    private let nodes: [HTTPTestClient]
    private let control: String
    private let administrator: String

    init(_ servers: TestServers, virtualHost: String) throws {
        let address = try ServerAddress(servers.rabbitMQManagement)
        self.virtualHost = virtualHost
        administrator = address.user
        control = servers.rabbitMQControl
        nodes = address.authorities.map {
            HTTPTestClient(
                base: "http://\($0)",
                headers: ["Authorization": address.basicAuthorization, "Content-Type": "application/json"],
                client: TestConnections.impatient
            )
        }
    }

    /// Removes the virtual host with everything in it.
    package func remove() async throws {
        _ = try await send(.DELETE, "/api/vhosts/\(virtualHost)")
    }

    /// Runs `rabbitmqctl` on one of the nodes, and returns what it printed.
    @discardableResult
    package func control(_ arguments: [String]) async throws -> String {
        try await Command.check(control, ["--quiet"] + arguments)
    }

    /// The node that leads a quorum queue; nil while none does.
    package func leader(of queue: String) async throws -> String? {
        let rows = try await queues(["name", "leader"])
        let leader = rows.first { $0["name"]?.stringValue == queue }?["leader"]?.stringValue
        return leader.flatMap { $0.contains("@") ? $0 : nil }
    }

    private func queues(_ columns: [String]) async throws -> [JSONValue] {
        let output = try await control(["list_queues", "--vhost", virtualHost, "--formatter", "json"] + columns)
        guard let start = output.firstIndex(of: "[") else { return [] }
        return try JSONValue(parsing: Array(output[start...].utf8)).arrayValue ?? []
    }

    /// Asks one node after the other until one answers.
    private func send(
        _ method: HTTPMethod,
        _ path: String,
        _ json: String? = nil
    ) async throws -> HTTPTestClient.Response {
        var failure: any Error = TestSupportError(.noServers, "The broker has no node.")
        for node in nodes {
            do {
                return try await node.send(method, path, body: json.map { Array($0.utf8) })
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// How many messages each queue holds, unacknowledged ones among them.
    package func messageCounts() async throws -> [String: Int] {
        let rows = try await queues(["name", "messages"])
        return Dictionary(
            uniqueKeysWithValues: rows.map { row in
                (row["name"]?.stringValue ?? "", Int(row["messages"]?.int64Value ?? 0))
            }
        )
    }

    /// A client's connection, as the broker sees it.
    package struct Connection: Hashable, Sendable {
        package let user: String
        package let isEncrypted: Bool
        /// The protocol's version, like `tlsv1.3`; empty without encryption.
        package let version: String
    }

    /// Every client's connection.
    package func connections() async throws -> [Connection] {
        let output = try await Command.check(
            control,
            ["--quiet", "list_connections", "--formatter", "json", "user", "vhost", "ssl", "ssl_protocol"]
        )
        guard let start = output.firstIndex(of: "[") else { return [] }
        let rows = try JSONValue(parsing: Array(output[start...].utf8)).arrayValue ?? []
        return rows.filter { $0["vhost"]?.stringValue == virtualHost }.map { row in
            Connection(
                user: row["user"]?.stringValue ?? "",
                isEncrypted: row["ssl"]?.boolValue ?? false,
                version: row["ssl_protocol"]?.stringValue ?? ""
            )
        }
    }

    /// The protocols that the node listens for, like `amqp` and `amqp/ssl`.
    package func listeners() async throws -> [String] {
        let output = try await Command.check(control, ["--quiet", "status", "--formatter", "json"])
        guard let start = output.firstIndex(of: "{") else { return [] }
        let status = try JSONValue(parsing: Array(output[start...].utf8), limits: .wrapped)
        return (status["listeners"]?.arrayValue ?? []).compactMap { $0["protocol"]?.stringValue }
    }

    /// The names of the queues that exist.
    package func queueNames() async throws -> Set<String> {
        let answer = try await send(.GET, "/api/queues/\(virtualHost)?columns=name")
        let rows = try JSONValue(parsing: answer.body).arrayValue ?? []
        return Set(rows.compactMap { $0["name"]?.stringValue })
    }

    /// Deletes a queue with whatever is in it.
    package func deleteQueue(_ name: String) async throws {
        try expect([204, 404], try await send(.DELETE, "/api/queues/\(virtualHost)/\(name)"))
    }

    /// Takes a binding with the key `#` away.
    package func unbind(queue: String, from exchange: String) async throws {
        let path = "/api/bindings/\(virtualHost)/e/\(exchange)/q/\(queue)/%23"
        try expect([204], try await send(.DELETE, path))
    }

    /// Puts a binding with the key `#` back.
    package func bind(queue: String, to exchange: String) async throws {
        let path = "/api/bindings/\(virtualHost)/e/\(exchange)/q/\(queue)"
        try expect([201], try await send(.POST, path, ##"{"routing_key":"#"}"##))
    }

    /// Closes every client's connection.
    package func closeConnections() async throws {
        try await Command.check(control, ["--quiet", "close_all_connections", "closed by a test"])
    }

    /// Lets the administrator publish messages that name another user.
    package func allowImpersonation() async throws {
        try await Command.check(
            control,
            ["--quiet", "set_user_tags", administrator, "administrator", "impersonator"]
        )
    }

    /// Publishes bytes straight into a queue, past every exchange of ours.
    ///
    /// - Parameters:
    ///   - body: the message's body.
    ///   - queue: the queue.
    ///   - properties: the message's properties, as the management API names them.
    /// - Throws: `TestSupportError` when the queue is not there.
    package func publish(_ body: [UInt8], to queue: String, properties: JSONValue) async throws {
        let request: JSONValue = [
            "properties": properties,
            "routing_key": .string(queue),
            "payload": .string(Data(body).base64EncodedString()),
            "payload_encoding": "base64",
        ]
        let answer = try await send(
            .POST,
            "/api/exchanges/\(virtualHost)/amq.default/publish",
            String(decoding: try request.canonicalBytes(), as: UTF8.self)
        )
        guard try JSONValue(parsing: answer.body)["routed"]?.boolValue == true else {
            throw TestSupportError(.commandFailed, "A message to \(queue) was not routed: \(answer.text)")
        }
    }

    private func expect(_ statuses: [Int], _ answer: HTTPTestClient.Response) throws {
        guard statuses.contains(answer.status) else {
            throw TestSupportError(.commandFailed, "The broker's management answered \(answer.status): \(answer.text)")
        }
    }
}
