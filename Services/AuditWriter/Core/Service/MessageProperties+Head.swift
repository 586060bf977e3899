import Contracts
import Messaging

extension MessageProperties {
    /// The properties and headers as the contracts read them; headers of other kinds than text and integer are none.
    var messageHead: MessageHead {
        MessageHead(
            messageID: messageID,
            type: type,
            contentType: contentType,
            appID: appID,
            userID: userID,
            timestamp: timestamp,
            headers: headers.compactMapValues { value in
                switch value {
                case .string(let text): .text(text)
                case .int64(let number): .integer(number)
                case .bool, .double, .bytes, .timestamp, .array, .table, .void: nil
                }
            }
        )
    }
}
