import Domain
import FoundationEssentials
import Persistence
import TestSupport
import Testing

@testable import AutomationEngineCore

@Suite("Claims of runs without a driver", .requiresServers, .timeLimit(.minutes(2)))
struct RunClaimTests {
    private static let me = UUIDv7.make()
    private static let other = UUIDv7.make()
    private static let gone = UUIDv7.make()

    @Test("what nobody drives is claimed once, under a higher fence, and what somebody drives is not")
    func claims() async throws {
        try await ServiceDatabase.with(.engine) { database in
            let repository = RunRepository(database: database.client)
            try await Self.execute(
                "INSERT INTO engine.instances (instance, replica, lease_until) VALUES ($1, 'o', now() + interval '1 hour')",
                [.uuid(Self.other)],
                in: database
            )
            let abandoned = try await Self.store("running", owner: Self.gone, in: database)
            let queued = try await Self.store("queued", in: database)
            let due = try await Self.store("waiting", timer: "-1 second", in: database)
            _ = try await Self.store("running", owner: Self.other, in: database)
            _ = try await Self.store("waiting", timer: "1 hour", in: database)
            _ = try await Self.store("unknown", in: database)
            _ = try await Self.store("succeeded", in: database)
            let orphan = try await Self.store("running", owner: Self.me, in: database)
            let driven = try await Self.store("running", owner: Self.me, in: database)
            let held = try await Self.store("waiting", timer: "-1 second", in: database)
            let resting = [
                try await Self.store("queued", in: database),
                try await Self.store("running", owner: Self.gone, in: database),
            ]

            let room = RunRoom(limit: 10, share: 10)
            var turns = ClaimTurns()
            let claimed = try await repository.claim(
                room: room,
                turns: &turns,
                owner: Self.me,
                held: [driven, held] + resting,
                deadline: .now + .seconds(20)
            )
            #expect(Set(claimed.map(\.id)) == [abandoned, queued, due])
            let orphans = try await repository.claimOrphans(
                room: room,
                owner: Self.me,
                held: { [driven, held] + claimed.map(\.id) },
                deadline: .now + .seconds(20)
            )
            #expect(orphans.map(\.id) == [orphan])
            let fences = try await database.client.execute(
                PostgresStatement("SELECT run_id FROM engine.automation_runs WHERE fence = 2 AND status = 'running'")
            )
            #expect(Set(try fences.map { try $0.decode(0, as: UUID.self) }) == [abandoned, queued, due, orphan])

            // What was only held, and the timer of it, is still there, and claimed when it is let go of.
            let later = try await repository.claim(
                room: room,
                turns: &turns,
                owner: Self.me,
                held: [driven],
                deadline: .now + .seconds(20)
            )
            #expect(Set(later.map(\.id)) == Set([held] + resting))
        }
    }

    @Test("a run is given back by its owner alone, and claimed again")
    func release() async throws {
        try await ServiceDatabase.with(.engine) { database in
            let repository = RunRepository(database: database.client)
            let run = try await Self.store("running", owner: Self.me, in: database)
            let deadline = ContinuousClock.now + .seconds(20)
            try await repository.release(run, owner: Self.other, deadline: deadline)
            var turns = ClaimTurns()
            let room = RunRoom(limit: 10, share: 10)
            let kept = try await repository.claim(
                room: room,
                turns: &turns,
                owner: Self.me,
                held: [run],
                deadline: deadline
            )
            #expect(kept.isEmpty)
            try await repository.release(run, owner: Self.me, deadline: deadline)
            let claimed = try await repository.claim(
                room: room,
                turns: &turns,
                owner: Self.other,
                held: [],
                deadline: deadline
            )
            #expect(claimed.map(\.id) == [run])
        }
    }

