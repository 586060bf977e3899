package import Contracts
import Domain
package import Messaging

/// A message of audit entries: a run of numbers of one lane, read and checked.
package struct EntryMessage: Sendable {
    package let lane: LaneName
    package let entries: [AuditEntry]

    /// Reads a delivery.
    ///
    /// - Throws: `AuditWriterError` with code `unreadableMessage`.
    package init(_ delivery: Delivery) throws(AuditWriterError) {
        do {
            let envelope = try MessageEnvelope(delivery.properties.messageHead)
            let contract = try ContractRegistry.current.decode(
                AuditEntriesV1.self,
                type: envelope.type,
                version: envelope.schemaVersion,
                body: delivery.body
            )
            try contract.requireMatch(envelope)
            lane = LaneName(producer: envelope.producer, epoch: envelope.epoch)
            entries = contract.entries
            try Self.requireOwnProducer(envelope)
        } catch {
            throw AuditWriterError(.unreadableMessage, error.description)
        }
        guard entries.allSatisfy({ UUIDv7.milliseconds(of: $0.id) != nil }) else {
            throw AuditWriterError(.unreadableMessage, "the id of an entry is no UUID of version 7")
        }
    }

    /// A service speaks for its own lanes only: the broker has checked the user, and the user must be the producer's.
    private static func requireOwnProducer(_ envelope: MessageEnvelope) throws(ContractError) {
        let service = envelope.producer.prefix { $0 != "/" }
        guard let owner = owners[String(service)] else {
            return
        }
        guard envelope.user == owner.brokerUser else {
            throw ContractError(.badHeader, "user_id is not the broker user of the service that x-producer names")
        }
    }

    private static let owners: [String: ServiceName] = [
        "api-gateway": .gateway, "automation-engine": .engine, "scheduler": .scheduler, "job-controller": .jobs,
        "audit-writer": .audit,
    ]
}
