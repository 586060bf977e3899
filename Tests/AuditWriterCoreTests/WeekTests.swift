import Checkpoints
import Contracts
import Domain
import Foundation
import MerkleLog
import Messaging
import Persistence
import ServiceBase
import TestSupport
import Testing

@testable import AuditWriterCore

/// Clocks that are wrong, and partitions that are missing.
@Suite(.requiresServers, .timeLimit(.minutes(5)))
struct WeekTests {
    private static let week = "to_char(date_trunc('week', now(), 'UTC') AT TIME ZONE 'UTC', 'YYYYMMDD')"
    private static let dayMilliseconds: UInt64 = 86_400_000

    @Test("an entry whose producer's clock is weeks ahead or behind is appended, and the log goes on")
    func producersClocks() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let appender = Self.appender(database)
            let now = UUIDv7.milliseconds(of: UUIDv7.make()) ?? 0
            let times = [now, now + 60 * Self.dayMilliseconds, now - 200 * Self.dayMilliseconds, now]
            var messages: [EntryMessage] = []
            for (index, time) in times.enumerated() {
                messages.append(try Self.message(Int64(index + 1), at: time))
            }
            for message in messages { _ = try await appender.append([message]) }
            // One that was held, whose turn comes later.
            let early = [try Self.message(6, at: now + 90 * Self.dayMilliseconds), try Self.message(5, at: now)]
            for message in early { _ = try await appender.append([message]) }
            #expect(await appender.missing == nil)
            try await LogChecks.check(database.client, expected: LogChecks.expected(messages + early))
        }
    }

    @Test("an entry of an impossible time lies in the data, and keeps no other from the log")
    func impossibleTimes() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let appender = Self.appender(database)
            let now = UUIDv7.milliseconds(of: UUIDv7.make()) ?? 0
            for time: UInt64 in [0, now + 4_000 * Self.dayMilliseconds, (1 << 48) - 1] {
                let error = await #expect(throws: PostgresError.self) {
                    try await appender.append([try Self.message(1, at: time)])
                }
                #expect(try LogIntake.classify(#require(error)) == .data, "\(String(describing: error))")
                #expect(await appender.missing == nil)
            }
            let good = try Entries.message(1...3)
            _ = try await appender.append([good])
            try await LogChecks.check(database.client, expected: LogChecks.expected([good]))
        }
    }

    @Test("an entry of an impossible time that comes early is put away, and not the right one before it")
    func impossibleTimesBeforeTheirTurn() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let appender = Self.appender(database)
            let now = UUIDv7.milliseconds(of: UUIDv7.make()) ?? 0
            let bad = try Self.message(5, at: now + 730 * Self.dayMilliseconds)
            var good = [try Entries.message(1...3), try Entries.message(6...7)]
            for message in good { _ = try await appender.append([message]) }
            let error = await #expect(throws: PostgresError.self) { try await appender.append([bad]) }
            #expect(try LogIntake.classify(#require(error)) == .data, "\(String(describing: error))")
            good.append(try Entries.message(4...4))
            good.append(try Entries.message(1...3, producer: "automation-engine/test/9"))
            for message in good[2...] { #expect(try await appender.append([message]).appended > 0) }
            let appended = LogChecks.expected([good[0]] + good[2...])
            try await LogChecks.check(database.client, expected: appended, heldCount: 2)
            // With its week it is one like others, and so is what is held behind it.
            try await Self.addWeek(of: bad, database)
            #expect(try await appender.append([bad]).appended == 3)
            try await LogChecks.check(database.client, expected: LogChecks.expected(good + [bad]))
        }
    }

    /// As an earlier release has held it, or as a clock of the database that is off has let it in.
    @Test(
        "a held entry that the log refuses stops its own lane where it stands, and condemns no message",
        arguments: [true, false]
    )
    func heldEntriesThatAreRefused(hasImpossibleTime: Bool) async throws {
        try await ServiceDatabase.with(.audit) { database in
            let now = UUIDv7.milliseconds(of: UUIDv7.make()) ?? 0
            let first = try Entries.message(1...3)
            let copied = first.entries[0].id
            let time = hasImpossibleTime ? now + 730 * Self.dayMilliseconds : now
            let id = hasImpossibleTime ? UUIDv7.make(milliseconds: time, high: 0, low: 5) : copied
            let bad = try EntryMessage(Entries.delivery([Entries.canonical(seq: 5, id: id)], seq: 5))
            try await database.client.execute(LogRepository.hold(bad.entries))
            let appender = Self.appender(database)
            _ = try await appender.append([first])
            let right = try Entries.message(4...4)
            #expect(try await appender.append([right]).appended == 1)
            let other = try Entries.message(1...2, producer: "automation-engine/test/9")
            let later = try Entries.message(6...6)
            let outcome = try await appender.append([later, other])
            #expect(outcome == LogAppender.Outcome(appended: 2, held: 1))
            let appended = LogChecks.expected([first, right, other])
            try await LogChecks.check(database.client, expected: appended, heldCount: 2)
            guard hasImpossibleTime else {
                return
            }
            try await Self.addWeek(of: bad, database)
            let last = try Entries.message(7...7)
            _ = try await appender.append([last])
            let all = [first, right, bad, later, last, other]
            try await LogChecks.check(database.client, expected: LogChecks.expected(all))
        }
    }

    /// What the database's clock has jumped over is like weeks that were never made.
    @Test("the weeks of the database's clock are made when they are missing")
    func theDatabasesClock() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let appender = Self.appender(database)
            let messages = [
                try Entries.message(1...3), try Entries.message(1...3, producer: "automation-engine/test/9"),
            ]
            _ = try await appender.append([messages[0]])
            try await database.executeAsSuperuser(Self.dropAhead)
            _ = try await appender.append([messages[1]])
            let rows = try await database.client.execute(
                PostgresStatement("SELECT count(*), count(DISTINCT segment_id) FROM audit.segments")
            )
            #expect(try #require(rows.first).decode(0, as: Int64.self) == 1, "The first went with its week.")
            #expect(try await Self.count("audit.entries", database) == 6)
        }
    }

    @Test("arrival is by the database's clock, whatever the replica's says")
    func oneClock() async throws {
        try await ServiceDatabase.with(.audit) { database in
            // A clock that is three weeks ahead of this process's.
            try await database.executeAsSuperuser(
                """
                CREATE OR REPLACE FUNCTION audit.uuid7() RETURNS uuid LANGUAGE sql VOLATILE AS
                $$ SELECT audit.uuid7_floor(now() + interval '21 days') $$
                """
            )
            _ = try await Self.appender(database).append([try Entries.message(1...3)])
            #expect(
                try await Self.count(
                    "audit.segments WHERE segment_id > audit.uuid7_floor(now() + interval '20 days')",
                    database
                )
                    == 1
            )
        }
    }

    @Test("the database's ids are UUIDs of version 7, of its time, and differ")
    func identifiers() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let rows = try await database.client.execute(
                PostgresStatement(
                    "SELECT audit.uuid7(), extract(epoch FROM now())::bigint FROM generate_series(1, 1000)"
                )
            )
            let ids = try rows.map { try $0.decode(0, as: UUID.self) }
            let second = try #require(rows.first).decode(1, as: Int64.self)
            #expect(Set(ids).count == 1_000)
            for id in ids {
                let milliseconds = try #require(UUIDv7.milliseconds(of: id))
                #expect(abs(Int64(milliseconds) / 1_000 - second) < 60)
                #expect(id.uuid.6 >> 4 == 7 && id.uuid.8 >> 6 == 2)
            }
        }
    }

    @Test("where they cannot be made health says which and why, and the log goes on by itself when they can")
    func missingWeeks() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let unsigned = Alarm()
            let authority = try Self.authority()
            let appender = Self.appender(database, authority, unsigned)
            let keeper = CheckpointKeeper(
                appender: appender,
                authority: authority,
                database: database.client,
                unsigned: unsigned,
                schedule: CheckpointKeeper.Schedule(watch: .milliseconds(20)),
                logger: ServiceDatabase.logger
            )
            try await database.executeAsSuperuser(
                "\(Self.dropAhead); ALTER FUNCTION audit.ensure_partitions(integer) RENAME TO ensure_no_more"
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await keeper.run() }
                let message = try Entries.message(1...3)
                for _ in 0..<2 {
                    let error = await #expect(throws: AuditWriterError.self) {
                        try await appender.append([message])
                    }
                    #expect(error?.code == .missingPartition)
                    #expect(try LogIntake.classify(#require(error)) == .retry)
                    let name = try await database.client.execute(
                        PostgresStatement("SELECT 'audit.segments_' || \(Self.week)")
                    )
                    let problem = await keeper.problem
                    #expect(problem?.contains(try #require(name.first).decode(0, as: String.self)) == true)
                    #expect(problem?.contains("SELECT audit.add_week('segments', '") == true)
                    #expect(problem?.contains("ensure_partitions") == true, "\(problem ?? "nothing")")
                }
                try await database.executeAsSuperuser(
                    "ALTER FUNCTION audit.ensure_no_more(integer) RENAME TO ensure_partitions"
                )
                try await eventually("health is well by itself") { await keeper.problem == nil }
                _ = try await appender.append([message])
                try await LogChecks.check(database.client, expected: LogChecks.expected([message]))
                group.cancelAll()
            }
        }
    }

    @Test("a clock of the database that has gone back keeps no log unsigned, and has none signed all the time")
    func aClockThatGoesBack() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let unsigned = Alarm()
            let authority = try Self.authority()
            let appender = Self.appender(database, authority, unsigned)
            _ = try await appender.append([try Entries.message(1...3)])
            _ = try await appender.sign()
            try await database.executeAsSuperuser(
                """
                SET session_replication_role = replica;
                UPDATE audit.checkpoints SET signed_at = now() + interval '30 days'
                """
            )
            let keeper = CheckpointKeeper(
                appender: appender,
                authority: authority,
                database: database.client,
                unsigned: unsigned,
                schedule: CheckpointKeeper.Schedule(idle: .seconds(600), watch: .milliseconds(5)),
                logger: ServiceDatabase.logger
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await keeper.run() }
                try await eventually("the log is signed") { try await Self.count("audit.checkpoints", database) == 2 }
                // Appending is as before, and goes through many more looks of the keeper.
                for seq in Int64(4)...60 { _ = try await appender.append([try Entries.message(seq...seq)]) }
                try await eventually("what was appended is signed") {
                    authority.journal.newest?.checkpoint.size == 60
                }
                group.cancelAll()
            }
            let idle = try await Self.count("audit.checkpoints WHERE size = 3", database)
            #expect(idle == 2)
        }
    }

    // MARK: - Making work

    /// Drops this week of `audit.segments`, and all that follow.
    private static let dropAhead = """
        DO $$ DECLARE child regclass; BEGIN
            FOR child IN
                SELECT i.inhrelid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = 'audit.segments'::regclass AND c.relkind = 'r' AND right(c.relname, 8) >= \(week)
            LOOP EXECUTE format('DROP TABLE %s', child); END LOOP;
        END $$
        """

    private static func authority() throws -> CheckpointAuthority {
        let signer = try NoteSigner.generate(name: "example.com/audit", kind: .log)
        return CheckpointAuthority(
            signers: [signer],
            journal: try CheckpointJournal(
                directory: Command.temporaryURL("checkpoints").path,
                origin: signer.name
            )
        )
    }

    private static func appender(
        _ database: ServiceDatabase,
        _ authority: CheckpointAuthority? = nil,
        _ unsigned: Alarm? = nil
    ) -> LogAppender {
        LogAppender(
            database: database.client,
            authority: authority,
            unsigned: unsigned,
            logger: ServiceDatabase.logger,
            timeout: .seconds(120)
        )
    }

    private static func message(_ seq: Int64, at milliseconds: UInt64) throws -> EntryMessage {
        let id = UUIDv7.make(milliseconds: milliseconds, high: 0, low: UInt64(seq))
        return try EntryMessage(Entries.delivery([Entries.canonical(seq: seq, id: id)], seq: seq))
    }

    private static func addWeek(of message: EntryMessage, _ database: ServiceDatabase) async throws {
        let id = try #require(message.entries.first).id.uuidString
        try await database.executeAsSuperuser(
            "SELECT audit.add_week('entries', date_trunc('week', audit.uuid7_time('\(id)') AT TIME ZONE 'UTC')::date)"
        )
    }

    private static func count(_ table: String, _ database: ServiceDatabase) async throws -> Int64 {
        try #require(
            try await database.client.execute(PostgresStatement("SELECT count(*) FROM \(table)", isReadOnly: true))
                .first
        ).decode(0)
    }
}
