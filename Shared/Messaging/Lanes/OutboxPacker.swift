import Contracts
import Domain
import FoundationEssentials

/// Numbers what one transaction has to tell others, and packs it into messages of up to 64 KiB.
struct OutboxPacker {
    /// A message is closed when the next item would take it past this.
    static let maximumBytes = 64 * 1_024

    private(set) var numbers: LaneNumbers
    private(set) var messages: [OutboxMessage] = []
    private let service: String
    private let producer: String
    private let epoch: Int64
    private let makeID: () -> UUID

    init(
        numbers: LaneNumbers,
        service: String,
        producer: String,
        epoch: Int64,
        makeID: @escaping () -> UUID = { UUIDv7.make() }
    ) {
        self.numbers = numbers
        self.service = service
        self.producer = producer
        self.epoch = epoch
        self.makeID = makeID
    }

    /// Packs accepted signals of one tenant and type: each message is a JSON array of their events.
    mutating func pack(signals: [AcceptedSignal], tenant: String, type: String, schemaVersion: Int = 1) {
        var message: OutboxMessage?
        for signal in signals {
            if let open = message, open.body.count + signal.event.count + 2 > Self.maximumBytes {
                close(signals: open)
                message = nil
            }
            numbers.signals += 1
            if message == nil {
                message = begin(.signals, tenant: tenant, routingKey: type, type: ContractType.signalsAccepted)
                message?.schemaVersion = schemaVersion
                message?.body.append(UInt8(ascii: "["))
            } else {
                message?.body.append(UInt8(ascii: ","))
            }
            message?.items.append(signal.id)
            message?.body.append(contentsOf: signal.event)
            message?.lastSeq = numbers.signals
            let isAlone = message?.items.count == 1
            message?.traceparent = isAlone ? signal.traceparent : nil
        }
        if let message {
            close(signals: message)
        }
    }

    /// Packs audit entries of one tenant: each message is their canonical bytes, one per line.
    mutating func pack(audit drafts: [AuditDraft], tenant: String) {
        var message: OutboxMessage?
        for draft in drafts {
            numbers.audit += 1
            let bytes = draft.canonicalBytes(producer: producer, epoch: epoch, seq: numbers.audit)
            if let open = message, open.body.count + bytes.count + 1 > Self.maximumBytes {
                messages.append(open)
                message = nil
            }
            if message == nil {
                message = begin(
                    .audit,
                    tenant: tenant,
                    routingKey: "\(tenant).\(service)",
                    type: ContractType.auditEntries
                )
            }
            message?.body.append(contentsOf: bytes)
            message?.body.append(UInt8(ascii: "\n"))
            message?.lastSeq = numbers.audit
        }
        if let message {
            messages.append(message)
        }
    }

    /// Packs one command: a message of its own.
    mutating func pack(command draft: CommandDraft) {
        numbers.commands += 1
        var message = begin(
            .commands,
            tenant: draft.tenant,
            routingKey: "\(draft.service).\(draft.name)",
            type: draft.type
        )
        message.schemaVersion = draft.schemaVersion
        message.traceparent = draft.traceparent
        message.body = draft.body
        messages.append(message)
    }

    private func begin(_ destination: Destination, tenant: String, routingKey: String, type: String) -> OutboxMessage {
        OutboxMessage(
            id: makeID(),
            destination: destination,
            firstSeq: numbers[destination],
            lastSeq: numbers[destination],
            tenant: tenant,
            routingKey: routingKey,
            type: type,
            schemaVersion: 1,
            traceparent: nil,
            items: [],
            body: []
        )
    }

    private mutating func close(signals message: OutboxMessage) {
        var message = message
        message.body.append(UInt8(ascii: "]"))
        messages.append(message)
    }
}
