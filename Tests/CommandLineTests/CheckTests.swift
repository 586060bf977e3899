import ArgumentParser
import Contracts
import Foundation
import JSON
import Persistence
import TestSupport
import Testing

@testable import CommandLineCore

@Suite("batuta check", .timeLimit(.minutes(2)))
struct CheckTests {
    @Test("what holds together is told so, and what does not is found and named", .requiresServers)
    func rules() async throws {
        try await CheckSite.with { (site) async throws in
            let sound = try await site.findings(after: "SELECT 1")
            #expect(sound.map(\.rule.name) == CheckRule.all.map(\.name))
            for finding in sound {
                #expect(finding.count == 0 && finding.failure == nil, "\(finding.rule.name): \(finding)")
            }
            var found: Set<String> = []
            for (rule, change) in Self.violations(site) {
                let findings = try await site.findings(after: change)
                let broken = findings.filter { $0.isViolated || $0.isWarning }
                let own = broken.first { $0.rule.name == rule }
                #expect(own?.examples.isEmpty == false, "\(rule), after \(change): \(broken.map(\.rule.name))")
                #expect(broken.allSatisfy { $0.failure == nil }, "\(rule)")
                found.insert(rule)
            }
            #expect(found == Set(CheckRule.all.map(\.name)), "there is a violation of every rule")
        }
    }

