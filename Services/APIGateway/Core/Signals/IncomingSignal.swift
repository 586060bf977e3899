package import Domain
package import FoundationEssentials

/// A validated signal on its way into the database.
package struct IncomingSignal: Sendable {
    /// The id that it gets if it is the first of its key.
    package let signalID: UUID
    package let tenant: Tenant
    package let type: String
    package let source: String
    package let id: String
    /// SHA-256 of type and data: tells a repeat from a conflict.
    package let digest: [UInt8]
    /// The CloudEvent in structured form, with our stamps, as it is stored and published.
    package let event: [UInt8]
    /// The trace that it belongs to.
    package let traceparent: String?
    /// Tenant, source and id: equal exactly where the database's key is, whatever Unicode thinks of the texts.
    package let key: [UInt8]

    package init(
        signalID: UUID,
        tenant: Tenant,
        type: String,
        source: String,
        id: String,
        digest: [UInt8],
        event: [UInt8],
        traceparent: String?
    ) {
        self.signalID = signalID
        self.tenant = tenant
        self.type = type
        self.source = source
        self.id = id
        self.digest = digest
        self.event = event
        self.traceparent = traceparent
        key = Self.key(tenant: tenant.key, source: source, id: id)
    }

    /// The key's bytes; a NUL, which none of the three can hold, stands between them.
    static func key(tenant: String, source: String, id: String) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(tenant.utf8.count + source.utf8.count + id.utf8.count + 2)
        key.append(contentsOf: tenant.utf8)
        key.append(0)
        key.append(contentsOf: source.utf8)
        key.append(0)
        key.append(contentsOf: id.utf8)
        return key
    }
}

/// What became of a signal that was handed in.
package struct SignalReceipt: Sendable, Equatable {
    /// The id of the first signal of that key.
    package let signalID: UUID
    /// Whether another one of that key had come before.
    package let isDuplicate: Bool

    package init(signalID: UUID, isDuplicate: Bool) {
        self.signalID = signalID
        self.isDuplicate = isDuplicate
    }
}
