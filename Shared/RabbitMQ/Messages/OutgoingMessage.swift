/// A message to publish.
package struct OutgoingMessage: Sendable, Equatable {
    package var exchange: String
    package var routingKey: String
    /// Whether the broker returns the message when no queue takes it, instead of dropping it.
    package var isMandatory: Bool
    /// Whether it is given to the broker once at most: where its fate is unknown its caller is told so, and it is not
    /// published again.
    package var isSentOnce = false
    package var properties: MessageProperties
    package var body: [UInt8]

    package init(
        exchange: String,
        routingKey: String,
        isMandatory: Bool = true,
        properties: MessageProperties = MessageProperties(),
        body: [UInt8]
    ) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.isMandatory = isMandatory
        self.properties = properties
        self.body = body
    }

    /// The properties must fit one frame; 131072 is the least frame size that a default broker negotiates.
    static let maximumHeaderSize = 100_000

    /// Checks the limits of the protocol before anything is sent.
    ///
    /// A message that failed to encode half-way would leave a torn command on the connection.
    ///
    /// - Throws: `RabbitMQError` with code `invalidMessage`.
    func validate() throws(RabbitMQError) {
        let texts = [
            exchange, routingKey, properties.contentType, properties.contentEncoding, properties.messageID,
            properties.correlationID, properties.replyTo, properties.type, properties.expiration, properties.appID,
            properties.userID,
        ]
        for case .some(let text) in texts where text.utf8.count > 255 {
            throw RabbitMQError(.invalidMessage, "a name or property of the message exceeds 255 bytes")
        }
        let headers = HeaderValue.table(properties.headers)
        guard headers.hasEncodableKeys else {
            throw RabbitMQError(.invalidMessage, "a header's name exceeds 128 bytes")
        }
        guard headers.depth <= 16, headers.encodedSize <= Self.maximumHeaderSize else {
            throw RabbitMQError(.invalidMessage, "the headers exceed \(Self.maximumHeaderSize) bytes or 16 levels")
        }
    }
}

/// How the broker settled a message.
package enum PublishOutcome: Sendable, Equatable {
    /// The broker has taken responsibility for it in every queue that it was routed to.
    case confirmed
    /// No queue took it; nothing was stored.
    case returned(code: Int, text: String)
}