    /// By rule, what breaks it.
    private static func violations(_ site: CheckSite) -> [(rule: String, change: String)] {
        let (signal, late, ended, waiting) = (site.signal, site.late, site.ended, site.waiting)
        return [
            ("signals-processed", "UPDATE gateway.lanes SET signals_verified = 2"),
            ("signals-processed", "DELETE FROM gateway.outbox WHERE items = ARRAY['\(late)'::uuid]"),
            ("signals-processed", "DELETE FROM engine.inbox WHERE signal_id = '\(site.emitted)'"),
            ("signals-accepted", "DELETE FROM gateway.signals WHERE signal_id = '\(signal)'"),
            ("signals-accepted", "UPDATE engine.inbox SET signal_type = 'other' WHERE signal_id = '\(signal)'"),
            ("signal-copies", #"UPDATE engine.signals SET event = '{"n":9}'"#),
            ("replays-sent", "UPDATE gateway.replays SET replayed = 2"),
            ("replays-sent", "DELETE FROM gateway.signals WHERE signal_id = '\(site.rerun)'"),
            (
                "replays-sent",
                """
                INSERT INTO gateway.signals SELECT gateway.uuid7_floor(now()), tenant, type, source, id, epoch, event
                FROM gateway.signals WHERE signal_id = '\(site.rerun)'; UPDATE gateway.replays SET replayed = 2
                """
            ),
            ("run-signals", "DELETE FROM engine.signals"),
            ("run-keys", "UPDATE engine.automation_dedup SET run_id = '\(ended)'"),
            ("run-keys", "DELETE FROM engine.automation_dedup WHERE run_id = '\(ended)'"),
            ("key-runs", "DELETE FROM engine.automation_runs WHERE run_id = '\(waiting)'"),
            (
                "runs-once",
                "UPDATE engine.automation_runs SET automation_key = 'first', subtype = 'automation:first'"
            ),
            ("run-steps", "DELETE FROM engine.automation_run_steps WHERE run_id = '\(waiting)' AND position = 1"),
            (
                "run-steps",
                "UPDATE engine.automation_run_steps SET status = 'queued', finished_at = NULL WHERE run_id = '\(ended)'"
            ),
            ("attempts", "UPDATE engine.step_attempts SET outcome = 'succeeded' WHERE run_id = '\(ended)'"),
            ("attempts", "UPDATE engine.step_attempts SET fence = 3 WHERE run_id = '\(ended)' AND number = 1"),
            ("attempts", "UPDATE engine.automation_runs SET fence = 1 WHERE run_id = '\(ended)'"),
            ("run-ends", "DELETE FROM engine.outbox WHERE destination = 'audit'"),
            ("run-ends", "UPDATE engine.automation_runs SET status = 'failed' WHERE run_id = '\(ended)'"),
            ("run-ends", "INSERT INTO audit.early_entries VALUES ('p', 1, 2, \(end(of: ended)))"),
            ("run-ends", "INSERT INTO audit.early_entries VALUES ('p', 1, 2, \(end(of: waiting)))"),
            ("outbox", "DELETE FROM gateway.outbox WHERE items = ARRAY['\(late)'::uuid]"),
            ("outbox", "UPDATE engine.lanes SET audit_last = 2"),
            ("verified-signals-gateway", "UPDATE gateway.lanes SET signals_verified = 2"),
            ("verified-signals-engine", "DELETE FROM engine.inbox WHERE signal_id = '\(site.emitted)'"),
            ("verified-entries", "UPDATE engine.lanes SET audit_verified = 1"),
            ("verified-commands", "DELETE FROM audit.inbox"),
            ("log-gaps", "DELETE FROM audit.entries WHERE leaf_index = 0"),
            ("log-gaps", "UPDATE audit.entries SET leaf_index = 0"),
            ("log-gaps", "UPDATE audit.head SET size = 3"),
            ("log-hashes", "UPDATE audit.entries SET canonical = canonical || ' ' WHERE leaf_index = 1"),
            ("log-columns", "UPDATE audit.entries SET object_id = 'other' WHERE leaf_index = 1"),
            ("log-columns", "UPDATE audit.entries SET trace_id = 'other' WHERE leaf_index = 1"),
            ("log-tiles", "INSERT INTO audit.tiles SELECT 0, 0, decode(repeat('00', 8192), 'hex'), sha256('')"),
            (
                "log-tiles",
                """
                INSERT INTO audit.entries SELECT
                    (left(engine.uuid7_floor(now())::text, 24) || lpad(to_hex(n), 12, '0'))::uuid, n, 'acme', c,
                    sha256('\\x00'::bytea || c), \(CheckSite.columns)
                FROM generate_series(2, 255) AS n,
                    LATERAL (SELECT canonical FROM audit.entries WHERE leaf_index = 0) AS e (c);
                UPDATE audit.head SET size = 256
                """
            ),
            ("log-checkpoints", "UPDATE audit.head SET origin = 'x', signed_size = 2, signed_root = sha256('')"),
            (
                "log-checkpoints",
                """
                UPDATE audit.head SET origin = 'x', signed_size = 1, signed_root = sha256('');
                INSERT INTO audit.checkpoints VALUES ('x', 1, now(), sha256(''), 'n'), ('x', 2, now(), sha256(''), 'n')
                """
            ),
            ("log-order", "UPDATE audit.entries SET leaf_index = 1 - leaf_index"),
            ("log-order", "DELETE FROM audit.entries WHERE leaf_index = 0"),
            ("log-segments", "UPDATE audit.segments SET first_seq = 2, last_seq = 3"),
            ("log-segments", "INSERT INTO audit.segments SELECT engine.uuid7_floor(now()), 'p', 2, 1, 1, 3"),
            ("log-lanes", "UPDATE gateway.lanes SET audit_last = 1, audit_verified = 1"),
            ("log-lanes", "DELETE FROM gateway.lanes"),
            (
                "runs-driven",
                "UPDATE engine.automation_runs SET status = 'running', owner = gen_random_uuid() WHERE run_id = '\(waiting)'"
            ),
            (
                "replays-driven",
                "UPDATE gateway.replays SET status = 'running', finished_at = NULL, due_at = now() - interval '6 minutes'"
            ),
            (
                "limits",
                """
                UPDATE engine.automation_versions SET definition = '{"concurrency":{"limit":0},"steps":[1,2]}';
                INSERT INTO engine.admissions (run_id, automation_id, stage, place_key)
                SELECT run_id, automation_id, 'going', '' FROM engine.automation_runs WHERE run_id = '\(waiting)'
                """
            ),
            (
                "held-runs",
                "UPDATE engine.automation_runs SET status = 'queued', held = true WHERE run_id = '\(waiting)'"
            ),
            (
                "held-runs",
                "INSERT INTO engine.admissions (run_id, automation_id, stage) SELECT run_id, automation_id, 'pause' "
                    + "FROM engine.automation_runs WHERE run_id = '\(waiting)'"
            ),
            (
                "skips",
                """
                INSERT INTO engine.automation_skips (signal_id, automation_key, tenant, reason, key)
                VALUES ('\(signal)', 'first', 'acme', 'concurrency', '')
                """
            ),
            (
                "looks-due",
                """
                INSERT INTO engine.admissions (run_id, automation_id, stage, look_at)
                VALUES (gen_random_uuid(), gen_random_uuid(), 'freed', now() - interval '6 minutes')
                """
            ),
            ("waits-due", "UPDATE engine.timers SET due_at = now() - interval '6 minutes'"),
            (
                "dead-letters",
                """
                INSERT INTO jobs.dead_letters (dead_letter_id, exchange, routing_key, headers, body, reason)
                VALUES (gen_random_uuid(), 'e', 'k', '{}', '', 'r')
                """
            ),
            (
                "early-entries",
                "INSERT INTO audit.early_entries VALUES ('p', 1, 2, '{}', now() - interval '6 minutes')"
            ),
            (
                "messages-arrive",
                """
                UPDATE gateway.outbox SET message_id = gateway.uuid7_floor(now() - interval '11 minutes')
                WHERE items = ARRAY['\(late)'::uuid]
                """
            ),
        ]
    }

    private static func end(of run: UUID) -> String {
        let members = #""after":{"status":"succeeded"},"object":{"id":"\#(run.uuidString.lowercased())","type":"run"}"#
        return "convert_to('\(CheckSite.entry(2, of: "p", "run.end", members))', 'UTF8')"
    }

    @Test("a lane that retention has forgotten, and weeks that it has dropped, are no violation", .requiresServers)
    func retained() async throws {
        try await CheckSite.with { (site) async throws in
            let members = #""object":{"id":"api-gateway/a/0/1","type":"lane"}"#
            let closing = CheckSite.entry(3, of: "api-gateway/a/0", "lane.closed", members)
            let forgotten = """
                INSERT INTO audit.entries SELECT engine.uuid7_floor(now()), 2, 'acme', c, sha256('\\x00'::bytea || c),
                    \(CheckSite.columns) FROM convert_to('\(closing)', 'UTF8') AS c;
                UPDATE audit.segments SET last_seq = 3; UPDATE audit.head SET size = 3;
                DELETE FROM gateway.lanes; DELETE FROM gateway.outbox;
                DELETE FROM gateway.signals WHERE signal_id = '\(site.late)'
                """
            for change in [forgotten, "DROP TABLE engine.signals, engine.inbox, engine.automation_dedup"] {
                let broken = try await site.findings(after: change).filter { $0.isViolated && $0.failure == nil }
                #expect(broken.map(\.rule.name) == [], "\(broken.map(\.examples))")
            }
        }
    }

    @Test("values with NULs, and with what only looks like them, break no rule", .requiresServers)
    func nulls() async throws {
        let value =
            #"{"a":"\u0000","b":"^\\u0000$","c":"\\\u0000\u0000","r":"run.end","s":"run.resume","status":"succeeded"}"#
        try await CheckSite.with { (site) async throws in
            let members = #""after":\#(value),"object":{"id":"api-gateway/a/0/1","type":"lane"}"#
            let closing = CheckSite.entry(3, of: "api-gateway/a/0", "lane.closed", members)
            let change = """
                INSERT INTO audit.entries SELECT engine.uuid7_floor(now()), 2, 'acme', c, sha256('\\x00'::bytea || c),
                    'lane.closed', 'system', 'x', 'lane', 'api-gateway/a/0/1', NULL
                FROM convert_to('\(closing)', 'UTF8') AS c;
                UPDATE audit.segments SET last_seq = 3; UPDATE audit.head SET size = 3;
                DELETE FROM gateway.lanes; DELETE FROM gateway.outbox;
                DELETE FROM gateway.signals WHERE signal_id = '\(site.late)';
                INSERT INTO audit.early_entries VALUES ('p', 1, 2, convert_to('\(closing)', 'UTF8'));
                UPDATE engine.outbox SET body = convert_to(replace(convert_from(body, 'UTF8'),
                    '{"status":"succeeded"}', '\(value)'), 'UTF8') WHERE destination = 'audit';
                UPDATE engine.automation_versions SET definition =
                    '{"concurrency":{"limit":1},"steps":[{"name":"one","with":\(value)},{"name":"two"}]}';
                INSERT INTO engine.admissions (run_id, automation_id, stage, place_key)
                SELECT run_id, automation_id, 'going', '' FROM engine.automation_runs WHERE run_id = '\(site.waiting)'
                """
            let findings = try await site.findings(after: change)
            for finding in findings where finding.count > 0 || finding.failure != nil {
                Issue.record("\(finding.rule.name): \(finding)")
            }
            #expect(findings.count == CheckRule.all.count)
        }
    }

    @Test("a row that cannot be read is a finding, and the other rules are checked", .requiresServers)
    func unreadable() async throws {
        try await CheckSite.with { (site) async throws in
            let findings = try await site.findings(
                after: "UPDATE audit.entries SET canonical = '{' WHERE leaf_index = 1"
            )
            #expect(findings.count == CheckRule.all.count)
            #expect(findings.filter { $0.failure != nil }.map(\.rule.name).contains("log-order"))
            let hashes = findings.first { $0.rule.name == "log-hashes" }
            #expect(hashes?.examples == ["leaf 1"])
        }
    }

    @Test("reads only what is asked for", .requiresServers)
    func since() async throws {
        try await CheckSite.with { (site) async throws in
            try await site.client.execute(.simple("UPDATE engine.lanes SET audit_verified = 1"))
            let future = try #require(CheckSince("2999-01-01"))
            var rules: [String] = []
            try await ConsistencyCheck(client: site.client, least: future.least).run { finding in
                if finding.count > 0 { rules.append(finding.rule.name) }
            }
            #expect(rules == ["verified-entries"], "of a lane that is not of a time")
        }
    }

    private static let instants: [(String, Int64)] = [
        ("2026-01-31", 1_769_817_600), ("2026-01-31T12:00:00Z", 1_769_860_800), ("36h", 1_799_870_400),
        ("7d", 1_799_395_200),
    ]

    @Test("a day, an instant or an age", arguments: instants)
    func times(text: String, seconds: Int64) throws {
        let since = try #require(CheckSince(text, now: Timestamp(microseconds: 1_800_000_000_000_000)))
        #expect(since.time.microseconds == seconds * 1_000_000)
        let hex = String(seconds * 1_000, radix: 16)
        #expect(
            since.least.uuidString.lowercased().filter { $0 != "-" }
                == "0\(hex)".padding(toLength: 32, withPad: "0", startingAt: 0)
        )
        let before = CheckSince.dayBefore(since.least)
        #expect(before == CheckSince("2026-01-30", now: .now())?.least || text != "2026-01-31")
    }

