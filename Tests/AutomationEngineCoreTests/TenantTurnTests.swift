import Domain
import FoundationEssentials
import Persistence
import TestSupport
import Testing

@testable import AutomationEngineCore

@Suite("Slots and rooms")
struct RunSlotsTests {
    @Test("a slot is taken once and by as many runs as there are")
    func slots() {
        let slots = RunSlots(capacity: 2, share: 2)
        let (one, two, three) = (UUIDv7.make(), UUIDv7.make(), UUIDv7.make())
        #expect(slots.reserve(one, of: "a") == .entered && slots.reserve(one, of: "a") == .heldAlready)
        #expect(slots.reserve(two, of: "a") == .entered && slots.reserve(three, of: "a") == .full)
        slots.release(one)
        slots.release(one)
        #expect(slots.free == 1 && slots.reserve(three, of: "a") == .entered)
        #expect(Set(slots.runs) == [two, three])
    }

    @Test(
        "of one tenant no more runs are driven than its share",
        arguments: [(256, nil, 192), (1, nil, 1), (8, 3, 3), (4, 9, 4)]
    )
    func share(capacity: Int, share: Int?, expected: Int) {
        let slots = RunSlots(capacity: capacity, share: share)
        let runs = (0..<capacity).map { _ in UUIDv7.make() }
        let admissions = runs.map { slots.reserve($0, of: "loud") }
        #expect(admissions.count { $0 == .entered } == expected)
        #expect(admissions.dropFirst(expected).allSatisfy { $0 == .tenantFull })
        #expect(slots.free == capacity - expected)
        #expect(slots.room(limit: 100).hasFullTenant)
        #expect(slots.room(limit: 100).limit == min(100, slots.free))
        for number in 0..<slots.free { #expect(slots.reserve(UUIDv7.make(), of: "quiet-\(number)") == .entered) }
        #expect(slots.reserve(UUIDv7.make(), of: "another") == .full)
        slots.release(runs[0])
        #expect(slots.reserve(UUIDv7.make(), of: "loud") == .entered)
    }

    @Test("runs are chosen of all tenants in turn, and of none more than there is room for")
    func choice() {
        let loud = (0..<10).map { _ in ClaimedRun(id: UUIDv7.make(), tenant: "loud") }
        let quiet = (0..<2).map { _ in ClaimedRun(id: UUIDv7.make(), tenant: "quiet") }
        let room = RunRoom(limit: 4, share: 3, held: ["loud": 1])
        let chosen = room.choose(loud + quiet)
        #expect(Set(chosen.prefix(2)) == [loud[0], quiet[0]] && Set(chosen.dropFirst(2)) == [loud[1], quiet[1]])
        var later = room
        later.take(Array(loud.prefix(2)))
        #expect(later == RunRoom(limit: 2, share: 3, held: ["loud": 3]))
        #expect(later.choose(loud + quiet) == quiet)
        #expect(RunRoom(limit: 0, share: 3).choose(loud).isEmpty)
    }
}

@Suite("Tenants take turns", .requiresServers, .timeLimit(.minutes(2)))
struct TenantTurnTests {
    private static let me = UUIDv7.make()
    private static let gone = UUIDv7.make()

    /// How runs can wait for a driver.
    enum Waiting: String, CaseIterable, Sendable {
        case queued
        case due
        case abandoned
        case orphaned
    }

    @Test("a tenant with few runs does not wait behind one with hundreds", arguments: Waiting.allCases)
    func behindALoudOne(waiting: Waiting) async throws {
        try await ServiceDatabase.with(.engine) { database in
            try await Self.store(300, of: "loud", waiting, in: database)
            try await Self.store(3, of: "quiet", waiting, in: database)
            try await Self.store(2, of: "small", waiting, in: database)
            let first = Self.counts(try await Self.claim(waiting, RunRoom(limit: 9, share: 100), in: database))
            #expect(first["quiet"] == 3 && first["small"] == 2)
            #expect((3...4).contains(first["loud", default: 0]))
            // Alone, it has all of the room.
            let next = Self.counts(try await Self.claim(waiting, RunRoom(limit: 9, share: 100), in: database))
            #expect(next == ["loud": 9])
        }
    }

    @Test("what has all of its share is left alone, and the others are served", arguments: Waiting.allCases)
    func overItsShare(waiting: Waiting) async throws {
        try await ServiceDatabase.with(.engine) { database in
            try await Self.store(300, of: "loud", waiting, in: database)
            try await Self.store(3, of: "quiet", waiting, in: database)
            let full = RunRoom(limit: 10, share: 6, held: ["loud": 6])
            #expect(Self.counts(try await Self.claim(waiting, full, in: database)) == ["quiet": 3])
            #expect(try await Self.claim(waiting, full, in: database).isEmpty)
            let nearlyFull = RunRoom(limit: 10, share: 6, held: ["loud": 4])
            #expect(Self.counts(try await Self.claim(waiting, nearlyFull, in: database)) == ["loud": 2])
        }
    }

