import Domain
import Foundation
import Persistence
import TestSupport

@testable import CommandLineCore

/// A small installation in which everything holds: a signal that was processed and one on its way, a run that has ended
/// after a failed attempt and has emitted a signal, a run that waits, a replay that has sent a signal, and a log.
struct CheckSite: Sendable {
    /// The superuser's client.
    let client: PostgresClient
    /// A signal with two runs.
    let signal = UUIDv7.make()
    /// A signal that is on its way.
    let late = UUIDv7.make()
    /// A signal that a run has emitted.
    let emitted = UUIDv7.make()
    /// A run that has ended.
    let ended = UUIDv7.make()
    /// A run that waits.
    let waiting = UUIDv7.make()
    /// A replay that has ended.
    let replay = UUIDv7.make()
    /// The signal that it has sent.
    let rerun = UUIDv7.make()
    private let first = UUIDv7.make()
    private let second = UUIDv7.make()
    private let command = UUIDv7.make()

    static func with(_ body: (CheckSite) async throws -> Void) async throws {
        try await ServiceDatabase.with(.gateway) { (database) async throws in
            var configuration = database.configuration
            configuration.sessionSettings["role"] = nil
            try await DatabaseSession.with(configuration) { (client) async throws in
                let site = CheckSite(client: client)
                try await client.executeScript(site.signals)
                try await client.executeScript(site.replays)
                try await client.executeScript(site.runs)
                try await client.executeScript(site.lanes)
                try await client.executeScript(site.log)
                try await body(site)
            }
        }
    }

    /// What is found after a change that is taken back.
    func findings(after change: String) async throws -> [CheckFinding] {
        struct TakenBack: Error {}
        var findings: [CheckFinding] = []
        do {
            try await client.withTransaction { transaction in
                // The log's own protection is not what is tested.
                try await transaction.execute(.simple("SET LOCAL session_replication_role = replica"))
                for statement in change.split(separator: ";") {
                    try await transaction.execute(.simple(String(statement)))
                }
                let check = ConsistencyCheck(client: client, least: CheckSince.zero)
                try await check.run(in: transaction) { findings.append($0) }
                throw TakenBack()
            }
        } catch is TakenBack {}
        return findings
    }

    private var signals: String {
        """
        INSERT INTO gateway.signals (signal_id, tenant, type, source, id, epoch, event)
        VALUES ('\(signal)', 'acme', 'a.b', '/s', '1', 1, '{"n":1}'), ('\(late)', 'acme', 'a.b', '/s', '2', 1, '{"n":2}');
        INSERT INTO engine.inbox VALUES ('\(signal)', 'acme', 1, 'a.b'), ('\(emitted)', 'acme', 1, 'a.c');
        INSERT INTO engine.signals VALUES ('\(signal)', 'acme', '{"n":1}');
        INSERT INTO engine.signal_emissions VALUES ('\(emitted)', 'acme', 'a.c', '\(ended)', 1, '{"n":3}');
        """
    }

    private var replays: String {
        let event = """
            {"source":"/batuta/rerun","data":"{\\"n\\":1}","batutatarget":"\(first.lowercased)",\
            "batutametadata":"{\\"source\\":{\\"type\\":\\"rerun\\"},\\"rerun_of\\":\\"\(signal.lowercased)\\",\
            \\"replay_id\\":\\"\(replay.lowercased)\\"}"}
            """
        return """
            INSERT INTO gateway.tenants (tenant, name) VALUES ('acme', 'Acme');
            INSERT INTO gateway.replays (replay_id, tenant, automation_id, automation_key, automation_version, signal_type,
                from_time, until_time, dry_run, status, position, considered, replayed, actor_type, actor_id,
                traceparent, finished_at)
            VALUES ('\(replay)', 'acme', '\(first)', 'first', 1, 'a.b', now() - interval '1 hour', now(), false,
                    'succeeded', '\(signal)', 2, 1, 'admin', 'ann', '', now());
            INSERT INTO gateway.signals (signal_id, tenant, type, source, id, epoch, event)
            VALUES ('\(rerun)', 'acme', 'a.b', '/batuta/rerun', '3', 1, '\(event)');
            INSERT INTO engine.inbox VALUES ('\(rerun)', 'acme', 1, 'a.b');
            """
    }

