package import Contracts
package import FoundationEssentials
package import PostgreSQL
package import RabbitMQ

/// A dead letter as its row tells it.
package struct StoredDeadLetter: Sendable, Equatable {
    /// What has become of it.
    package enum State: String, CaseIterable, Sendable {
        /// Nobody has done anything about it yet.
        case waiting
        /// It was processed after all.
        case redriven
        /// Somebody has decided that it is not to be processed.
        case discarded
    }

    /// The message itself.
    package struct Content: Sendable, Equatable {
        /// The properties and headers, as `MessageProperties` writes them.
        package let properties: String
        package let body: [UInt8]
    }

    package let id: UUID
    /// Whose message it is; nil where it does not say so.
    package let tenant: String?
    package let exchange: String
    package let routingKey: String
    package let messageType: String?
    package let messageID: String?
    /// The signal or command that failed, where the letter holds just that.
    package let itemID: UUID?
    /// The bytes of the body.
    package let size: Int
    /// Why it could not be processed.
    package let reason: String
    package let receivedAt: Timestamp
    package let state: State
    package let redrivenAt: Timestamp?
    package let discardedAt: Timestamp?
    package let discardReason: String?

    /// The columns that `init(_:)` reads.
    static let columns = """
        dead_letter_id, tenant, exchange, routing_key, message_type, message_id, item_id, octet_length(body), reason, \
        received_at, state, redriven_at, discarded_at, discard_reason
        """

    /// Reads a row that has `columns`.
    package init(_ row: PostgresRow) throws {
        func time(_ column: Int) throws -> Timestamp? {
            try row.decode(column, as: PostgresTimestamp?.self).map {
                Timestamp(microseconds: $0.microsecondsSinceEpoch)
            }
        }
        guard let state = State(rawValue: try row.decode(10)), let receivedAt = try time(9) else {
            throw PostgresError(.decoding, "the state of a dead letter is unknown to this release")
        }
        id = try row.decode(0)
        tenant = try row.decode(1)
        exchange = try row.decode(2)
        routingKey = try row.decode(3)
        messageType = try row.decode(4)
        messageID = try row.decode(5)
        itemID = try row.decode(6)
        size = Int(try row.decode(7, as: Int32.self))
        reason = try row.decode(8)
        self.receivedAt = receivedAt
        self.state = state
        redrivenAt = try time(11)
        discardedAt = try time(12)
        discardReason = try row.decode(13)
    }

    /// Where it stands in a list.
    package var cursor: DeadLetterCursor { DeadLetterCursor(receivedAt: receivedAt, id: id) }

    /// The message once more, as a queue would deliver it.
    ///
    /// A letter of one item has the item's own bytes: its delivery has one item. The broker knows nothing of it, so it is
    /// never acknowledged.
    ///
    /// - Throws: `ContractError` with code `badHeader` where the stored properties cannot be read.
    package func delivery(_ content: Content) throws(ContractError) -> Delivery {
        var body = content.body
        if itemID != nil, messageType == ContractType.signalsAccepted {
            body = SignalsAcceptedV1.body(of: [body])
        }
        return Delivery(
            token: Delivery.Token(epoch: 0, tag: 0),
            exchange: exchange,
            routingKey: routingKey,
            isRedelivered: true,
            properties: try MessageProperties(json: content.properties),
            body: body
        )
    }
}
