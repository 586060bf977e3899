import Contracts
import Domain
import EventPattern
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// What became of signals: asked by clients, and by services that verify what has arrived.
struct SignalDecisions: Sendable {
    let database: PostgresClient
    let registry: ActionRegistry

    /// For each automation whose `signalType` matches: whether the signal ran it, or why not.
    ///
    /// Runs are rows. Why an automation did not run is derived from the generation in which the signal was processed, the
    /// version in force then, and the event, which the asking service has.
    func decisions(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        guard let id = body.root["signal_id"]?.stringValue.flatMap(UUID.init(uuidString:)),
            let type = body.root["type"]?.stringValue
        else {
            throw Problem(.notFound, "There is no such signal.")
        }
        let judgement = try await judgement(of: id, type: type, event: body.root["event"], context)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("processed", judgement.isProcessed)
        writer.key("decisions")
        writer.raw(judgement.decisions)
        writer.endObject()
        return Reply(status: 200, body: writer.bytes)
    }

    /// What the engine knows of a signal.
    struct Judgement: Sendable {
        /// Whether it was judged, or put away as one that cannot be.
        var isProcessed: Bool
        /// A JSON array of what was decided about each automation.
        var decisions: [UInt8]
    }

    /// How a signal of the caller's tenant was judged.
    func judgement(
        of id: UUID,
        type: String,
        event: JSONView?,
        _ context: RequestContext
    ) async throws -> Judgement {
        let target = event.flatMap { try? SignalsAcceptedV2.Aim($0) }?.target
        let families = SignalTrigger.familyPrefixes(of: type).map { String($0) + ".*" }
        let rows = try await database.execute(
            Self.judged(id, target, [type] + families, tenant: context.tenant),
            deadline: context.deadline
        )
        let isProcessed = try rows.first.map { try $0.decode(0, as: Bool.self) } ?? false
        let isPutAway = try rows.first.map { try $0.decode(4, as: Bool.self) } ?? false
        var writer = JSONWriter()
        writer.beginArray()
        for row in rows {
            guard let key = try row.decode(1, as: String?.self) else {
                continue
            }
            writer.beginObject()
            writer.member("automation_key", key)
            if let skip = try SignalSkip(row, at: 6) {
                skip.write(to: &writer)
            } else if let run = try row.decode(2, as: UUID?.self) {
                writer.member("outcome", "run")
                writer.member("run_id", run.lowercased)
            } else if isProcessed {
                let reason = try reason(row, event: event, isAimed: target != nil)
                writer.member("outcome", reason.outcome)
                writer.member("reason", reason.text)
            } else {
                writer.member("outcome", "skipped")
                writer.member("reason", "the signal could not be processed, and was put away as a dead letter")
            }
            writer.endObject()
        }
        writer.endArray()
        return Judgement(isProcessed: isProcessed || isPutAway, decisions: writer.bytes)
    }

    /// Why an automation that the signal was judged by has no run.
    private func reason(
        _ row: PostgresRow,
        event: JSONView?,
        isAimed: Bool
    ) throws -> (outcome: String, text: String) {
        let status = try row.decode(3, as: String?.self) ?? "draft"
        guard status == "active" else {
            return ("skipped", "the automation was \(status) when the signal was processed")
        }
        let definition = try row.decode(5, as: [UInt8]?.self)
        // An aimed signal skips the filter, so it was not that.
        guard !isAimed, let filter = definition.flatMap({ Self.filter(of: $0, registry) }) else {
            return ("skipped", "the automation could not be executed when the signal was processed")
        }
        guard let event, let mismatch = filter.why(event) else {
            return ("not_matched", "the filter does not match the event")
        }
        return ("not_matched", mismatch.description)
    }

    /// The filter of a stored definition.
    private static func filter(of definition: [UInt8], _ registry: ActionRegistry) -> EventPattern? {
        guard let document = try? JSONDocument(parsing: definition) else {
            return nil
        }
        var reader = DefinitionReader(registry: registry, from: .storage)
        guard case .definition(let read) = reader.read(document.root, at: JSONPointer()) else {
            return nil
        }
        return read.filter
    }

