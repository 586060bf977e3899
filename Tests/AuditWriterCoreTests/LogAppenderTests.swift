import Contracts
import FoundationEssentials
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AuditWriterCore

@Suite(.requiresServers, .timeLimit(.minutes(5)))
struct LogAppenderTests {
    /// 10,000 entries in 5 lanes, every message twice, in any order, with a restart in between.
    @Test func whateverTheOrderEachEntryIsAppendedOnce() async throws {
        var generator = SeededGenerator.random()
        let (messages, expected) = try Self.messages(perLane: 2_000, using: &generator)
        let shuffled = (messages + messages).shuffled(using: &generator)
        let batches = Self.batches(of: shuffled, using: &generator)
        try await ServiceDatabase.with(.audit) { database in
            var appender = Self.appender(database, releaseLimit: 300)
            var (appended, duplicates) = (0, 0)
            for (index, batch) in batches.enumerated() {
                if index == batches.count / 2 { appender = Self.appender(database, releaseLimit: 300) }
                let outcome = try await appender.append(batch)
                appended += outcome.appended
                duplicates += outcome.duplicates
            }
            #expect(appended == 10_000)
            #expect(duplicates == 10_000)
            try await LogChecks.check(database.client, expected: expected)
        }
    }

    /// Two writers that take the head from each other append nothing twice and leave no gap.
    @Test func twoWritersAtOnceNeverFork() async throws {
        var generator = SeededGenerator.random()
        let (messages, expected) = try Self.messages(perLane: 300, using: &generator)
        // Small batches, so that the head changes hands many times.
        let halves = (0..<2).map { _ in
            Self.batches(of: messages.shuffled(using: &generator), upTo: 4, using: &generator)
        }
        try await ServiceDatabase.with(.audit) { database in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for batches in halves {
                    group.addTask {
                        let appender = Self.appender(database, releaseLimit: 50)
                        for batch in batches { try await Self.persist(appender, batch) }
                    }
                }
                try await group.waitForAll()
            }
            try await LogChecks.check(database.client, expected: expected)
            let fence = try await database.client.execute(PostgresStatement("SELECT fence FROM audit.head"))
            #expect(try #require(fence.first).decode(0, as: Int64.self) > 2)
        }
    }

    /// A writer whose head was taken does not append by what it knew; it takes the head again and reads.
    @Test func aWriterThatWasReplacedReadsAgain() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let (old, new) = (Self.appender(database), Self.appender(database))
            let messages = try [Int64(0), 10, 20, 30].map { try Entries.message($0 + 1...$0 + 10) }
            _ = try await old.append([messages[0]])
            _ = try await new.append([messages[1], messages[3]])
            let outcome = try await old.append([messages[1], messages[2]])
            #expect(outcome.duplicates == 10)
            #expect(outcome.appended == 20)
            try await LogChecks.check(database.client, expected: LogChecks.expected(messages))
        }
    }

    /// What a writer held when it died is appended by the next one with the entry that fills the gap.
    @Test func heldEntriesOutliveTheirWriter() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let messages = [try Entries.message(1...3), try Entries.message(4...6)]
            let held = try await Self.appender(database).append([messages[1]])
            #expect(held.held == 3)
            try await LogChecks.check(database.client, expected: [:], heldCount: 3)
            let outcome = try await Self.appender(database).append([messages[0], messages[1]])
            #expect(outcome.appended == 6)
            #expect(outcome.duplicates == 3)
            try await LogChecks.check(database.client, expected: LogChecks.expected(messages))
        }
    }

    /// An entry that the log refuses leaves nothing behind, and the next call is not confused by it.
    @Test func aRefusedEntryLeavesNothingBehind() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let appender = Self.appender(database)
            let good = try Entries.message(1...2)
            _ = try await appender.append([good])
            let copy = Entries.canonical(seq: 3, id: good.entries[0].id)
            let bad = try EntryMessage(Entries.delivery([copy], seq: 3))
            let other = try Entries.message(1...5, producer: "automation-engine/test/9")
            let error = await #expect(throws: PostgresError.self) { try await appender.append([other, bad]) }
            #expect(try LogIntake.classify(#require(error)) == .data)
            _ = try await appender.append([other])
            try await LogChecks.check(database.client, expected: LogChecks.expected([good, other]))
        }
    }

    // MARK: - Making work

    private static func appender(_ database: ServiceDatabase, releaseLimit: Int = 2_000) -> LogAppender {
        LogAppender(
            database: database.client,
            logger: ServiceDatabase.logger,
            releaseLimit: releaseLimit,
            timeout: .seconds(120)
        )
    }

    /// Goes on as `BatchConsumer` does after failures that pass.
    private static func persist(_ appender: LogAppender, _ batch: [EntryMessage]) async throws {
        try await eventually("a batch is appended", every: .milliseconds(1)) {
            do {
                _ = try await appender.append(batch)
                return true
            } catch  where LogIntake.classify(error) == .retry {
                return false
            }
        }
    }

    private static func messages(
        perLane count: Int64,
        using generator: inout SeededGenerator
    ) throws -> ([EntryMessage], [LaneName: [[UInt8]]]) {
        var messages: [EntryMessage] = []
        for lane in 0..<5 {
            var next: Int64 = 1
            while next <= count {
                let last = min(count, next + Int64.random(in: 0...19, using: &generator))
                messages.append(
                    try Entries.message(
                        next...last,
                        producer: "automation-engine/test/\(lane % 3)",
                        epoch: Int64(lane + 1),
                        tenant: "tenant-\(lane)"
                    )
                )
                next = last + 1
            }
        }
        return (messages, LogChecks.expected(messages))
    }

    private static func batches(
        of messages: [EntryMessage],
        upTo limit: Int = 60,
        using generator: inout SeededGenerator
    ) -> [[EntryMessage]] {
        var batches: [[EntryMessage]] = []
        var rest = messages[...]
        while !rest.isEmpty {
            let size = Int.random(in: 1...limit, using: &generator)
            batches.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return batches
    }
}
