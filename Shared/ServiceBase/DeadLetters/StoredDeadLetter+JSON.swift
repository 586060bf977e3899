import Contracts
import Domain
import JSON
import Messaging

extension StoredDeadLetter {
    /// Writes what a list shows of it into an open object.
    func writeMembers(to writer: inout JSONWriter, service: String) {
        writer.member("id", id.lowercased)
        writer.member("service", service)
        writer.member("state", state.rawValue)
        writer.member("tenant", tenant)
        writer.member("message_type", messageType)
        writer.member("message_id", messageID)
        writer.member("item_id", itemID?.lowercased)
        writer.member("exchange", exchange)
        writer.member("routing_key", routingKey)
        writer.member("bytes", Int64(size))
        writer.member("reason", reason)
        writer.member("received_at", receivedAt.description)
        writer.member("redriven_at", redrivenAt?.description)
        writer.member("discarded_at", discardedAt?.description)
        writer.member("discard_reason", discardReason)
    }

    /// What the audit log says of it.
    var auditValue: AuditValue {
        get throws {
            var members: [JSONMember] = []
            for (name, text) in [
                ("discarded_at", discardedAt?.description), ("item_id", itemID?.lowercased),
                ("message_id", messageID), ("message_type", messageType), ("reason", reason),
                ("redriven_at", redrivenAt?.description), ("state", state.rawValue),
            ] {
                if let text { members.append(JSONMember(name, .string(text))) }
            }
            return try .json(.object(members))
        }
    }
}

extension StoredDeadLetter.Content {
    /// Writes the message into an open object: its properties, and its body as text where it is one.
    func writeMembers(to writer: inout JSONWriter) {
        writer.key("properties")
        writer.raw(properties.utf8)
        if let text = String(validating: body, as: UTF8.self) {
            writer.member("body", text)
            writer.member("body_encoding", "text")
        } else {
            writer.member("body", Base64Text.encode(body))
            writer.member("body_encoding", "base64")
        }
    }
}
