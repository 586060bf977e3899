import Crypto
import FoundationEssentials

extension Topology {
    /// What the broker's `POST /api/definitions` and `load_definitions` take: virtual host, users with their
    /// permissions, and exchanges.
    ///
    /// Queues are left to the services. Users have no tags, so none of them may use the management interface.
    ///
    /// - Parameters:
    ///   - virtualHost: The virtual host that the system lives in.
    ///   - passwords: The password of each service; a service without one is left out.
    /// - Returns: UTF-8 JSON without any password, only salted hashes.
    package static func definitions(virtualHost: String, passwords: [ServiceName: String]) -> [UInt8] {
        let services = ServiceName.allCases.filter { passwords[$0] != nil }
        let definitions = Definitions(
            users: services.map { service in
                Definitions.User(
                    name: service.brokerUser,
                    passwordHash: passwordHash(of: passwords[service] ?? "", salt: randomSalt())
                )
            },
            virtualHosts: [Definitions.VirtualHost(name: virtualHost)],
            permissions: services.map { Definitions.Permission(BrokerPermissions(of: $0), virtualHost: virtualHost) },
            topicPermissions: services.flatMap { service in
                let permissions = BrokerPermissions(of: service)
                return permissions.topics.map {
                    Definitions.TopicPermission($0, user: permissions.user, virtualHost: virtualHost)
                }
            },
            exchanges: exchanges.map { Definitions.Exchange($0, virtualHost: virtualHost) }
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(definitions)) + [UInt8(ascii: "\n")]
        } catch {
            preconditionFailure("strings and booleans cannot be written as JSON: \(error)")
        }
    }

    /// A password as the broker's management interface takes it: salted anew each time.
    package static func passwordHash(of password: String) -> String { passwordHash(of: password, salt: randomSalt()) }

    /// The name of the hash, as the broker calls it.
    package static let hashingAlgorithm = "rabbit_password_hashing_sha256"

    /// RabbitMQ's `rabbit_password_hashing_sha256`: base64 of the salt and of SHA-256(salt, password).
    static func passwordHash(of password: String, salt: [UInt8]) -> String {
        var hasher = SHA256()
        hasher.update(data: salt)
        hasher.update(data: Array(password.utf8))
        return Data(salt + Array(hasher.finalize())).base64EncodedString()
    }

    private static func randomSalt() -> [UInt8] {
        (0..<4).map { _ in UInt8.random(in: .min ... .max) }
    }
}

/// The broker's own form of its definitions.
private struct Definitions: Encodable {
    struct User: Encodable {
        enum CodingKeys: String, CodingKey {
            case name
            case passwordHash = "password_hash"
            case algorithm = "hashing_algorithm"
            case tags
        }

        let name: String
        let passwordHash: String
        let algorithm = Topology.hashingAlgorithm
        let tags: [String] = []
    }

    struct VirtualHost: Encodable {
        let name: String
    }

    struct Permission: Encodable {
        let user: String
        let vhost: String
        let configure: String
        let write: String
        let read: String

        init(_ permissions: BrokerPermissions, virtualHost: String) {
            user = permissions.user
            vhost = virtualHost
            configure = permissions.configure
            write = permissions.write
            read = permissions.read
        }
    }

    struct TopicPermission: Encodable {
        let user: String
        let vhost: String
        let exchange: String
        let write: String
        let read: String

        init(_ topic: BrokerPermissions.Topic, user: String, virtualHost: String) {
            self.user = user
            vhost = virtualHost
            exchange = topic.exchange
            write = topic.write
            read = topic.read
        }
    }

    struct Exchange: Encodable {
        enum CodingKeys: String, CodingKey {
            case name
            case vhost
            case type
            case isDurable = "durable"
            case isAutoDelete = "auto_delete"
            case isInternal = "internal"
            case arguments
        }

        let name: String
        let vhost: String
        let type: String
        let isDurable: Bool
        let isAutoDelete: Bool
        let isInternal: Bool
        let arguments: [String: String] = [:]

        init(_ exchange: ExchangeDeclaration, virtualHost: String) {
            name = exchange.name
            vhost = virtualHost
            type = exchange.kind.rawValue
            isDurable = exchange.isDurable
            isAutoDelete = exchange.isAutoDelete
            isInternal = exchange.isInternal
        }
    }

    enum CodingKeys: String, CodingKey {
        case users
        case virtualHosts = "vhosts"
        case permissions
        case topicPermissions = "topic_permissions"
        case exchanges
    }

    let users: [User]
    let virtualHosts: [VirtualHost]
    let permissions: [Permission]
    let topicPermissions: [TopicPermission]
    let exchanges: [Exchange]
}