    /// An aimed signal is judged by its target, any other by the automations on its type or a family of it.
    private static func judged(
        _ signal: UUID,
        _ target: SignalsAcceptedV2.Target?,
        _ types: [String],
        tenant: String
    ) -> PostgresStatement {
        let (condition, value): (String, PostgresValue) =
            switch target {
            case nil: ("s.signal_type = ANY ($3)", .textArray(types))
            case .id(let id): ("s.automation_id = $3", .uuid(id))
            case .key(let key): ("s.automation_key = $3", .text(key))
            }
        return PostgresStatement(
            """
            SELECT i.generation IS NOT NULL, a.automation_key, d.run_id, s.status, dead.dead_letter_id IS NOT NULL,
                   CASE WHEN d.run_id IS NULL THEN v.definition END, k.reason, k.key, k.run_id
            FROM (SELECT $1::uuid AS signal_id) AS asked
            LEFT JOIN engine.inbox i ON i.signal_id = asked.signal_id AND i.tenant = $2
            LEFT JOIN LATERAL (
                SELECT dead_letter_id FROM engine.dead_letters l
                WHERE l.item_id = asked.signal_id AND l.tenant = $2 LIMIT 1
            ) AS dead ON true
            LEFT JOIN LATERAL (
                -- A signal that was put away is told of by the automations of now.
                SELECT coalesce(i.generation, CASE WHEN dead.dead_letter_id IS NOT NULL
                                              THEN (SELECT r.generation FROM engine.registry_generation r) END)
                       AS generation
            ) AS judged ON true
            LEFT JOIN LATERAL (
                -- The state of each automation in the generation by which the signal was judged.
                SELECT DISTINCT ON (s.automation_id) s.automation_id, s.status, s.signal_type, s.version,
                       o.automation_key
                FROM engine.automation_states s JOIN engine.automations o USING (automation_id)
                WHERE o.tenant = $2 AND s.generation <= judged.generation
                  -- The change that deletes an automation is its last one.
                  AND (o.deleted_at IS NULL OR judged.generation < o.changed_generation)
                ORDER BY s.automation_id, s.generation DESC
            ) AS s ON \(condition)
            LEFT JOIN engine.automations a ON a.automation_id = s.automation_id
            LEFT JOIN engine.automation_versions v ON v.automation_id = s.automation_id AND v.version = s.version
            LEFT JOIN engine.automation_dedup d
                   ON d.signal_id = asked.signal_id AND d.automation_key = a.automation_key AND d.tenant = $2
            LEFT JOIN engine.automation_skips k
                   ON k.signal_id = asked.signal_id AND k.automation_key = a.automation_key AND k.tenant = $2
            ORDER BY a.automation_key
            """,
            [.uuid(signal), .text(tenant), value],
            isReadOnly: true
        )
    }

    /// Which of some signals have been neither processed nor set aside.
    ///
    /// With `begun`, those as well of which a run still waits in the queue.
    func lacking(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let ids = body.root["signal_ids"]?.elements.compactMap { $0.stringValue.flatMap(UUID.init(uuidString:)) } ?? []
        guard ids.count <= 20_000 else {
            throw Problem(.invalidRequest, "At most 20000 signals can be asked about at once.")
        }
        let queued = """
            UNION
            SELECT d.signal_id FROM engine.automation_dedup d JOIN engine.automation_runs r ON r.run_id = d.run_id
            WHERE d.signal_id = ANY ($1) AND d.signal_id BETWEEN $2 AND $3 AND r.status = 'queued'
            """
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT asked.id FROM unnest($1::uuid[]) AS asked (id)
                -- The bounds keep the planner to the partitions that can hold the ids.
                WHERE NOT EXISTS (SELECT FROM engine.inbox i
                                  WHERE i.signal_id = asked.id AND i.signal_id BETWEEN $2 AND $3)
                  AND NOT EXISTS (SELECT FROM engine.dead_letters l WHERE l.item_id = asked.id)
                \(body.root["begun"]?.boolValue == true ? queued : "")
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
