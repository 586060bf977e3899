import Messaging
import Persistence
import TestSupport

/// Weeks of the past in a database of a test's own, and what happened in them.
struct RetentionSite: Sendable {
    let schema: ServiceSchema
    let database: ServiceDatabase

    /// A Monday of more than 120 days ago, as the end of a partition's name.
    let week: String

    static func with(_ schema: ServiceSchema, _ body: (RetentionSite) async throws -> Void) async throws {
        try await ServiceDatabase.with(schema) { database in
            let rows = try await database.client.execute(
                PostgresStatement("SELECT to_char(date_trunc('week', now() - interval '130 days'), 'YYYYMMDD')")
            )
            let week = try rows.first?.decode(0, as: String.self) ?? ""
            let site = RetentionSite(schema: schema, database: database, week: week)
            try await site.makeWeek()
            try await body(site)
        }
    }

    /// Makes every table's partition of the week.
    private func makeWeek() async throws {
        try await database.executeAsSuperuser(
            """
            SET timezone = 'UTC';
            DO $$ DECLARE parent regclass; BEGIN
                FOR parent IN SELECT c.oid FROM pg_class c
                    WHERE c.relnamespace = '\(schema.name)'::regnamespace AND c.relkind = 'p'
                LOOP
                    EXECUTE format('CREATE TABLE %s_\(week) PARTITION OF %s FOR VALUES FROM (%L) TO (%L)', parent, parent,
                        \(schema.name).uuid7_floor('\(week)'), \(schema.name).uuid7_floor('\(week)'::date + 7));
                END LOOP;
            END $$
            """
        )
    }

    /// An id of so many hours after the week's beginning, as an expression.
    func id(_ hours: Int) -> String {
        "\(schema.name).uuid7_floor('\(week)'::timestamptz + interval '\(hours) hours')"
    }

    /// A run of the engine.
    func run(_ id: String, signal: String, status: String) -> String {
        let isFinal = ["succeeded", "failed"].contains(status)
        return """
            INSERT INTO engine.automation_runs (run_id, tenant, automation_id, automation_key, automation_version,
                signal_id, type, subtype, status, summary, started_at, finished_at)
            VALUES (\(id), 'acme', gen_random_uuid(), 'k', 1, \(signal), 'automation', 'automation:k', '\(status)', '',
                now(), \(isFinal ? "now()" : "NULL"))
            """
    }

    /// A lane with one message of a signal.
    func lane(verified: Int, message: String, item: String) -> String {
        """
        WITH lane AS (
            INSERT INTO \(schema.name).lanes (producer, closed_at, signals_last, signals_verified)
            VALUES ('a/b/0', now() - interval '200 days', 1, \(verified)) RETURNING epoch
        )
        INSERT INTO \(schema.name).outbox (message_id, epoch, destination, first_seq, last_seq, tenant, routing_key,
                                           message_type, schema_version, items)
        SELECT \(message), epoch, 'signals', 1, 1, 'acme', 'k', 'm', 1, ARRAY[\(item)] FROM lane
        """
    }

    /// A replay of the gateway, of a span in hours after the week's beginning.
    func replay(from: Int, until: Int, position: String, status: String, ended: String = "now()") -> String {
        """
        INSERT INTO gateway.tenants (tenant, name) VALUES ('acme', 'Acme') ON CONFLICT DO NOTHING;
        INSERT INTO gateway.replays (replay_id, tenant, automation_id, automation_key, automation_version, signal_type,
            from_time, until_time, dry_run, status, position, actor_type, actor_id, traceparent, finished_at)
        VALUES (gen_random_uuid(), 'acme', gen_random_uuid(), 'k', 1, 'a.b',
            '\(week)'::timestamptz + interval '\(from) hours', '\(week)'::timestamptz + interval '\(until) hours', false,
            '\(status)', \(position), 'admin', 'ann', '', \(status == "running" ? "NULL" : ended))
        """
    }

    func execute(_ statements: String...) async throws {
        try await database.executeAsSuperuser("SET timezone = 'UTC'; " + statements.joined(separator: ";\n"))
    }

    /// The tables that still have a partition of the week.
    func tables() async throws -> [String] {
        let rows = try await database.client.execute(
            PostgresStatement(
                """
                SELECT left(relname, -9) FROM pg_class
                WHERE relnamespace = '\(schema.name)'::regnamespace AND relkind = 'r' AND relname LIKE '%\\_\(week)'
                ORDER BY 1
                """
            )
        )
        return try rows.map { try $0.decode(0) }
    }

    /// How many drops have left their entry in the audit log.
    func retireEntries() async throws -> Int {
        try await count(
            """
            SELECT coalesce(sum(last_seq - first_seq + 1), 0)::bigint FROM \(schema.name).outbox
            WHERE destination = 'audit' AND convert_from(body, 'UTF8') LIKE '%"action":"retire"%'
            """
        )
    }

    func count(_ query: String) async throws -> Int {
        Int(try await database.client.execute(PostgresStatement(query)).first?.decode(0, as: Int64.self) ?? 0)
    }

    /// Lanes that nobody relays from: what they hold stays in the outbox.
    func lanes() -> LaneGroup {
        LaneGroup(context: .withoutBroker(database.client, schema: schema), count: 1)
    }
}
