/// A queue as it is declared.
package struct QueueDeclaration: Sendable, Equatable {
    /// The name; an empty one lets the broker choose, anew on every connection.
    package var name: String
    package var isDurable: Bool
    package var isExclusive: Bool
    package var isAutoDelete: Bool
    /// Only checks that the queue exists; its other properties are not compared.
    package var isPassive = false
    package var arguments: [String: HeaderValue]

    package init(
        name: String,
        isDurable: Bool = true,
        isExclusive: Bool = false,
        isAutoDelete: Bool = false,
        arguments: [String: HeaderValue] = [:]
    ) {
        self.name = name
        self.isDurable = isDurable
        self.isExclusive = isExclusive
        self.isAutoDelete = isAutoDelete
        self.arguments = arguments
    }

    /// Whether one consumer gets everything while the others stand by.
    var isSingleActiveConsumer: Bool { arguments["x-single-active-consumer"] == .bool(true) }

    /// A durable quorum queue.
    package static func quorum(
        _ name: String,
        deliveryLimit: Int? = nil,
        isSingleActiveConsumer: Bool = false,
        maximumLength: Int? = nil,
        overflow: Overflow? = nil,
        arguments: [String: HeaderValue] = [:]
    ) -> Self {
        var all = arguments
        all["x-queue-type"] = .string("quorum")
        if let deliveryLimit { all["x-delivery-limit"] = .int64(Int64(deliveryLimit)) }
        if isSingleActiveConsumer { all["x-single-active-consumer"] = .bool(true) }
        if let maximumLength { all["x-max-length"] = .int64(Int64(maximumLength)) }
        if let overflow { all["x-overflow"] = .string(overflow.rawValue) }
        return Self(name: name, arguments: all)
    }

    /// A queue that only its connection sees and that goes with it.
    package static func exclusive(
        _ name: String = "",
        maximumLength: Int? = nil,
        overflow: Overflow? = nil
    ) -> Self {
        var arguments: [String: HeaderValue] = [:]
        if let maximumLength { arguments["x-max-length"] = .int64(Int64(maximumLength)) }
        if let overflow { arguments["x-overflow"] = .string(overflow.rawValue) }
        return Self(name: name, isDurable: false, isExclusive: true, isAutoDelete: true, arguments: arguments)
    }

    /// A classic queue that goes with its last consumer, unless nobody uses it for longer than `expires`.
    package static func autoDelete(_ name: String, expires: Duration? = nil) -> Self {
        var arguments: [String: HeaderValue] = [:]
        if let expires { arguments["x-expires"] = .int64(max(1, expires.milliseconds)) }
        return Self(name: name, isDurable: false, isAutoDelete: true, arguments: arguments)
    }

    /// What a full queue does.
    package enum Overflow: String, Sendable {
        case dropHead = "drop-head"
        case rejectPublish = "reject-publish"
    }
}

/// What leads messages of an exchange to a queue.
package struct Binding: Sendable, Equatable {
    /// The queue; a consumer puts its own queue's name where this is empty.
    package var queue: String
    package var exchange: String
    package var routingKey: String
    package var arguments: [String: HeaderValue]

    package init(queue: String = "", exchange: String, routingKey: String, arguments: [String: HeaderValue] = [:]) {
        self.queue = queue
        self.exchange = exchange
        self.routingKey = routingKey
        self.arguments = arguments
    }
}

/// An exchange as it is declared.
package struct ExchangeDeclaration: Sendable, Equatable {
    /// How an exchange chooses queues.
    package enum Kind: String, Sendable {
        case direct
        case topic
        case fanout
        case headers
    }

    package var name: String
    package var kind: Kind
    package var isDurable: Bool
    package var isAutoDelete = false
    package var isInternal = false
    /// Only checks that the exchange exists.
    package var isPassive = false
    package var arguments: [String: HeaderValue] = [:]

    package init(name: String, kind: Kind, isDurable: Bool = true) {
        self.name = name
        self.kind = kind
        self.isDurable = isDurable
    }
}

/// A part of the topology, declared again on every connection.
package enum TopologyDeclaration: Sendable, Equatable {
    case exchange(ExchangeDeclaration)
    case queue(QueueDeclaration)
    case binding(Binding)
}
