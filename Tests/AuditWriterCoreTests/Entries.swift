import Contracts
import Domain
import FoundationEssentials
import Messaging

@testable import AuditWriterCore

/// Makes audit entries and the deliveries that bring them, as producers do.
enum Entries {
    static let producer = "automation-engine/test/0"

    static func canonical(
        seq: Int64,
        producer: String = producer,
        epoch: Int64 = 1,
        tenant: String = "acme",
        id: UUID = UUIDv7.make(),
        object: AuditObject = AuditObject(type: "run", id: "r"),
        action: String = "run.end"
    ) -> [UInt8] {
        AuditDraft(
            id: id,
            time: Timestamp(microseconds: 1_795_000_000_000_000 + seq),
            tenant: tenant,
            actor: AuditActor(type: .system, id: "automation-engine"),
            action: action,
            object: object,
            after: .canonical(Array("{\"n\":\(seq)}".utf8)),
            reason: "größer als\n\"nichts\""
        ).canonicalBytes(producer: producer, epoch: epoch, seq: seq)
    }

    static func delivery(
        _ lines: [[UInt8]],
        seq: Int64,
        producer: String = producer,
        epoch: Int64 = 1,
        tenant: String = "acme",
        count: Int? = nil,
        tag: UInt64 = 1,
        change: (inout MessageProperties) -> Void = { _ in }
    ) -> Delivery {
        var properties = MessageProperties(
            contentType: AuditEntriesV1.contentType,
            messageID: UUIDv7.make().lowercased,
            type: AuditEntriesV1.type,
            headers: [
                "x-schema-version": 1, "x-tenant": .string(tenant), "x-producer": .string(producer),
                "x-epoch": .int64(epoch), "x-seq": .int64(seq), "x-count": .int64(Int64(count ?? lines.count)),
            ]
        )
        properties.appID = "automation-engine"
        properties.userID = "batuta_engine"
        properties.timestamp = 1_795_000_000
        change(&properties)
        return Delivery(
            token: Delivery.Token(epoch: 1, tag: tag),
            exchange: Topology.auditExchange,
            routingKey: "\(tenant).engine",
            isRedelivered: false,
            properties: properties,
            body: AuditEntriesV1.body(of: lines)
        )
    }

    /// A message of a run of numbers.
    static func message(
        _ numbers: ClosedRange<Int64>,
        producer: String = producer,
        epoch: Int64 = 1,
        tenant: String = "acme"
    ) throws -> EntryMessage {
        let lines = numbers.map { canonical(seq: $0, producer: producer, epoch: epoch, tenant: tenant) }
        return try EntryMessage(
            delivery(lines, seq: numbers.lowerBound, producer: producer, epoch: epoch, tenant: tenant)
        )
    }
}
