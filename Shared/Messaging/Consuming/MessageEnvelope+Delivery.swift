package import Contracts
package import RabbitMQ

extension MessageHead {
    /// The properties and headers of a delivery; headers of other kinds than text and integer are left out.
    package init(_ properties: MessageProperties) {
        self.init(
            messageID: properties.messageID,
            type: properties.type,
            contentType: properties.contentType,
            appID: properties.appID,
            userID: properties.userID,
            timestamp: properties.timestamp,
            headers: properties.headers.compactMapValues { value in
                if let text = value.stringValue { return .text(text) }
                guard case .int64(let number) = value else { return nil }
                return .integer(number)
            }
        )
    }
}

extension MessageEnvelope {
    /// Reads the envelope of a delivery strictly.
    ///
    /// - Throws: `ContractError` with code `badHeader`, naming the first property or header that is wrong.
    package init(_ delivery: Delivery) throws(ContractError) {
        try self.init(MessageHead(delivery.properties))
    }
}