    @Test("runs are loaded with what started them, and one whose rows cannot be read is told apart")
    func load() async throws {
        try await ServiceDatabase.with(.engine) { database in
            let repository = RunRepository(database: database.client)
            let (bare, strange) = (
                try await Self.store("queued", in: database), try await Self.store("queued", in: database)
            )
            try await Self.execute(
                """
                INSERT INTO engine.automation_run_steps (run_id, position, name, action_key, status, attempt)
                VALUES ($1, 0, 'one', 'data.transform', 'queued', 0), ($2, 0, 'one', 'data.transform', 'queued', 0)
                """,
                [.uuid(bare), .uuid(strange)],
                in: database
            )
            try await database.executeAsSuperuser(
                """
                ALTER TABLE engine.automation_run_steps DROP CONSTRAINT automation_run_steps_status_check;
                UPDATE engine.automation_run_steps SET status = 'of tomorrow' WHERE run_id = '\(strange.uuidString)'
                """
            )
            let runs = try await repository.load([bare, strange, UUIDv7.make()], deadline: .now + .seconds(20))
            #expect(Set(runs.keys) == [bare, strange])
            let loaded = try #require(try runs[bare]?.get())
            #expect(loaded.record.steps.map(\.name) == ["one"])
            #expect(throws: StepError.notExecutable("The run's signal is not stored.")) { try loaded.signal() }
            #expect(throws: PostgresError.self) { try runs[strange]?.get() }
        }
    }

    @Test("of two holds of one run only the one with the stored fence is locked")
    func fences() async throws {
        try await ServiceDatabase.with(.engine) { database in
            let id = try await Self.store("running", owner: Self.me, in: database)
            let automation = try Fixtures.automation(steps: #"{"name":"one","action_key":"data.transform"}"#)
            var record = RunRecord(automation, signal: try Fixtures.signal(), runID: id, at: 1)
            var updates: [RunUpdate] = []
            for fence: Int64 in [1, 2] {
                record.fence = fence
                updates.append(RunUpdate(record: record, change: RunChange()))
            }
            let rows = try await database.client.execute(RunRepository.locking(updates, owner: Self.me))
            #expect(try rows.map { try $0.decode(1, as: Int64.self) } == [1])
            let others = try await database.client.execute(RunRepository.locking(updates, owner: Self.other))
            #expect(others.count == 0)
        }
    }

    private static func store(
        _ status: String,
        owner: UUID? = nil,
        timer: String? = nil,
        in database: ServiceDatabase
    ) async throws -> UUID {
        let id = UUIDv7.make()
        try await execute(
            """
            INSERT INTO engine.automation_runs (run_id, tenant, automation_id, automation_key, automation_version,
                signal_id, type, subtype, status, summary, started_at, finished_at, owner)
            VALUES ($1, 'acme', $1, 'one', 1, $1, 'automation', 'automation:one', $2, 's', now(),
                    CASE WHEN $2 = 'succeeded' THEN now() END, $3)
            """,
            [.uuid(id), .text(status), .uuid(owner)],
            in: database
        )
        if let timer {
            try await execute(
                "INSERT INTO engine.timers (run_id, due_at) VALUES ($1, now() + $2::text::interval)",
                [.uuid(id), .text(timer)],
                in: database
            )
        }
        return id
    }

    private static func execute(_ sql: String, _ values: [PostgresValue], in database: ServiceDatabase) async throws {
        _ = try await database.client.execute(PostgresStatement(sql, values))
    }
}

@Suite("Secrets in answers")
struct SecretMaskTests {
    @Test("a secret is taken out in every form in which answers repeat it", arguments: ["a/b\"ñ\n€😀z", "plain-secret"])
    func forms(secret: String) {
        let mask = SecretMask([secret])
        let forms = [
            secret, #"a\/b\"\u00f1\n\u20ac\ud83d\ude00z"#, #"a/b\"\u00F1\n\u20AC\uD83D\uDE00z"#, #"a/b\"ñ\n€😀z"#,
            "a%2Fb%22%C3%B1%0A%E2%82%AC%F0%9F%98%80z", "a%2fb%22%c3%b1%0a%e2%82%ac%f0%9f%98%80z",
        ]
        for form in secret == "plain-secret" ? [secret] : forms {
            #expect(mask.masking("x \(form) y \(form)") == "x <secret> y <secret>", "\(form)")
        }
        #expect(mask.masking("nothing") == "nothing")
    }
}