    @Test("with room for one at a time every tenant has its turn", arguments: [Waiting.queued, .due])
    func oneAtATime(waiting: Waiting) async throws {
        try await ServiceDatabase.with(.engine) { database in
            let tenants = ["a", "b-1", "c", "d"]
            for tenant in tenants { try await Self.store(5, of: tenant, waiting, in: database) }
            var turns = ClaimTurns()
            var claimed: [String] = []
            for _ in 0..<12 {
                let runs = try await Self.claim(waiting, RunRoom(limit: 1, share: 10), turns: &turns, in: database)
                claimed += runs.map(\.tenant)
            }
            #expect(claimed == tenants + tenants + tenants)
        }
    }

    @Test("a timer of the release before, which names no tenant, has that of its run")
    func olderRelease() async throws {
        try await ServiceDatabase.with(.engine) { database in
            let runs = try await Self.store(1, of: "quiet", .queued, in: database)
            try await Self.execute(
                """
                INSERT INTO engine.timers (run_id, due_at) SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
                ON CONFLICT (run_id) DO UPDATE SET due_at = excluded.due_at
                """,
                [.uuidArray(runs), .timestampArray(microseconds: [TestEngine.now])],
                in: database
            )
            let rows = try await database.client.execute(PostgresStatement("SELECT tenant FROM engine.timers"))
            #expect(try rows.map { try $0.decode(0, as: String.self) } == ["quiet"])
        }
    }

    @Test("a timer that is due and cannot be claimed does not count as the next one")
    func nextTimer() async throws {
        try await ServiceDatabase.with(.engine) { database in
            let repository = RunRepository(database: database.client)
            try await Self.store(1, of: "loud", .due, in: database)
            let deadline = ContinuousClock.now + .seconds(20)
            #expect(try await repository.nextTimer(isToCome: false, deadline: deadline) != nil)
            #expect(try await repository.nextTimer(isToCome: true, deadline: deadline) == nil)
            try await Self.execute("UPDATE engine.timers SET due_at = now() + interval '1 hour'", in: database)
            #expect(try await repository.nextTimer(isToCome: true, deadline: deadline) != nil)
        }
    }

    // MARK: - What the tests share

    private static func counts(_ runs: [ClaimedRun]) -> [String: Int] {
        runs.reduce(into: [:]) { $0[$1.tenant, default: 0] += 1 }
    }

    private static func claim(
        _ waiting: Waiting,
        _ room: RunRoom,
        in database: ServiceDatabase
    ) async throws -> [ClaimedRun] {
        var turns = ClaimTurns()
        return try await claim(waiting, room, turns: &turns, in: database)
    }

    private static func claim(
        _ waiting: Waiting,
        _ room: RunRoom,
        turns: inout ClaimTurns,
        in database: ServiceDatabase
    ) async throws -> [ClaimedRun] {
        let repository = RunRepository(database: database.client)
        let deadline = ContinuousClock.now + .seconds(20)
        guard waiting == .orphaned else {
            return try await repository.claim(room: room, turns: &turns, owner: me, held: [], deadline: deadline)
        }
        // Who has been claimed is driven from then on.
        let driven = try await database.client.execute(
            PostgresStatement("SELECT run_id FROM engine.automation_runs WHERE fence > 1")
        )
        let held = try driven.map { try $0.decode(0, as: UUID.self) }
        return try await repository.claimOrphans(room: room, owner: me, held: { held }, deadline: deadline)
    }

    @discardableResult
    private static func store(
        _ count: Int,
        of tenant: String,
        _ waiting: Waiting,
        in database: ServiceDatabase
    ) async throws -> [UUID] {
        let ids = (0..<count).map { _ in UUIDv7.make() }
        let (status, owner): (String, UUID?) =
            switch waiting {
            case .queued: ("queued", nil)
            case .due: ("waiting", nil)
            case .abandoned: ("running", gone)
            case .orphaned: ("running", me)
            }
        try await execute(
            """
            INSERT INTO engine.automation_runs (run_id, tenant, automation_id, automation_key, automation_version,
                signal_id, type, subtype, status, summary, started_at, owner)
            SELECT id, $2, id, 'one', 1, id, 'automation', 'automation:one', $3, 's', now(), $4
            FROM unnest($1::uuid[]) AS id
            """,
            [.uuidArray(ids), .text(tenant), .text(status), .uuid(owner)],
            in: database
        )
        if waiting == .due {
            try await execute(
                """
                INSERT INTO engine.timers (run_id, due_at, tenant)
                SELECT id, now() - interval '1 second', $2 FROM unnest($1::uuid[]) AS id
                """,
                [.uuidArray(ids), .text(tenant)],
                in: database
            )
        }
        return ids
    }

    private static func execute(
        _ sql: String,
        _ values: [PostgresValue] = [],
        in database: ServiceDatabase
    ) async throws {
        _ = try await database.client.execute(PostgresStatement(sql, values))
    }
}
