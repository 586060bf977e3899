import AsyncHTTPClient
import Foundation
import JSON
import Messaging
import NIOCore
import NIOHTTP1

extension BrokerAdministration {
    /// The names of the services' own queues in a virtual host, as the topology makes them: `<service>.<purpose>…`.
    ///
    /// That of answers of actions is left out: an answer counts for the attempt that it names, or for nothing.
    func queues(virtualHost: String) async throws(BrokerAdministrationError) -> [String] {
        let rows = try await list("/api/queues/\(Self.segment(virtualHost))?columns=name", virtualHost)
        return rows.compactMap { $0["name"]?.stringValue }.filter { name in
            name != Topology.engineActions.queue.name
                && ServiceName.allCases.contains { name.hasPrefix("\($0.rawValue).") }
        }
    }

    /// The names of the connections that services have to a virtual host.
    func serviceConnections(virtualHost: String) async throws(BrokerAdministrationError) -> [String] {
        let users = Set(ServiceName.allCases.map(\.brokerUser))
        let path = "/api/vhosts/\(Self.segment(virtualHost))/connections?columns=user,user_provided_name"
        return try await list(path, virtualHost).compactMap { row in
            guard let user = row["user"]?.stringValue, users.contains(user) else { return nil }
            return row["user_provided_name"]?.stringValue ?? user
        }
    }

    /// Deletes a queue with whatever is in it; one that is not there counts as deleted.
    func deleteQueue(_ name: String, virtualHost: String) async throws(BrokerAdministrationError) {
        let (status, body) = try await send(
            .DELETE,
            "/api/queues/\(Self.segment(virtualHost))/\(Self.segment(name))"
        )
        guard status == 204 || status == 404 else {
            throw BrokerAdministrationError(
                status >= 500 ? .busy : .refused,
                "the broker does not delete the queue \(name) (\(status)): \(String(decoding: body, as: UTF8.self))"
            )
        }
    }

    /// Asks for a list of objects.
    func list(_ path: String, _ virtualHost: String) async throws(BrokerAdministrationError) -> [JSONView] {
        let (status, body) = try await send(.GET, path)
        switch status {
        case 200: break
        case 401, 403:
            throw BrokerAdministrationError(.refused, "the broker refuses this user, who must be an administrator")
        case 404:
            throw BrokerAdministrationError(
                .refused,
                "the broker has no virtual host \(virtualHost); name it with --virtual-host, or run `batuta broker apply`"
            )
        default:
            throw BrokerAdministrationError(.busy, "the broker failed with status \(status)")
        }
        guard let root = try? JSONDocument(parsing: body).root, root.kind == .array else {
            throw BrokerAdministrationError(.busy, "the broker's answer to \(path) is no list")
        }
        return root.elements.map { $0 }
    }

    /// Asks for something once.
    func send(
        _ method: HTTPMethod,
        _ path: String,
        _ body: JSONValue? = nil
    ) async throws(BrokerAdministrationError) -> (status: Int, body: [UInt8]) {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        request.headers.add(name: "Authorization", value: authorization)
        if let bytes = body.flatMap({ try? $0.canonicalBytes() }) {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(bytes)
        }
        do {
            let response = try await http.execute(request, timeout: .seconds(30))
            let body = try await response.body.collect(upTo: 16 << 20)
            return (Int(response.status.code), Array(body.readableBytesView))
        } catch {
            throw BrokerAdministrationError(
                .unreachable,
                "the broker's management interface is not reachable: \(error)"
            )
        }
    }

    /// A name as one segment of a path.
    static func segment(_ name: String) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~")
        return name.addingPercentEncoding(withAllowedCharacters: allowed) ?? name
    }
}
