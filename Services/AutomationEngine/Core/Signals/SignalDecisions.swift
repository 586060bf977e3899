import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// What became of signals: asked by clients, and by services that verify what has arrived.
struct SignalDecisions: Sendable {
    let database: PostgresClient

    /// For each automation whose `signalType` matches: whether the signal ran it, or why not.
    ///
    /// Runs are rows. Why an automation did not run is derived from the generation in which the signal was processed.
    func decisions(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        guard let id = body.root["signal_id"]?.stringValue.flatMap(UUID.init(uuidString:)),
            let type = body.root["type"]?.stringValue
        else {
            throw Problem(.notFound, "There is no such signal.")
        }
        let families = SignalTrigger.familyPrefixes(of: type).map { String($0) + ".*" }
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT i.generation IS NOT NULL, a.automation_key, d.run_id, s.status, dead.dead_letter_id IS NOT NULL
                FROM (SELECT $1::uuid AS signal_id) AS asked
                LEFT JOIN engine.inbox i ON i.signal_id = asked.signal_id AND i.tenant = $2
                LEFT JOIN LATERAL (
                    SELECT dead_letter_id FROM engine.dead_letters l
                    WHERE l.item_id = asked.signal_id AND l.tenant = $2 LIMIT 1
                ) AS dead ON true
                LEFT JOIN LATERAL (
                    -- The state of each automation in the generation by which the signal was judged.
                    SELECT DISTINCT ON (s.automation_id) s.automation_id, s.status, s.signal_type
                    FROM engine.automation_states s JOIN engine.automations o USING (automation_id)
                    WHERE o.tenant = $2 AND s.generation <= coalesce(
                        i.generation,
                        -- A signal that was put away is told of by the automations of now.
                        CASE WHEN dead.dead_letter_id IS NOT NULL
                             THEN (SELECT generation FROM engine.registry_generation) END
                    )
                    ORDER BY s.automation_id, s.generation DESC
                ) AS s ON s.signal_type = ANY ($3)
                LEFT JOIN engine.automations a ON a.automation_id = s.automation_id
                LEFT JOIN engine.automation_dedup d
                       ON d.signal_id = asked.signal_id AND d.automation_key = a.automation_key AND d.tenant = $2
                ORDER BY a.automation_key
                """,
                [.uuid(id), .text(context.tenant), .textArray([type] + families)]
            )
        )
        var writer = JSONWriter()
        writer.beginObject()
        let isProcessed = try rows.first.map { try $0.decode(0, as: Bool.self) } ?? false
        let isPutAway = try rows.first.map { try $0.decode(4, as: Bool.self) } ?? false
        writer.member("processed", isProcessed || isPutAway)
        writer.key("decisions")
        writer.beginArray()
        for row in rows {
            guard let key = try row.decode(1, as: String?.self) else {
                continue
            }
            writer.beginObject()
            writer.member("automation_key", key)
            if let run = try row.decode(2, as: UUID?.self) {
                writer.member("outcome", "run")
                writer.member("run_id", run.lowercased)
            } else {
                let status = try row.decode(3, as: String?.self) ?? "draft"
                writer.member("outcome", "skipped")
                writer.member(
                    "reason",
                    isProcessed
                        ? "the automation was \(status) when the signal was processed"
                        : "the signal could not be processed, and was put away as a dead letter"
                )
            }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return Reply(status: 200, body: writer.bytes)
    }

    /// Which of some signals have been neither processed nor set aside.
    func lacking(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let ids = body.root["signal_ids"]?.elements.compactMap { $0.stringValue.flatMap(UUID.init(uuidString:)) } ?? []
        guard ids.count <= 20_000 else {
            throw Problem(.invalidRequest, "At most 20000 signals can be asked about at once.")
        }
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT asked.id FROM unnest($1::uuid[]) AS asked (id)
                -- The bounds keep the planner to the partitions that can hold the ids.
                WHERE NOT EXISTS (SELECT FROM engine.inbox i
                                  WHERE i.signal_id = asked.id AND i.signal_id BETWEEN $2 AND $3)
                  AND NOT EXISTS (SELECT FROM engine.dead_letters l WHERE l.item_id = asked.id)
                """,
                [.uuidArray(ids), .uuid(ids.min()), .uuid(ids.max())],
                isReadOnly: true
            )
        )
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("lacking")
        writer.beginArray()
        for row in rows {
            writer.string(try row.decode(0, as: UUID.self).lowercased)
        }
        writer.endArray()
        writer.endObject()
        return Reply(status: 200, body: writer.bytes)
    }
}
