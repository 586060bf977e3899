import Foundation
import JSON
import Messaging
import NIOHTTP1

extension BrokerAdministration {
    /// Whether there is a user of this name.
    func hasUser(_ name: String) async throws(BrokerAdministrationError) -> Bool {
        try await change(.GET, "/api/users/\(Self.segment(name))", expecting: [200, 404]) == 200
    }

    /// Makes an action's queue and user, or brings them up to date.
    ///
    /// A user may do nothing until its permissions are set, which comes last: without a topic permission the broker allows
    /// every key.
    ///
    /// - Parameters:
    ///   - route: The action's way.
    ///   - password: The user's password; nil where it stays.
    ///   - virtualHost: The virtual host that the system lives in.
    /// - Throws: `BrokerAdministrationError`; the command can be given again.
    func install(
        _ route: ActionRoute,
        password: String?,
        virtualHost: String
    ) async throws(BrokerAdministrationError) {
        let host = Self.segment(virtualHost)
        let subscription = route.subscription
        let queue = Self.segment(subscription.queue.name)
        try await change(
            .PUT,
            "/api/queues/\(host)/\(queue)",
            ["durable": true, "arguments": .object(subscription.queue.arguments.jsonMembers)]
        )
        for binding in subscription.bindings {
            let path = "/api/bindings/\(host)/e/\(Self.segment(binding.exchange))/q/\(queue)"
            try await change(.POST, path, ["routing_key": .string(binding.routingKey)])
        }
        let permissions = BrokerPermissions(of: route)
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

    /// Takes an action's user away, which ends its connections, and then its queue.
    func remove(_ route: ActionRoute, virtualHost: String) async throws(BrokerAdministrationError) {
        try await change(.DELETE, "/api/users/\(Self.segment(route.brokerUser))", expecting: [204, 404])
        try await deleteQueue(route.queueName, virtualHost: virtualHost)
    }

    @discardableResult
    private func change(
        _ method: HTTPMethod,
        _ path: String,
        _ body: JSONValue? = nil,
        expecting statuses: Set<Int> = [201, 204]
    ) async throws(BrokerAdministrationError) -> Int {
        let (status, answer) = try await send(method, path, body)
        guard !statuses.contains(status) else {
            return status
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