    private var runs: String {
        let definition = #"{"steps":[{"name":"one"},{"name":"two"}]}"#
        let automations = [(first, "first", ended), (second, "second", waiting)].map { id, key, run in
            """
            INSERT INTO engine.automations (automation_id, tenant, automation_key, status, version, revision, name,
                                            definition, changed_generation)
            VALUES ('\(id)', 'acme', '\(key)', 'active', 1, 1, 'n', '\(definition)', 1);
            INSERT INTO engine.automation_versions (automation_id, version, name, definition, created_by)
            VALUES ('\(id)', 1, 'n', '\(definition)', 'tests');
            INSERT INTO engine.automation_dedup VALUES ('\(signal)', '\(key)', 'acme', '\(run)');
            INSERT INTO engine.automation_runs (run_id, tenant, automation_id, automation_key, automation_version,
                signal_id, type, subtype, status, summary, started_at, finished_at, fence)
            VALUES ('\(run)', 'acme', '\(id)', '\(key)', 1, '\(signal)', 'automation', 'automation:\(key)',
                    \(run == ended ? "'succeeded', '', now(), now(), 2" : "'waiting', '', now(), NULL, 1"));
            """
        }
        return automations.joined() + """
            INSERT INTO engine.automation_run_steps (run_id, position, name, action_key, status, attempt, finished_at)
            VALUES ('\(ended)', 0, 'one', 'http.request', 'succeeded', 2, now()),
                   ('\(ended)', 1, 'two', 'signal.emit', 'succeeded', 0, now()),
                   ('\(waiting)', 0, 'one', 'http.request', 'waiting', 1, NULL),
                   ('\(waiting)', 1, 'two', 'http.request', 'queued', 0, NULL);
            INSERT INTO engine.step_attempts
            VALUES ('\(ended)', 0, 1, gen_random_uuid(), 1, now(), 'failed', '{}', now()),
                   ('\(ended)', 0, 2, gen_random_uuid(), 2, now(), 'succeeded', NULL, now()),
                   ('\(waiting)', 0, 1, gen_random_uuid(), 1, now(), 'failed', '{}', now());
            INSERT INTO engine.timers VALUES ('\(waiting)', now() + interval '1 hour');
            """
    }

    private var lanes: String {
        let end = Self.entry(
            1,
            of: "automation-engine/a/0",
            "run.end",
            #""after":{"status":"succeeded"},"object":{"id":"\#(ended.lowercased)","type":"run"}"#
        )
        func message(
            _ schema: String,
            _ destination: String,
            _ numbers: String,
            _ key: String,
            _ content: String
        ) -> String {
            """
            INSERT INTO \(schema).outbox (message_id, epoch, destination, first_seq, last_seq, tenant, routing_key,
                message_type, schema_version, items, body)
            VALUES ('\(destination == "commands" ? command : UUIDv7.make())', 1, '\(destination)', \(numbers), 'acme',
                    '\(key)', 'm', 1, \(content));
            """
        }
        return """
            INSERT INTO gateway.lanes (epoch, producer, signals_last, signals_verified, audit_last, audit_verified)
            OVERRIDING SYSTEM VALUE VALUES (1, 'api-gateway/a/0', 2, 1, 2, 2);
            INSERT INTO engine.lanes (epoch, producer, signals_last, signals_verified, commands_last, commands_verified,
                                      audit_last, audit_verified)
            OVERRIDING SYSTEM VALUE VALUES (1, 'automation-engine/a/0', 1, 1, 1, 1, 1, 0);
            INSERT INTO audit.inbox (command_id) VALUES ('\(command)');
            """
                + message("gateway", "signals", "1, 1", "a.b", "ARRAY['\(signal)'::uuid], NULL")
                + message("gateway", "signals", "2, 2", "a.b", "ARRAY['\(late)'::uuid], NULL")
                + message("engine", "signals", "1, 1", "a.c", "ARRAY['\(emitted)'::uuid], NULL")
                + message("engine", "commands", "1, 1", "audit.keep", "NULL, '{}'")
                + message("engine", "audit", "1, 1", "acme.engine", "NULL, convert_to('\(end)' || E'\\n', 'UTF8')")
    }

    /// What an entry is looked up by, out of its bytes `c`.
    static let columns = ["action", "actor,type", "actor,id", "object,type", "object,id", "trace_id"]
        .map { "convert_from(c, 'UTF8')::jsonb #>> '{\($0)}'" }.joined(separator: ", ")

    private var log: String {
        let entries = [1, 2].map { Self.entry($0, of: "api-gateway/a/0", "create", #""object":{"id":"x","type":"y"}"#) }
        let rows = entries.enumerated().map { index, entry in
            """
            INSERT INTO audit.entries SELECT '\(UUIDv7.make())', \(index), 'acme', c, sha256('\\x00'::bytea || c),
                \(Self.columns) FROM convert_to('\(entry)', 'UTF8') AS c;
            """
        }
        return rows.joined() + """
            INSERT INTO audit.segments VALUES ('\(UUIDv7.make())', 'api-gateway/a/0', 1, 1, 2, 0);
            UPDATE audit.head SET size = 2;
            """
    }

    /// An entry of the log, with as much in it as the rules read.
    static func entry(_ seq: Int, of producer: String, _ action: String, _ members: String) -> String {
        """
        {"action":"\(action)","actor":{"id":"x","type":"system"},"epoch":1,\(members),\
        "id":"\(UUIDv7.make().lowercased)","producer":"\(producer)","seq":\(seq)}
        """
    }
}
