/// A message handed out by a consumer, to be acknowledged or rejected.
package struct Delivery: Sendable, Equatable {
    /// Names a delivery on one connection; void once that connection is gone.
    package struct Token: Sendable, Hashable {
        package let epoch: UInt64
        package let tag: UInt64

        package init(epoch: UInt64, tag: UInt64) {
            self.epoch = epoch
            self.tag = tag
        }
    }

    package let token: Token
    package let exchange: String
    package let routingKey: String
    /// Whether the queue has delivered it before; `false` does not prove that it was published once.
    package let isRedelivered: Bool
    package let properties: MessageProperties
    package let body: [UInt8]

    package init(
        token: Token,
        exchange: String,
        routingKey: String,
        isRedelivered: Bool,
        properties: MessageProperties,
        body: [UInt8]
    ) {
        self.token = token
        self.exchange = exchange
        self.routingKey = routingKey
        self.isRedelivered = isRedelivered
        self.properties = properties
        self.body = body
    }

    /// How often a quorum queue has delivered it before; 0 where the queue does not count.
    package var deliveryCount: Int { max(0, properties.headers["x-delivery-count"]?.intValue ?? 0) }
}
