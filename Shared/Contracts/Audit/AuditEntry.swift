package import Domain
package import FoundationEssentials
import JSON

/// An audit entry as it arrives: its exact bytes, and what the log needs to know of it.
package struct AuditEntry: Sendable, Equatable {
    /// The producer's bytes, which are hashed and stored as they are.
    package let canonical: [UInt8]
    package let id: UUID
    package let time: Timestamp
    package let tenant: Tenant
    package let producer: String
    package let epoch: Int64
    package let seq: Int64
    /// Whose change it was, what it did and to what, for lists.
    package let action: String

    /// Reads an entry strictly.
    ///
    /// - Throws: `ContractError` with code `badBody`, naming the member that is wrong.
    package init(canonical: [UInt8]) throws(ContractError) {
        let root: JSONView
        do {
            root = try JSONDocument(parsing: canonical, limits: .wrapped).root
        } catch {
            throw ContractError(.badBody, "an audit entry is no JSON: \(error)")
        }
        guard root.kind == .object else {
            throw ContractError(.badBody, "an audit entry is no JSON object")
        }
        guard root["v"]?.int64Value == 1 else {
            throw Self.wrong("v")
        }
        guard let text = root["id"]?.stringValue, let id = UUID(uuidString: text), id.lowercased == text else {
            throw Self.wrong("id")
        }
        guard let time = root["time"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }) else {
            throw Self.wrong("time")
        }
        guard let tenant = root["tenant"]?.stringValue.flatMap({ Tenant($0) }) else {
            throw Self.wrong("tenant")
        }
        guard let producer = root["producer"]?.stringValue, !producer.isEmpty else {
            throw Self.wrong("producer")
        }
        guard let epoch = root["epoch"]?.int64Value, epoch > 0 else {
            throw Self.wrong("epoch")
        }
        guard let seq = root["seq"]?.int64Value, seq > 0 else {
            throw Self.wrong("seq")
        }
        guard let action = root["action"]?.stringValue, !action.isEmpty else {
            throw Self.wrong("action")
        }
        try Self.requireShape(root)
        self.canonical = canonical
        self.id = id
        self.time = time
        self.tenant = tenant
        self.producer = producer
        self.epoch = epoch
        self.seq = seq
        self.action = action
    }

    /// Checks what every entry must say, though the log keeps it only inside the bytes.
    private static func requireShape(_ root: JSONView) throws(ContractError) {
        guard let actor = root["actor"], actor["id"]?.stringValue != nil,
            let type = actor["type"]?.stringValue, AuditActor.Kind(rawValue: type) != nil
        else {
            throw wrong("actor")
        }
        guard let object = root["object"], object["type"]?.stringValue != nil, object["id"]?.stringValue != nil else {
            throw wrong("object")
        }
        guard let outcome = root["outcome"]?.stringValue, AuditOutcome(rawValue: outcome) != nil else {
            throw wrong("outcome")
        }
        for name in ["before", "after"] where root[name] == nil {
            throw wrong(name)
        }
    }

    private static func wrong(_ member: String) -> ContractError {
        ContractError(.badBody, "an audit entry's \(member) is missing or not what it must be")
    }
}
