import Contracts
import Domain
import JSON
import Persistence

extension AuditDraft {
    /// The entry of a partition that is gone: whose it was, of which week, and how long it was to be kept.
    static func retired(
        _ partition: WeeklyPartition,
        of schema: ServiceSchema,
        keeping days: Int,
        by producer: String
    ) -> AuditDraft {
        AuditDraft(
            id: UUIDv7.make(),
            time: .now(),
            tenant: "batuta",
            actor: AuditActor(type: .system, id: String(producer.prefix { $0 != "/" }), via: "retention"),
            action: "retire",
            object: AuditObject(type: "partition", id: "\(schema.name).\(partition.table)/\(partition.week)"),
            before: .canonical(Array(#"{"keep_days":\#(days)}"#.utf8))
        )
    }
}
