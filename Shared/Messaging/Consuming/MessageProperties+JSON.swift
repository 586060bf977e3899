import FoundationEssentials
import RabbitMQ

extension MessageProperties {
    /// All properties and headers as JSON, for people and for sending the message again.
    var json: String {
        let record = Record(
            contentType: contentType,
            contentEncoding: contentEncoding,
            isPersistent: isPersistent,
            messageID: messageID,
            correlationID: correlationID,
            replyTo: replyTo,
            type: type,
            timestamp: timestamp,
            expiration: expiration,
            appID: appID,
            userID: userID,
            headers: headers.mapValues(Value.init)
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let bytes = try? encoder.encode(record) else {
            // Only numbers that JSON does not have lead here; no publisher of ours writes one.
            return "{}"
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private struct Record: Encodable {
        enum CodingKeys: String, CodingKey {
            case contentType = "content_type"
            case contentEncoding = "content_encoding"
            case isPersistent = "persistent"
            case messageID = "message_id"
            case correlationID = "correlation_id"
            case replyTo = "reply_to"
            case type
            case timestamp
            case expiration
            case appID = "app_id"
            case userID = "user_id"
            case headers
        }

        let contentType: String?
        let contentEncoding: String?
        let isPersistent: Bool
        let messageID: String?
        let correlationID: String?
        let replyTo: String?
        let type: String?
        let timestamp: Int64?
        let expiration: String?
        let appID: String?
        let userID: String?
        let headers: [String: Value]
    }

    private struct Value: Encodable {
        let header: HeaderValue

        init(_ header: HeaderValue) {
            self.header = header
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch header {
            case .string(let text): try container.encode(text)
            case .int64(let number), .timestamp(let number): try container.encode(number)
            case .bool(let truth): try container.encode(truth)
            case .double(let number): try number.isFinite ? container.encode(number) : container.encode("\(number)")
            case .bytes(let bytes): try container.encode(Data(bytes).base64EncodedString())
            case .array(let values): try container.encode(values.map(Value.init))
            case .table(let table): try container.encode(table.mapValues(Value.init))
            case .void: try container.encodeNil()
            }
        }
    }
}
