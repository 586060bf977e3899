import Contracts
import Domain
import FoundationEssentials
import Messaging

/// A command to keep a value beside the log, read and checked.
struct KeepCommand: Sendable {
    let id: UUID
    let tenant: Tenant
    let kept: KeptBody

    /// Reads a delivery of `audit.commands`.
    ///
    /// - Throws: `AuditWriterError` with code `unreadableMessage`.
    init(_ delivery: Delivery) throws(AuditWriterError) {
        do {
            let envelope = try MessageEnvelope(delivery.properties.messageHead)
            kept = try ContractRegistry.current.decode(
                AuditKeepV1.self,
                type: envelope.type,
                version: envelope.schemaVersion,
                body: delivery.body
            ).kept
            id = envelope.messageID
            tenant = envelope.tenant
        } catch {
            throw AuditWriterError(.unreadableMessage, error.description)
        }
    }
}
