import Contracts
import Domain
import FoundationEssentials
import JSON
import Persistence

/// A run's row, as clients read it.
struct StoredRun: Sendable {
    static let columns = """
        run_id, type, subtype, summary, metadata, error, automation_key, automation_version, signal_id, dry_run, status,
        started_at, finished_at,
        CASE WHEN held THEN (
            SELECT CASE a.stage WHEN 'pause' THEN 'paused' WHEN 'place' THEN 'concurrency' WHEN 'rate' THEN 'rate_limit' END
            FROM engine.admissions a WHERE a.run_id = automation_runs.run_id) END
        """

    var id: UUID
    var type: String
    var subtype: String
    var summary: String
    var metadata: [UInt8]
    var error: [UInt8]?
    var automationKey: String
    var automationVersion: Int64
    var signalID: UUID
    var isDryRun: Bool
    var status: String
    var startedAt: PostgresTimestamp
    var finishedAt: PostgresTimestamp?
    /// What a queued run waits for before anybody may claim it.
    var heldBy: String?

    init(_ row: PostgresRow) throws {
        id = try row.decode(0, as: UUID.self)
        type = try row.decode(1, as: String.self)
        subtype = try row.decode(2, as: String.self)
        summary = try row.decode(3, as: String.self)
        metadata = try row.decode(4, as: [UInt8].self)
        error = try row.decode(5, as: [UInt8]?.self)
        automationKey = try row.decode(6, as: String.self)
        automationVersion = try row.decode(7, as: Int64.self)
        signalID = try row.decode(8, as: UUID.self)
        isDryRun = try row.decode(9, as: Bool.self)
        status = try row.decode(10, as: String.self)
        startedAt = try row.decode(11, as: PostgresTimestamp.self)
        finishedAt = try row.decode(12, as: PostgresTimestamp?.self)
        heldBy = try row.decode(13, as: String?.self)
    }

    /// Writes all members but the steps and events into an open object.
    func writeMembers(to writer: inout JSONWriter) {
        writer.member("run_id", id.lowercased)
        writer.member("type", type)
        writer.member("subtype", subtype)
        writer.member("summary", summary)
        writer.member("status", status)
        if let heldBy { writer.member("held_by", heldBy) }
        writer.member("dry_run", isDryRun)
        writer.member("automation_key", automationKey)
        writer.member("automation_version", automationVersion)
        writer.member("signal_id", signalID.lowercased)
        writer.member("metadata", raw: metadata)
        writer.member("error", raw: error)
        writer.member("started_at", Timestamp.format(startedAt))
        writer.member("finished_at", finishedAt.map(Timestamp.format))
        let duration = finishedAt.map { ($0.microsecondsSinceEpoch - startedAt.microsecondsSinceEpoch) / 1_000 }
        writer.member("duration_ms", duration)
        writer.key("links")
        writer.beginObject()
        writer.endObject()
    }

    /// Writes what was announced of the run.
    func writeEvents(to writer: inout JSONWriter) {
        writer.key("events")
        writer.beginArray()
        writeEvent("run:started", at: startedAt, to: &writer)
        if let finishedAt {
            writeEvent("run:completed", at: finishedAt, to: &writer)
        }
        writer.endArray()
    }

    private func writeEvent(_ type: String, at time: PostgresTimestamp, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("type", type)
        writer.member("time", Timestamp.format(time))
        writer.endObject()
    }
}

extension Timestamp {
    /// An instant of the database in the one form of the wire.
    static func format(_ time: PostgresTimestamp) -> String {
        format(time.microsecondsSinceEpoch)
    }

    /// Microseconds of Unix time in the one form of the wire.
    static func format(_ microseconds: Int64) -> String {
        Timestamp(microseconds: microseconds).description
    }
}
