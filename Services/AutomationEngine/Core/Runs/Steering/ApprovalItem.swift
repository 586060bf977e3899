import Contracts
import Domain
import FoundationEssentials
import JSON
import Persistence

/// An approval as lists show it.
struct ApprovalItem: Sendable {
    let run: UUID
    let position: Int64
    let step: String
    let automationKey: String
    let summary: String
    let request: [UInt8]
    let openedAt: PostgresTimestamp
    let dueAt: PostgresTimestamp?

    init(_ row: PostgresRow) throws {
        run = try row.decode(0)
        position = try row.decode(1)
        step = try row.decode(2)
        automationKey = try row.decode(3)
        summary = try row.decode(4)
        request = try row.decode(5, as: [UInt8].self)
        openedAt = try row.decode(6)
        dueAt = try row.decode(7)
    }

    var cursor: String { "\(run.lowercased).\(position)" }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("run_id", run.lowercased)
        writer.member("step", step)
        writer.member("automation_key", automationKey)
        writer.member("summary", summary)
        for member in (try? JSONDocument(parsing: request).root.members.map { $0 }) ?? [] {
            writer.member(member.key, raw: Array(member.value.rawBytes))
        }
        writer.member("requested_at", Timestamp.format(openedAt))
        writer.member("until", dueAt.map(Timestamp.format))
        writer.endObject()
    }
}
