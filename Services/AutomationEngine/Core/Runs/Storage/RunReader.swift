import Contracts
import Domain
import FoundationEssentials
import JSON
import Messaging
import Persistence

/// Reads runs for clients, always of one tenant.
struct RunReader: Sendable {
    /// A value longer than this appears in a run's detail as a reference to itself, in bytes.
    static let maximumInlineValue = 16 * 1_024

    let database: PostgresClient

    /// One run with its steps.
    func get(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        guard let id = body.root["run_id"]?.stringValue.flatMap(UUID.init(uuidString:)) else {
            throw Problem.runNotFound
        }
        let results = try await database.pipeline([
            PostgresStatement(
                "SELECT \(StoredRun.columns) FROM engine.automation_runs WHERE run_id = $1 AND tenant = $2",
                [.uuid(id), .text(context.tenant)]
            ),
            PostgresStatement(
                """
                SELECT s.name, s.action_key, s.status, s.attempt, s.input, s.output, s.error, s.started_at, s.finished_at,
                       (SELECT json_agg(json_build_object(
                            'number', a.number, 'outcome', a.outcome, 'error', a.error::json,
                            'started_at', \(Self.time("a.started_at")),
                            'finished_at', \(Self.time("a.finished_at"))) ORDER BY a.number)
                        FROM engine.step_attempts a
                        WHERE a.run_id = s.run_id AND a.position = s.position)::text,
                       s.simulation, s.parent, s.item, w.request,
                       CASE WHEN s.status = 'waiting' THEN s.due_at END
                FROM engine.automation_run_steps s
                -- One that is listened for is not waited for yet.
                LEFT JOIN engine.step_waits w
                       ON w.run_id = s.run_id AND w.position = s.position AND s.status = 'waiting'
                WHERE s.run_id = $1 ORDER BY s.position
                """,
                [.uuid(id)]
            ),
        ])
        guard let row = results[0].first else {
            throw Problem.runNotFound
        }
        let run = try StoredRun(row)
        var writer = JSONWriter()
        writer.beginObject()
        run.writeMembers(to: &writer)
        run.writeEvents(to: &writer)
        writer.key("steps")
        writer.beginArray()
        let items = try Dictionary(grouping: results[1].filter { try $0.decode(11, as: Int?.self) != nil }) { row in
            try row.decode(11, as: Int.self)
        }
        let steps = try results[1].filter { try $0.decode(11, as: Int?.self) == nil }
        for (position, row) in steps.enumerated() {
            try writeStep(row, items: items[position], of: id, to: &writer)
        }
        writer.endArray()
        writer.endObject()
        return Reply(status: 200, body: writer.bytes)
    }

    /// The whole output of one step.
    func stepOutput(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        guard let id = body.root["run_id"]?.stringValue.flatMap(UUID.init(uuidString:)),
            let step = body.root["step"]?.stringValue
        else {
            throw Problem(.notFound, "There is no such step.")
        }
        let rows = try await database.execute(
            PostgresStatement(
                """
                SELECT s.output FROM engine.automation_run_steps s JOIN engine.automation_runs r USING (run_id)
                WHERE r.run_id = $1 AND r.tenant = $2 AND s.name = $3 AND s.output IS NOT NULL
                """,
                [.uuid(id), .text(context.tenant), .text(step)]
            )
        )
        guard let row = rows.first else {
            throw Problem(.notFound, "There is no such step, or it has no output.")
        }
        return Reply(status: 200, body: try row.decode(0, as: [UInt8].self))
    }

    /// An instant in the one form of the wire.
    private static func time(_ column: String) -> String {
        #"to_char(\#(column) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#
    }

    /// A page of runs, newest first.
    func list(_ body: JSONDocument, context: RequestContext) async throws -> Reply {
        let page = try Page(body.root)
        let filter = try RunFilter(body.root)
        let listing = filter.listing(
            of: context.tenant,
            before: try page.cursor.map { try Self.cursor($0) },
            limit: page.limit + 1
        )
        let rows =
            filter.isServedInOrder
            ? try await database.page(listing, deadline: context.deadline)
            : try await database.execute(listing, deadline: context.deadline)
        return Reply(
            status: 200,
            body: page.answer(try rows.map(StoredRun.init), cursor: \.id.lowercased) { run, writer in
                writer.beginObject()
                run.writeMembers(to: &writer)
                writer.endObject()
            }
        )
    }

    private static func cursor(_ text: String) throws -> UUID {
        guard let id = UUID(uuidString: text) else {
            throw Problem(.invalidCursor, "The cursor is not one of this list.")
        }
        return id
    }

    private func writeStep(
        _ row: PostgresRow,
        items: [PostgresRow]?,
        of run: UUID,
        to writer: inout JSONWriter
    ) throws {
        let name = try row.decode(0, as: String.self)
        writer.beginObject()
        writer.member("name", name)
        writer.member("action_key", try row.decode(1, as: String.self))
        writer.member("status", try row.decode(2, as: String.self))
        writer.member("attempt", try row.decode(3, as: Int64.self))
        writer.member("input", raw: try row.decode(4, as: [UInt8]?.self))
        let output = try row.decode(5, as: [UInt8]?.self)
        if let output, output.count > Self.maximumInlineValue {
            Self.writeReference(toOutputOf: name, of: run, to: &writer)
        } else {
            writer.member("output", raw: output)
        }
        try Self.writeProgress(row, to: &writer)
        if let items {
            writer.key("items")
            writer.beginArray()
            for item in items { try writeItem(item, of: run, to: &writer) }
            writer.endArray()
        }
        writer.endObject()
    }

    /// Writes what has become of one item of a repeated step; its value is in the input of the step.
    private func writeItem(_ row: PostgresRow, of run: UUID, to writer: inout JSONWriter) throws {
        let name = try row.decode(0, as: String.self)
        writer.beginObject()
        writer.member("name", name)
        writer.member("item", try row.decode(12, as: Int64.self))
        writer.member("status", try row.decode(2, as: String.self))
        writer.member("attempt", try row.decode(3, as: Int64.self))
        try Self.writeProgress(row, to: &writer)
        if try row.decode(5, as: [UInt8]?.self) != nil {
            Self.writeReference(toOutputOf: name, of: run, to: &writer)
        }
        writer.endObject()
    }

    private static func writeProgress(_ row: PostgresRow, to writer: inout JSONWriter) throws {
        writer.member("error", raw: try row.decode(6, as: [UInt8]?.self))
        writer.member("started_at", try row.decode(7, as: PostgresTimestamp?.self).map(Timestamp.format))
        writer.member("finished_at", try row.decode(8, as: PostgresTimestamp?.self).map(Timestamp.format))
        if let until = try row.decode(14, as: PostgresTimestamp?.self) {
            writer.member("waits_until", Timestamp.format(until))
        }
        if let request = try row.decode(13, as: [UInt8]?.self) {
            writer.member("waits_for", raw: request)
        }
        if let simulation = try row.decode(10, as: [UInt8]?.self) {
            writer.member("simulation", raw: simulation)
        }
        if let attempts = try row.decode(9, as: [UInt8]?.self) {
            writer.key("attempts")
            writer.raw(attempts)
        }
    }

    private static func writeReference(toOutputOf step: String, of run: UUID, to writer: inout JSONWriter) {
        writer.key("output")
        writer.beginObject()
        writer.member("$ref", "/api/runs/\(run.lowercased)/steps/\(step)/output")
        writer.endObject()
    }
}
