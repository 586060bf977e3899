private import Foundation
package import JSON
private import NIOHTTP1

/// What a test does to a virtual host from outside: look, delete, unbind, publish.
package struct BrokerAdministration: Sendable {
    /// The virtual host.
    package let virtualHost: String

    private let http: HTTPTestClient
    private let control: String
    private let administrator: String

    init(_ servers: TestServers, virtualHost: String) throws {
        let address = try ServerAddress(servers.rabbitMQManagement)
        self.virtualHost = virtualHost
        administrator = address.user
        control = servers.rabbitMQControl
        http = HTTPTestClient(
            base: "http://\(address.authority)",
            headers: ["Authorization": address.basicAuthorization, "Content-Type": "application/json"]
        )
    }

    /// Removes the virtual host with everything in it.
    package func remove() async throws {
        _ = try await http.send(.DELETE, "/api/vhosts/\(virtualHost)")
    }

    /// How many messages each queue holds, unacknowledged ones among them.
    package func messageCounts() async throws -> [String: Int] {
        let output = try await Command.check(
            control,
            ["--quiet", "list_queues", "--vhost", virtualHost, "--formatter", "json", "name", "messages"]
        )
        guard let start = output.firstIndex(of: "[") else { return [:] }
        let rows = try JSONValue(parsing: Array(output[start...].utf8)).arrayValue ?? []
        return Dictionary(
            uniqueKeysWithValues: rows.map { row in
                (row["name"]?.stringValue ?? "", Int(row["messages"]?.int64Value ?? 0))
            }
        )
    }

    /// The names of the queues that exist.
    package func queueNames() async throws -> Set<String> {
        let answer = try await http.get("/api/queues/\(virtualHost)?columns=name")
        let rows = try JSONValue(parsing: answer.body).arrayValue ?? []
        return Set(rows.compactMap { $0["name"]?.stringValue })
    }

    /// Deletes a queue with whatever is in it.
    package func deleteQueue(_ name: String) async throws {
        try expect([204, 404], try await http.send(.DELETE, "/api/queues/\(virtualHost)/\(name)"))
    }

    /// Takes a binding with the key `#` away.
    package func unbind(queue: String, from exchange: String) async throws {
        let path = "/api/bindings/\(virtualHost)/e/\(exchange)/q/\(queue)/%23"
        try expect([204], try await http.send(.DELETE, path))
    }

    /// Puts a binding with the key `#` back.
    package func bind(queue: String, to exchange: String) async throws {
        let path = "/api/bindings/\(virtualHost)/e/\(exchange)/q/\(queue)"
        try expect([201], try await http.post(path, json: ##"{"routing_key":"#"}"##))
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
        let answer = try await http.post(
            "/api/exchanges/\(virtualHost)/amq.default/publish",
            json: String(decoding: try request.canonicalBytes(), as: UTF8.self)
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
