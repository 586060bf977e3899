import Foundation
import JSON
import Messaging
import NIOHTTP1

extension BrokerAdministration {
    /// Whether there is a user of this name.
    func hasUser(_ name: String) async throws(BrokerAdministrationError) -> Bool {
        try await change(.GET, "/api/users/\(Self.segment(name))", expecting: [200, 404]) == 200
    }

    /// Makes a queue and the user that takes from it, or brings them up to date; bindings that are not wanted any more go.
    ///
    /// A user may do nothing until its permissions are set, which comes last: without a topic permission the broker allows
    /// every key.
    ///
    /// - Parameters:
    ///   - subscription: The queue with what leads to it.
    ///   - permissions: The user, and what it may do.
    ///   - password: The user's password; nil where it stays.
    ///   - virtualHost: The virtual host that the system lives in.
    /// - Throws: `BrokerAdministrationError`; the command can be given again.
    func install(
        _ subscription: Topology.Subscription,
        for permissions: BrokerPermissions,
        password: String?,
        virtualHost: String
    ) async throws(BrokerAdministrationError) {
        let host = Self.segment(virtualHost)
        try await declare(subscription.queue, virtualHost: virtualHost)
        try await bind(subscription, virtualHost: virtualHost)
        let user = Self.segment(permissions.user)
        if let password {
            try await change(
                .PUT,
                "/api/users/\(user)",
                [
                    "password_hash": .string(Topology.passwordHash(of: password)),
                    "hashing_algorithm": .string(Topology.hashingAlgorithm), "tags": "",
                ]
            )
        }
        for topic in permissions.topics {
            try await change(
                .PUT,
                "/api/topic-permissions/\(host)/\(user)",
                ["exchange": .string(topic.exchange), "write": .string(topic.write), "read": .string(topic.read)]
            )
        }
        try await change(
            .PUT,
            "/api/permissions/\(host)/\(user)",
            [
                "configure": .string(permissions.configure), "write": .string(permissions.write),
                "read": .string(permissions.read),
            ]
        )
    }

    /// Takes a user away, which ends its connections, and then its queue.
    func remove(user: String, queue: String, virtualHost: String) async throws(BrokerAdministrationError) {
        try await change(.DELETE, "/api/users/\(Self.segment(user))", expecting: [204, 404])
        try await deleteQueue(queue, virtualHost: virtualHost)
    }

    private func declare(_ queue: QueueDeclaration, virtualHost: String) async throws(BrokerAdministrationError) {
        let path = "/api/queues/\(Self.segment(virtualHost))/\(Self.segment(queue.name))"
        let declaration: JSONValue = ["durable": true, "arguments": .object(queue.arguments.jsonMembers)]
        let (status, answer) = try await send(.PUT, path, declaration)
        let text = String(decoding: answer, as: UTF8.self)
        guard status != 400 || !text.contains("inequivalent") else {
            throw BrokerAdministrationError(
                .refused,
                "the queue \(queue.name) exists with other bounds: give the same ones, or take it away with --remove, with "
                    + "what waits in it, and make it anew; the broker says: \(text)"
            )
        }
        try check(status, answer, of: .PUT, path, expecting: [201, 204])
    }

    private func bind(
        _ subscription: Topology.Subscription,
        virtualHost: String
    ) async throws(BrokerAdministrationError) {
        let host = Self.segment(virtualHost)
        let queue = Self.segment(subscription.queue.name)
        for row in try await list("/api/queues/\(host)/\(queue)/bindings", virtualHost) {
            // Every queue is bound to the default exchange, whose name is empty, for good.
            guard let source = row["source"]?.stringValue, !source.isEmpty,
                let key = row["properties_key"]?.stringValue,
                !subscription.bindings.contains(where: {
                    $0.exchange == source && $0.routingKey == row["routing_key"]?.stringValue
                })
            else { continue }
            let path = "/api/bindings/\(host)/e/\(Self.segment(source))/q/\(queue)/\(Self.segment(key))"
            try await change(.DELETE, path, expecting: [204, 404])
        }
        for binding in subscription.bindings {
            let path = "/api/bindings/\(host)/e/\(Self.segment(binding.exchange))/q/\(queue)"
            try await change(.POST, path, ["routing_key": .string(binding.routingKey)])
        }
    }

    @discardableResult
    private func change(
        _ method: HTTPMethod,
        _ path: String,
        _ body: JSONValue? = nil,
        expecting statuses: Set<Int> = [201, 204]
    ) async throws(BrokerAdministrationError) -> Int {
        let (status, answer) = try await send(method, path, body)
        try check(status, answer, of: method, path, expecting: statuses)
        return status
    }

    private func check(
        _ status: Int,
        _ answer: [UInt8],
        of method: HTTPMethod,
        _ path: String,
        expecting statuses: Set<Int>
    ) throws(BrokerAdministrationError) {
        guard !statuses.contains(status) else {
            return
        }
        switch status {
        case 401, 403:
            throw BrokerAdministrationError(.refused, "the broker refuses this user, who must be an administrator")
        case 404:
            throw BrokerAdministrationError(
                .refused,
                "the broker lacks the virtual host or its exchanges; name it with --virtual-host, or run "
                    + "`batuta broker apply` first"
            )
        default:
            throw BrokerAdministrationError(
                status >= 500 ? .busy : .refused,
                "the broker refuses \(method.rawValue) \(path) (\(status)): \(String(decoding: answer, as: UTF8.self))"
            )
        }
    }
}

extension [String: HeaderValue] {
    /// Arguments of a queue, which are texts, whole numbers and booleans, as the management interface takes them.
    fileprivate var jsonMembers: [JSONMember] {
        sorted { $0.key < $1.key }.compactMap { name, value in
            let json: JSONValue? =
                switch value {
                case .string(let text): .string(text)
                case .int64(let number): .number(number)
                case .bool(let flag): .bool(flag)
                case .double, .bytes, .timestamp, .array, .table, .void: nil
                }
            return json.map { JSONMember(name, $0) }
        }
    }
}
