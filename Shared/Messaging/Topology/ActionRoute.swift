package import Domain
import RabbitMQ

/// The way of the calls of one registered action to the service that carries it out, and of its answers.
///
/// The service has a broker user of its own (`BrokerPermissions(of:)`), which can take from this queue alone and publish
/// with this `resultKey` alone. So the routing key of an answer says who it comes from.
package struct ActionRoute: Hashable, Sendable {
    package let tenant: Tenant
    /// The action's key, `area.verb`.
    package let action: String

    /// The binding key of all answers.
    static let everyResult = "result.#"
    /// How many calls wait for a service at most; what does not fit is refused.
    package static let maximumLength = 10_000
    /// How many bytes of calls wait for a service at most.
    static let maximumBytes: Int64 = 256 * 1_024 * 1_024
    /// How often a call is given to a service that does not acknowledge it.
    static let deliveryLimit = 20

    /// - Parameters:
    ///   - tenant: Whose action it is.
    ///   - action: Its key; nil comes of a text that is none.
    package init?(tenant: Tenant, action: String) {
        guard Self.isActionKey(action) else {
            return nil
        }
        self.tenant = tenant
        self.action = action
    }

    /// Reads the routing key of an answer; nil where it is none.
    package init?(resultKey: String) {
        let parts = resultKey.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "result", let tenant = Tenant(String(parts[1])) else {
            return nil
        }
        self.init(tenant: tenant, action: String(parts[2]))
    }

    package var callKey: String { "call.\(tenant.key).\(action)" }
    package var resultKey: String { "result.\(tenant.key).\(action)" }
    package var queueName: String { "actions.\(tenant.key).\(action)" }
    /// The user of the service; a tenant's key has no underscore, so no two actions have one user.
    package var brokerUser: String { "batuta_action_\(tenant.key)_\(action)" }

    /// The queue that the service takes calls from.
    package var subscription: Topology.Subscription {
        Topology.Subscription(
            queue: .quorum(
                queueName,
                deliveryLimit: Self.deliveryLimit,
                maximumLength: Self.maximumLength,
                overflow: .rejectPublish,
                arguments: ["x-max-length-bytes": .int64(Self.maximumBytes)]
            ),
            bindings: [Binding(queue: queueName, exchange: Topology.actionsExchange, routingKey: callKey)]
        )
    }

    /// Whether a text is `area.verb`: `^[a-z][a-z0-9_-]*\.[A-Za-z][A-Za-z0-9_-]*$`, of 100 bytes at most.
    package static func isActionKey(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard text.utf8.count <= 100, parts.count == 2, let area = parts[0].first, let verb = parts[1].first else {
            return false
        }
        return area.isLowercaseLetter && verb.isLetter
            && parts[0].allSatisfy { $0.isLowercaseLetter || $0.isDigit || $0.isDashOrUnderscore }
            && parts[1].allSatisfy { $0.isLetter || $0.isDigit || $0.isDashOrUnderscore }
    }
}

extension UInt8 {
    fileprivate var isLetter: Bool { isLowercaseLetter || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }

    fileprivate var isDashOrUnderscore: Bool { self == UInt8(ascii: "-") || self == UInt8(ascii: "_") }
}
