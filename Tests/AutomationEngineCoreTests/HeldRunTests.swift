import Domain
import FoundationEssentials
import JSON
import Persistence
import TestSupport
import Testing

@testable import AutomationEngineCore

/// Held runs under many hands at once, and under those of the release before.
@Suite("Held runs", .requiresServers, .timeLimit(.minutes(4)))
struct HeldRunTests {
    private static let over = """
        SELECT concat_ws(' ', a.place_key, count(*)) FROM engine.automation_runs r
        JOIN engine.admissions a USING (run_id)
        WHERE r.finished_at IS NULL AND NOT r.held GROUP BY a.place_key HAVING count(*) > 2
        """

    @Test("A7: with many replicas at once a limit is never exceeded, and every run has its turn")
    func concurrently() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(
                AdmissionDesk.definition(#""concurrency":{"limit":2,"key":"{{ signal.data.k }}"}"#)
            )
            let total = 96
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<4 {
                    group.addTask {
                        let processor = desk.processor()
                        for batch in 0..<(total / 16) {
                            let signals = try (0..<4).map {
                                try Fixtures.signal(data: #"{"k":\#((sender + batch + $0) % 5)}"#)
                            }
                            _ = try await processor.process(signals)
                        }
                    }
                }
                for worker in 0..<3 {
                    group.addTask { try await Self.work(worker, until: total, desk) }
                }
                try await group.waitForAll()
            }
            let runs = try await desk.runs()
            #expect(runs.count == total && Set(runs) == ["canceled"])
            try await desk.look()
            #expect(try await desk.engine.texts("SELECT run_id::text FROM engine.admissions") == [])
        }
    }

    /// Lets runs go, and ends some of those that were, until so many have ended.
    private static func work(_ worker: Int, until total: Int, _ desk: AdmissionDesk) async throws {
        let ended = "SELECT count(*)::text FROM engine.automation_runs WHERE finished_at IS NOT NULL"
        while try await desk.engine.texts(ended) != ["\(total)"] {
            try Task.checkCancellation()
            _ = try await desk.held.look(deadline: .now + .seconds(20))
            let going = try await desk.engine.texts(
                "SELECT run_id::text FROM engine.automation_runs WHERE finished_at IS NULL AND NOT held ORDER BY run_id"
            )
            for run in going.enumerated() where run.offset % 3 == worker {
                // Another one may have ended it already.
                try? await desk.ask(desk.control.cancel, run: run.element)
            }
            let over = try await desk.engine.texts(over)
            #expect(over == [])
        }
    }

    @Test("what another one is deciding about is passed over, waits for nobody, and is looked at again")
    func passesOver() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(AdmissionDesk.definition(#""concurrency":{"limit":1}"#))
            try await desk.send("{}", "{}", "{}")
            let ids = try await desk.ids()
            try await desk.ask(desk.control.cancel, run: ids[0])
            let gates = "SELECT FROM engine.gates FOR UPDATE"
            let automation = "SELECT FROM engine.automations FOR UPDATE"
            for lock in [gates, automation] {
                try await desk.engine.database.withTransaction { transaction in
                    _ = try await transaction.execute(PostgresStatement(lock))
                    let round = try await desk.held.look(deadline: .now + .seconds(20))
                    #expect(round.looked == 0)
                }
            }
            #expect(try await desk.runs() == ["canceled", "queued place", "queued place"])
            // The next in line is just being canceled: the one behind it goes, and the place is not lost.
            try await desk.engine.database.withTransaction { transaction in
                _ = try await transaction.execute(
                    PostgresStatement("SELECT FROM engine.automation_runs WHERE run_id = '\(ids[1])' FOR UPDATE")
                )
                try await desk.look()
            }
            #expect(try await desk.runs() == ["canceled", "queued place", "queued"])
        }
    }

    @Test("a release that knows of no hold claims no held run; what it cancels is given on")
    func releaseBefore() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(AdmissionDesk.definition(#""concurrency":{"limit":1}"#))
            try await desk.send("{}", "{}", "{}")
            let ids = try await desk.ids()
            let claimed = try await desk.engine.texts(
                """
                UPDATE engine.automation_runs SET owner = gen_random_uuid(), fence = fence + 1, status = 'running'
                WHERE status = 'queued' RETURNING run_id::text
                """
            )
            #expect(claimed == [])
            _ = try await desk.engine.texts(
                """
                UPDATE engine.automation_runs SET status = 'canceled', finished_at = now(), owner = NULL
                WHERE run_id = ANY ('{\(ids[0]),\(ids[1])}') RETURNING run_id::text
                """
            )
            #expect(try await desk.runs() == ["canceled", "canceled", "queued place"])
            try await desk.look()
            #expect(try await desk.runs().last == "queued place")
            try await desk.held.repair(deadline: .now + .seconds(20))
            try await desk.look()
            #expect(try await desk.runs() == ["canceled", "canceled", "queued"])
        }
    }

    @Test("what nobody looks at any more is found by the repair, and what is past is deleted")
    func repairs() async throws {
        try await AdmissionDesk.with { desk in
            try await desk.automate(
                AdmissionDesk.definition(
                    #""concurrency":{"limit":1},"rate_limit":{"limit":1,"per":"1ms"},"dedupe":{"key":"x{{ signal.batutasignalid }}","window":"1ms"}"#
                )
            )
            try await desk.send("{}")
            try await desk.send("{}")
            let first = try await desk.ids()[0]
            try await desk.ask(desk.control.cancel, run: first)
            try await desk.engine.storage.executeAsSuperuser(
                "DELETE FROM engine.admissions WHERE stage = 'freed'; UPDATE engine.admissions SET look_at = NULL"
            )
            try await desk.look()
            #expect(try await desk.runs().last?.hasPrefix("queued ") == true)
            try await desk.engine.storage.executeAsSuperuser(
                "UPDATE engine.gates SET expires_at = '-infinity'; UPDATE engine.rate_starts SET expires_at = '-infinity'"
            )
            try await desk.held.repair(deadline: .now + .seconds(20))
            #expect(
                try await desk.engine.texts("SELECT DISTINCT kind FROM engine.gates ORDER BY kind") == [
                    "place", "rate",
                ]
            )
            #expect(try await desk.engine.texts("SELECT key FROM engine.rate_starts") == [])
            try await eventually("it is let go") {
                try await desk.look()
                return try await desk.runs().last == "queued"
            }
        }
    }

    @Test("held runs cost the claims nothing: they stand in an index in which the claims do not look at them")
    func claims() async throws {
        try await AdmissionDesk.with { desk in
            let plan = try await desk.engine.database.withConnection { connection in
                try await connection.executeScript("SET enable_seqscan = off; SET enable_bitmapscan = off")
                let rows = try await connection.execute(
                    PostgresStatement(
                        "EXPLAIN \(RunRepository.claimingQueued)",
                        [
                            .uuid(desk.engine.instance), .int(10), .uuidArray([UUID]()), .int(10),
                            .textArray([String]()), .int4Array([Int32]()), .text(""),
                        ]
                    )
                )
                return try rows.map { try $0.decode(0, as: String.self) }.joined(separator: "\n")
            }
            // The first tenant, the next ones, and the runs of each.
            let conditions = [
                "(held = false)", "((held = false) AND (tenant > t", "((held = false) AND (tenant = rooms",
            ]
            for condition in conditions {
                #expect(plan.contains("Index Cond: \(condition)"), "\(condition) is not in \(plan)")
            }
        }
    }
}