    @Test(
        "and nothing else",
        arguments: [
            "", "d", "-1d", "0d", "1w", "yesterday", "2026-02-30", "2026-02-30T00:00:00Z", "1900-01-01", "99999999d",
        ]
    )
    func noTimes(text: String) {
        #expect(CheckSince(text) == nil)
        #expect(throws: (any Error).self) { try CheckCommand.parse(["--since", text]) }
    }

    @Test func theReportTellsBothToPeopleAndToPrograms() throws {
        var report = CheckReport()
        let rules = [
            CheckRule("one", "this holds") { _ in "" }, CheckRule("two", "so does this", .warning) { _ in "" },
        ]
        var finding = CheckFinding(rules[0])
        finding.add(count: 7, examples: ["a", "b", "c"])
        finding.add(count: 1, examples: ["d", "e", "f"])
        #expect(report.add(finding).first == "FAIL  one: this holds – 8 do not keep to it")
        #expect(report.findings[0].examples == ["a", "b", "c", "d", "e"])
        #expect(report.add(CheckFinding(rules[1])) == ["ok    two: so does this"])
        #expect(report.summary == "2 rules: 1 hold, 1 broken, 0 with warnings")
        let root = try JSONDocument(parsing: report.document(since: nil)).root
        #expect(root["broken"]?.int64Value == 1)
        #expect(root["rules"]?[0]?["violations"]?.int64Value == 8)
        #expect(root["rules"]?[0]?["examples"]?.count == 5)
        #expect(root["rules"]?[1]?["severity"]?.stringValue == "warning")
    }

    @Test func withoutADatabaseNothingIsTold() async throws {
        let failure = try await #require(throws: ExitCode.self) {
            var command = try CheckCommand.parse(["--database-url", "postgres://nobody:x@127.0.0.1:1/none"])
            try await command.run()
        }
        #expect(failure == CheckCommand.unknown)
    }
}
