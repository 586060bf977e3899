import Domain
package import FoundationEssentials
package import RabbitMQ

/// A message, or one item of it, that could not be processed.
package struct DeadLetter: Sendable, Equatable {
    /// Whose message it is; nil where it does not say so, or not as a tenant's key.
    package var tenant: String?
    package var exchange: String
    package var routingKey: String
    package var messageType: String?
    package var messageID: String?
    /// The signal or command that failed, where it could be told.
    package var itemID: UUID?
    /// The properties and headers, as JSON.
    package var headers: String
    package var body: [UInt8]
    package var reason: String

    /// A delivery, whole; or one item of it, with the item's own bytes.
    package init(_ delivery: Delivery, itemID: UUID? = nil, body: [UInt8]? = nil, reason: String) {
        tenant = delivery.properties.headers["x-tenant"]?.stringValue.flatMap { Tenant($0)?.key }
        exchange = delivery.exchange
        routingKey = delivery.routingKey
        messageType = delivery.properties.type
        messageID = delivery.properties.messageID
        self.itemID = itemID
        headers = delivery.properties.json
        self.body = body ?? delivery.body
        self.reason = reason
    }
}
