package import FoundationEssentials

/// One message of a lane: a row of the outbox, with the bytes to send.
package struct OutboxMessage: Sendable {
    package var id: UUID
    package var destination: Destination
    package var firstSeq: Int64
    package var lastSeq: Int64
    package var tenant: String
    package var routingKey: String
    package var type: String
    package var schemaVersion: Int
    package var traceparent: String?
    /// Of signals: their ids, in the order of their numbers.
    package var items: [UUID]
    /// The bytes to send; of signals they are put together from the events.
    package var body: [UInt8]
}

/// An accepted signal: its id, and its event in structured form with our stamps.
package struct AcceptedSignal: Sendable {
    package var id: UUID
    package var event: [UInt8]
    package var traceparent: String?

    package init(id: UUID, event: [UInt8], traceparent: String? = nil) {
        self.id = id
        self.event = event
        self.traceparent = traceparent
    }
}

/// A command to another service, not yet numbered.
package struct CommandDraft: Sendable {
    /// The schema's name of the service that carries it out.
    package var service: String
    /// What to do, as in `audit.keep`, without the service: `keep`.
    package var name: String
    package var tenant: String
    package var type: String
    package var schemaVersion: Int
    package var traceparent: String?
    package var body: [UInt8]

    package init(
        service: String,
        name: String,
        tenant: String,
        type: String,
        schemaVersion: Int = 1,
        traceparent: String? = nil,
        body: [UInt8]
    ) {
        self.service = service
        self.name = name
        self.tenant = tenant
        self.type = type
        self.schemaVersion = schemaVersion
        self.traceparent = traceparent
        self.body = body
    }
}
