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
    /// What was done.
    package let action: String
    /// Who did it: its kind and its name.
    package let actor: (type: AuditActor.Kind, id: String)
    /// What was changed: its kind and its id.
    package let object: (type: String, id: String)
    package let traceID: String?

    /// The bytes of the longest entry there can be: a bundle of entries gives each a length of 16 bits.
    package static let maximumBytes = 65_535

    package static func == (one: AuditEntry, other: AuditEntry) -> Bool { one.canonical == other.canonical }

    /// Reads an entry strictly.
    ///
    /// - Throws: `ContractError` with code `badBody`, naming the member that is wrong.
    package init(canonical: [UInt8]) throws(ContractError) {
        guard canonical.count <= Self.maximumBytes else {
            throw ContractError(.badBody, "an audit entry has more than \(Self.maximumBytes) bytes")
        }
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
        guard let actor = root["actor"], let actorID = actor["id"]?.stringValue,
            let actorType = actor["type"]?.stringValue.flatMap(AuditActor.Kind.init(rawValue:))
        else {
            throw Self.wrong("actor")
        }
        guard let object = root["object"], let objectType = object["type"]?.stringValue,
            let objectID = object["id"]?.stringValue
        else {
            throw Self.wrong("object")
        }
        try Self.requireShape(root)
        self.actor = (actorType, actorID)
        self.object = (objectType, objectID)
        traceID = root["trace_id"]?.stringValue
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
