private import Contracts
private import Foundation
private import JSON
private import Persistence

/// Builds the record of runs anew from their rows, and compares its hash with the one in the audit log.
struct RunRecordCheck: Sendable {
    private let installation: Installation

    init(_ installation: Installation) {
        self.installation = installation
    }

    /// One sentence for each run of a random sample whose record is not the one that was sealed.
    func violations(sample: Int) async throws -> [String] {
        let rows = try await installation.sql.execute(PostgresStatement(Self.runs, [.int(sample)]))
        var records: [[UInt8]] = []
        for row in rows { records.append(try Self.record(row)) }
        let compared = try await installation.sql.execute(
            PostgresStatement(
                """
                SELECT r.run_id FROM unnest($1::text[], $2::bytea[], $3::text[]) AS r (run_id, record, sealed)
                WHERE r.sealed IS DISTINCT FROM encode(sha256(r.record), 'hex')
                """,
                [
                    .textArray(try rows.map { try $0.decode("run_id", as: String.self) }), .bytesArray(records),
                    .textArray(try rows.map { try $0.decode("sealed", as: String?.self) }),
                ]
            )
        )
        return try compared.map { row in
            "the sealed record of run \(try row.decode(0, as: String.self)) is not that of its rows"
        }
    }

    private static func time(_ column: String) -> String {
        #"to_char(\#(column) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#
    }

    private static func hash(_ column: String) -> String {
        "encode(sha256(convert_to(\(column), 'UTF8')), 'hex')"
    }

    /// The rows, with times and hashes in the form that `docs/architecture.md` states under "Audit entries".
    private static let runs = """
        SELECT r.run_id::text AS run_id,
               jsonb_build_object(
                   'run_id', r.run_id, 'tenant', r.tenant, 'automation_id', r.automation_id,
                   'automation_key', r.automation_key, 'automation_version', r.automation_version,
                   'signal_id', r.signal_id, 'type', r.type, 'subtype', r.subtype, 'dry_run', r.dry_run,
                   'status', r.status, 'summary', r.summary, 'error', r.error::jsonb, 'traceparent', r.traceparent,
                   'started_at', \(time("r.started_at")), 'finished_at', \(time("r.finished_at")), 'fence', r.fence,
                   'event', \(hash("e.event")))::text AS run,
               (SELECT jsonb_agg(jsonb_build_object(
                    'position', s.position, 'name', s.name, 'action_key', s.action_key, 'status', s.status,
                    'attempt', s.attempt, 'error', s.error::jsonb, 'input', \(hash("s.input")),
                    'output', \(hash("s.output")), 'started_at', \(time("s.started_at")),
                    'finished_at', \(time("s.finished_at")))
                    -- Items alone have these.
                    || CASE WHEN s.parent IS NULL THEN '{}'
                       ELSE jsonb_build_object('item', s.item, 'parent', s.parent) END ORDER BY s.position)
                FROM engine.automation_run_steps s WHERE s.run_id = r.run_id)::text AS steps,
               l.record AS sealed
        FROM (SELECT * FROM engine.automation_runs WHERE finished_at IS NOT NULL ORDER BY random() LIMIT $1) AS r
        JOIN engine.signals e USING (signal_id)
        LEFT JOIN (
            -- A run that was resumed has ended more than once; the last entry tells of the rows as they are.
            SELECT DISTINCT ON (run_id) entry -> 'object' ->> 'id' AS run_id, entry -> 'after' ->> 'record' AS record
            FROM audit.entries, LATERAL (SELECT convert_from(canonical, 'UTF8')::jsonb) AS e (entry)
            WHERE entry ->> 'action' = 'run.end' ORDER BY run_id, entry ->> 'time' DESC
        ) AS l ON l.run_id = r.run_id::text
        """

    private static func record(_ row: PostgresRow) throws -> [UInt8] {
        let record: JSONValue = [
            "run": try JSONValue(parsing: Array(try row.decode("run", as: String.self).utf8)),
            "steps": try JSONValue(parsing: Array(try row.decode("steps", as: String.self).utf8)),
        ]
        return try record.canonicalBytes()
    }
}
