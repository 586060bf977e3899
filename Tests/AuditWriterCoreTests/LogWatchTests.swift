import Checkpoints
import Foundation
import MerkleLog
import Persistence
import ServiceBase
import ServiceRuntime
import TestSupport
import Testing

@testable import AuditWriterCore

/// What is told of entries that are not signed, and of those that are held.
@Suite(.timeLimit(.minutes(5)))
struct LogWatchTests {
    @Test("the time counts from the first sight of entries beyond the newest checkpoint, and ends with the next")
    func times() {
        let start = ContinuousClock.now
        var unsigned = UnsignedEntries()
        func look(_ size: Int64, _ signed: Int64, _ second: Int) -> [Int64] {
            unsigned.looked(size: size, signedSize: signed, at: start + .seconds(second))
            return [unsigned.count, Int64(unsigned.age(at: start + .seconds(second)) / .seconds(1))]
        }
        #expect(look(0, 0, 0) == [0, 0])
        #expect(look(5, 0, 1) == [5, 0])
        #expect(look(9, 0, 4) == [9, 3])
        #expect(unsigned.age(at: start + .seconds(9)) == .seconds(8), "It goes on while nobody looks.")
        #expect(look(12, 9, 5) == [3, 0], "What came after a checkpoint is younger than it.")
        #expect(look(12, 9, 7) == [3, 2])
        #expect(look(12, 12, 8) == [0, 0])
        #expect(look(13, 12, 20) == [1, 0])
        // Another log, after a restore.
        #expect(look(13, 0, 22) == [13, 0])
    }

    @Test("a replica that stands by tells of entries that nobody signs", .requiresServers)
    func unsigned() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let writer = LogAppender(database: database.client, logger: ServiceDatabase.logger)
            _ = try await writer.append([try Entries.message(1...7)])
            let (watch, registry) = (LogWatch(), PrometheusRegistry())
            watch.observe(in: registry)
            #expect(registry.faults == [])
            let signer = try NoteSigner.generate(name: "example.com/audit", kind: .log)
            let (standby, keeper) = try Self.standby(database, signer, watch)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await keeper.run() }
                try await eventually("it tells of them") {
                    registry.exposition().contains("batuta_audit_unsigned_entries 7\n")
                }
                try await eventually("and for how long") { watch.unsigned().seconds > 0.2 }
                #expect(registry.exposition().contains("batuta_audit_unsigned_seconds 0."))
                _ = try await standby.sign(takingOver: true)
                try await eventually("they are signed") {
                    registry.exposition().contains("batuta_audit_unsigned_entries 0\n")
                }
                #expect(watch.unsigned().seconds == 0)
                group.cancelAll()
            }
        }
    }

    @Test("the active writer tells of all entries that are held, and one that was replaced of none", .requiresServers)
    func held() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let (first, second) = (LogWatch(), LogWatch())
            let old = LogAppender(database: database.client, watch: first, logger: ServiceDatabase.logger)
            _ = try await old.append([try Entries.message(4...6)])
            _ = try await old.append([try Entries.message(2...3, producer: "automation-engine/test/1")])
            #expect(first.held == 5)
            let signer = try NoteSigner.generate(name: "example.com/audit", kind: .log)
            let (new, keeper) = try Self.standby(database, signer, second)
            _ = try await new.append([try Entries.message(1...1, producer: "automation-engine/test/2")])
            #expect(second.held == 5, "It holds what the one before has held, of lanes that it never heard of.")
            let registry = PrometheusRegistry()
            second.observe(in: registry)
            #expect(registry.exposition().contains("batuta_audit_held_entries 5\n"))
            _ = try await new.append([try Entries.message(1...4)])
            #expect(second.held == 2)
            await old.forget()
            #expect(first.held == 0)
            // As the keeper does when it sees that the head was taken.
            _ = try await old.append([try Entries.message(1...1, producer: "automation-engine/test/1")])
            #expect(first.held == 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await keeper.run() }
                try await eventually("the one that was replaced tells of none") { second.held == 0 }
                group.cancelAll()
            }
            let rows = try await database.client.execute(PostgresStatement("SELECT count(*) FROM audit.early_entries"))
            #expect(try #require(rows.first).decode(0, as: Int64.self) == 0)
        }
    }

    private static func standby(
        _ database: ServiceDatabase,
        _ signer: NoteSigner,
        _ watch: LogWatch
    ) throws -> (LogAppender, CheckpointKeeper) {
        let authority = CheckpointAuthority(
            signers: [signer],
            journal: try CheckpointJournal(
                directory: Command.temporaryURL("checkpoints").path,
                origin: signer.name
            )
        )
        let unsigned = Alarm()
        let appender = LogAppender(
            database: database.client,
            authority: authority,
            unsigned: unsigned,
            watch: watch,
            logger: ServiceDatabase.logger
        )
        let keeper = CheckpointKeeper(
            appender: appender,
            authority: authority,
            database: database.client,
            unsigned: unsigned,
            schedule: CheckpointKeeper.Schedule(watch: .milliseconds(20), grace: .seconds(600)),
            watch: watch,
            logger: ServiceDatabase.logger
        )
        return (appender, keeper)
    }
}
