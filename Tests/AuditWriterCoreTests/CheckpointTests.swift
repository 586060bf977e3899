import Checkpoints
import Contracts
import FoundationEssentials
import MerkleLog
import Messaging
import Persistence
import ServiceBase
import TestSupport
import Testing

@testable import AuditWriterCore

/// The log is signed, never against what was signed before.
@Suite(.requiresServers, .timeLimit(.minutes(5)))
struct CheckpointTests {
    private let signer: NoteSigner

    init() throws {
        signer = try NoteSigner.generate(name: "example.com/audit", kind: .log)
    }

    @Test("a checkpoint is of every entry, is signed by the log, and stands in database and journal")
    func theLogIsSigned() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let replica = try Replica(database, signer)
            let messages = [try Entries.message(1...300), try Entries.message(301...700)]
            var sizes: [UInt64] = []
            for message in messages {
                _ = try await replica.appender.append([message])
                let signed = try #require(try await replica.appender.sign())
                sizes.append(signed.checkpoint.size)
                #expect(replica.authority.journal.newest == signed)
                let by = try signed.note.verified(by: [signer.verifierKey, signer.cosigner.verifierKey])
                #expect(by.count == 2)
                #expect(by.contains { $0.time != nil })
            }
            #expect(sizes == [300, 700])
            let leaves = messages.flatMap(\.entries).map { MerkleHash.leaf($0.canonical) }
            let stored = try await stored(database)
            #expect(stored.map(\.checkpoint.root) == [LogChecks.root(Array(leaves[..<300])), LogChecks.root(leaves)])
            try await LogChecks.check(database.client, expected: LogChecks.expected(messages))
        }
    }

    @Test("an empty log is not signed; one that does not grow is signed again with the same root")
    func idleLogs() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let replica = try Replica(database, signer)
            #expect(try await replica.appender.sign(takingOver: true) == nil)
            _ = try await replica.appender.append([try Entries.message(1...5)])
            let first = try #require(try await replica.appender.sign())
            let second = try #require(try await replica.appender.sign())
            #expect(first.checkpoint == second.checkpoint)
            #expect(try await stored(database).count == 2)
        }
    }

    @Test("a writer whose head was taken signs nothing, and the one that has taken it goes on")
    func aReplacedWriterSignsNothing() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let (old, new) = (try Replica(database, signer), try Replica(database, signer))
            _ = try await old.appender.append([try Entries.message(1...5)])
            _ = try await new.appender.append([try Entries.message(6...9)])
            #expect(try await old.appender.sign() == nil)
            #expect(old.authority.journal.newest == nil, "Nothing is signed but under the head's lock.")
            #expect(try await new.appender.sign()?.checkpoint.size == 9)
        }
    }

    @Test("two replicas that sign and append at once never sign two roots of one size")
    func twoSigners() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let replicas = [try Replica(database, signer), try Replica(database, signer)]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, replica) in replicas.enumerated() {
                    group.addTask {
                        for seq in stride(from: Int64(1), to: 400, by: 8) {
                            let message = try Entries.message(
                                seq...seq + 7,
                                producer: "automation-engine/test/\(number)"
                            )
                            try await eventually("a batch is appended", every: .milliseconds(1)) {
                                do {
                                    _ = try await replica.appender.append([message])
                                    _ = try await replica.appender.sign()
                                    return true
                                } catch  where LogIntake.classify(error) == .retry {
                                    return false
                                }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            _ = try await replicas[0].appender.sign(takingOver: true)
            let leaves = try await leaves(database)
            var last: UInt64 = 0
            for signed in try await stored(database) {
                #expect(signed.checkpoint.size >= last)
                last = signed.checkpoint.size
                #expect(signed.checkpoint.root == LogChecks.root(Array(leaves[..<Int(last)])))
            }
            #expect(last == 800)
        }
    }

    @Test("a database that was restored to an earlier state is neither appended to nor signed")
    func anEarlierStateIsRefused() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let folder = Command.temporaryURL("checkpoints").path
            do {
                let replica = try Replica(database, signer, folder: folder)
                for first in stride(from: Int64(1), to: 600, by: 100) {
                    _ = try await replica.appender.append([try Entries.message(first...first + 99)])
                }
                _ = try await replica.appender.sign()
            }
            try await restore(database, to: 300)
            let replica = try Replica(database, signer, folder: folder)
            for _ in 0..<2 {
                let error = await #expect(throws: AuditWriterError.self) {
                    try await replica.appender.append([try Entries.message(301...310)])
                }
                #expect(error?.code == .restoredLog)
                #expect(error?.message.contains("600 entries") == true)
                await #expect(throws: AuditWriterError.self) { try await replica.appender.sign(takingOver: true) }
            }
            #expect(try await leaves(database).count == 300)
            #expect(try await stored(database).isEmpty)
        }
    }

    @Test("a database that was restored and written to since is refused, however many entries it has")
    func anotherHistoryIsRefused() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let folder = Command.temporaryURL("checkpoints").path
            do {
                let replica = try Replica(database, signer, folder: folder)
                _ = try await replica.appender.append([try Entries.message(1...300)])
                _ = try await replica.appender.append([try Entries.message(301...600)])
                _ = try await replica.appender.sign()
            }
            try await restore(database, to: 300)
            // A writer that knows nothing of what was signed.
            let stranger = try Replica(database, signer)
            _ = try await stranger.appender.append([try Entries.message(301...900)])
            let replica = try Replica(database, signer, folder: folder)
            let error = await #expect(throws: AuditWriterError.self) {
                try await replica.appender.append([try Entries.message(901...910)])
            }
            #expect(error?.code == .forkedLog)
            #expect(try await leaves(database).count == 900)
        }
    }

    @Test("the log of another name, and another log's checkpoints, are refused")
    func foreignLogsAreRefused() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let replica = try Replica(database, signer)
            _ = try await replica.appender.append([try Entries.message(1...5)])
            _ = try await replica.appender.sign()
            let other = try Replica(database, try NoteSigner.generate(name: "example.com/other", kind: .log))
            let error = await #expect(throws: AuditWriterError.self) {
                try await other.appender.append([try Entries.message(6...7)])
            }
            #expect(error?.code == .foreignLog)
        }
    }

    @Test("another key of the same name signs nothing; beside the one before it does, and then alone")
    func keysAreReplacedOneByOne() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let next = try NoteSigner.generate(name: signer.name, kind: .log)
            let first = try Replica(database, signer)
            _ = try await first.appender.append([try Entries.message(1...5)])
            _ = try await first.appender.sign()
            let stranger = try Replica(database, next)
            let error = await #expect(throws: AuditWriterError.self) {
                try await stranger.appender.append([try Entries.message(6...7)])
            }
            #expect(error?.code == .foreignLog)
            await #expect(throws: AuditWriterError.self) { try await stranger.appender.sign(takingOver: true) }
            let both = try Replica(database, next, signer)
            _ = try await both.appender.append([try Entries.message(6...7)])
            let signed = try #require(try await both.appender.sign())
            #expect(try signed.note.verified(by: [signer.verifierKey, next.verifierKey]).count == 2)
            let alone = try Replica(database, next)
            _ = try await alone.appender.append([try Entries.message(8...9)])
            let last = try #require(try await alone.appender.sign())
            #expect(
                try last.note.verified(by: [signer.verifierKey, next.verifierKey]).map(\.key) == [next.verifierKey]
            )
        }
    }

    @Test("tiles that a release before has left out are made up for when the head is taken")
    func missingTilesAreMadeUpFor() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let messages = try stride(from: Int64(1), to: 3_000, by: 500).map { try Entries.message($0...$0 + 499) }
            for message in messages {
                _ = try await Replica(database, signer).appender.append([message])
            }
            try await database.executeAsSuperuser(
                """
                ALTER TABLE audit.tiles DISABLE TRIGGER ALL;
                DELETE FROM audit.tiles WHERE tile_index >= 5;
                ALTER TABLE audit.tiles ENABLE TRIGGER ALL
                """
            )
            _ = try await Replica(database, signer).appender.append([try Entries.message(3_001...3_001)])
            let all = messages + [try Entries.message(3_001...3_001)]
            #expect(try await leaves(database).count == LogChecks.expected(all).values.reduce(0) { $0 + $1.count })
            try await LogChecks.checkTree(database.client, leaves: try await leaves(database))
        }
    }

    @Test(
        "the writer's role can change nothing that was appended or signed",
        arguments: [
            "UPDATE audit.entries SET tenant = 'x'", "DELETE FROM audit.entries", "TRUNCATE audit.entries",
            "UPDATE audit.tiles SET root = root", "DELETE FROM audit.tiles", "TRUNCATE audit.tiles",
            "UPDATE audit.checkpoints SET size = 1", "DELETE FROM audit.checkpoints", "TRUNCATE audit.checkpoints",
            "DELETE FROM audit.head", "UPDATE audit.head SET size = size - 1", "UPDATE audit.head SET fence = 0",
            "UPDATE audit.head SET signed_size = 1", "UPDATE audit.head SET signed_root = sha256('x')",
            "UPDATE audit.head SET origin = 'x', signed_size = 0, signed_root = NULL",
            """
            INSERT INTO audit.checkpoints (origin, size, signed_at, root, note)
            SELECT origin, size, now(), sha256('x'), note FROM audit.checkpoints
            """,
            "UPDATE audit.cosignatures SET line = ''",
            "DROP TABLE audit.tiles", "ALTER TABLE audit.tiles DISABLE TRIGGER ALL",
        ]
    )
    func grants(statement: String) async throws {
        try await ServiceDatabase.with(.audit) { database in
            let replica = try Replica(database, signer)
            _ = try await replica.appender.append([try Entries.message(1...300)])
            _ = try await replica.appender.sign()
            let error = await #expect(throws: PostgresError.self) {
                try await database.client.execute(.simple(statement))
            }
            #expect(error?.sqlState == "42501", "\(String(describing: error))")
        }
    }

    @Test(
        "while the disk of the journal is full entries are appended and nothing is signed; afterwards it goes on",
        .requiresSmallDisk
    )
    func aFullDisk() async throws {
        try await ServiceDatabase.with(.audit) { database in
            try await SmallDisk.with { folder in
                let replica = try Replica(database, signer, folder: folder)
                _ = try await replica.appender.append([try Entries.message(1...3)])
                let first = try #require(try await replica.appender.sign())
                // The last page of the journal's file has room for some more.
                let filler = try SmallDisk.fill(folder)
                var error: (any Error)?
                var signed: [UInt64] = [3]
                while error == nil {
                    _ = try await replica.appender.append([
                        try Entries.message(Int64(signed.count) * 3 + 1...Int64(signed.count) * 3 + 3)
                    ])
                    do {
                        signed += [try #require(try await replica.appender.sign(takingOver: true)).checkpoint.size]
                    } catch let failure {
                        error = failure
                    }
                }
                #expect((error as? CheckpointError)?.code == .journal)
                #expect(
                    try await stored(database).map(\.checkpoint.size) == signed,
                    "What is not durable does not leave."
                )
                #expect(first.checkpoint.size == 3)
                let size = try await leaves(database).count
                #expect(size == signed.count * 3 + 3, "Entries are appended all the same.")
                try FileManager.default.removeItem(atPath: filler)
                #expect(try await replica.appender.sign(takingOver: true)?.checkpoint.size == UInt64(size))
            }
        }
    }

    // MARK: - Keeping

    @Test("a replica that only watches keeps what the other has signed, and signs when that one has gone")
    func standingBy() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let (active, standby) = (try Replica(database, signer), try Replica(database, signer))
            let schedule = CheckpointKeeper.Schedule(
                interval: .milliseconds(10),
                idle: .seconds(600),
                watch: .milliseconds(20),
                grace: .milliseconds(200)
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await standby.keeper(schedule).run() }
                _ = try await active.appender.append([try Entries.message(1...300)])
                let signed = try #require(try await active.appender.sign())
                try await eventually("the standby keeps the checkpoint") {
                    standby.authority.journal.newest == signed
                }
                // Appended, and its writer gone.
                _ = try await active.appender.append([try Entries.message(301...310)])
                try await eventually("the standby signs what nobody signs") {
                    standby.authority.journal.newest?.checkpoint.size == 310
                }
                group.cancelAll()
            }
            #expect(try await active.appender.sign() == nil, "The standby has the head now.")
        }
    }

    @Test("a checkpoint that is in the journal only, since its commit has failed, keeps nobody from signing")
    func theJournalMayBeAhead() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let folder = Command.temporaryURL("checkpoints").path
            var replica: Replica? = try Replica(database, signer, folder: folder)
            _ = try await replica?.appender.append([try Entries.message(1...90)])
            let first = try #require(try await replica?.appender.sign())
            _ = try await replica?.appender.append([try Entries.message(91...100)])
            let second = try #require(try await replica?.appender.sign())
            replica = nil
            try await database.executeAsSuperuser(
                """
                SET session_replication_role = replica;
                DELETE FROM audit.checkpoints WHERE size = 100;
                UPDATE audit.head SET signed_size = 90, signed_root = (SELECT root FROM audit.checkpoints)
                """
            )
            #expect(first.checkpoint.size == 90 && second.checkpoint.size == 100)
            let again = try await eventually("the journal is free") {
                try Replica(database, signer, folder: folder)
            } until: { _ in
                true
            }
            let keeper = again.keeper(
                CheckpointKeeper.Schedule(watch: .milliseconds(20), grace: .milliseconds(100))
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await keeper.run() }
                try await eventually("the entries are signed again") {
                    try await stored(database).last?.checkpoint == second.checkpoint
                }
                #expect(await keeper.problem == nil)
                group.cancelAll()
            }
        }
    }

    @Test("a replica that watches notices that the database was restored, and says so in its health")
    func aWatcherNoticesARestore() async throws {
        try await ServiceDatabase.with(.audit) { database in
            let (active, standby) = (try Replica(database, signer), try Replica(database, signer))
            for first in [Int64(1), 101] {
                _ = try await active.appender.append([try Entries.message(first...first + 99)])
            }
            let keeper = standby.keeper(CheckpointKeeper.Schedule(watch: .milliseconds(20), grace: .seconds(600)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await keeper.run() }
                let signed = try #require(try await active.appender.sign())
                try await eventually("the standby keeps the checkpoint") {
                    standby.authority.journal.newest == signed
                }
                #expect(await keeper.problem == nil)
                try await restore(database, to: 100)
                try await eventually("the standby says what is wrong") {
                    await keeper.problem?.contains("restored to an earlier state") ?? false
                }
                group.cancelAll()
            }
        }
    }

    // MARK: - Making work

    /// One writer with a journal of its own.
    private struct Replica: Sendable {
        let authority: CheckpointAuthority
        let appender: LogAppender
        let unsigned = Alarm()
        let database: PostgresClient

        init(_ database: ServiceDatabase, _ signers: NoteSigner..., folder: String? = nil) throws {
            authority = CheckpointAuthority(
                signers: signers,
                journal: try CheckpointJournal(
                    directory: folder ?? Command.temporaryURL("checkpoints").path,
                    origin: signers[0].name
                )
            )
            self.database = database.client
            appender = LogAppender(
                database: database.client,
                authority: authority,
                unsigned: unsigned,
                logger: ServiceDatabase.logger,
                timeout: .seconds(120)
            )
        }

        func keeper(_ schedule: CheckpointKeeper.Schedule) -> CheckpointKeeper {
            CheckpointKeeper(
                appender: appender,
                authority: authority,
                database: database,
                unsigned: unsigned,
                schedule: schedule,
                logger: ServiceDatabase.logger
            )
        }
    }

    /// Brings the tables to the state that they had when the log had so many entries, a whole number of messages.
    private func restore(_ database: ServiceDatabase, to size: Int) async throws {
        try await database.executeAsSuperuser(
            """
            SET session_replication_role = replica;
            DELETE FROM audit.entries WHERE leaf_index >= \(size);
            DELETE FROM audit.segments WHERE first_index >= \(size);
            DELETE FROM audit.tiles WHERE (tile_index + 1) * (256 ^ (level + 1)) > \(size);
            DELETE FROM audit.checkpoints WHERE size > \(size);
            UPDATE audit.head SET size = \(size), signed_size = 0, signed_root = NULL
            """
        )
    }

    private func stored(_ database: ServiceDatabase) async throws -> [SignedCheckpoint] {
        try await database.client.execute(
            PostgresStatement("SELECT note FROM audit.checkpoints ORDER BY signed_at", isReadOnly: true)
        ).map { try CheckpointRepository.read(try $0.decode(0)) }
    }

    private func leaves(_ database: ServiceDatabase) async throws -> [MerkleHash] {
        try await database.client.execute(
            PostgresStatement("SELECT canonical FROM audit.entries ORDER BY leaf_index", isReadOnly: true)
        ).map { MerkleHash.leaf(try $0.decode(0, as: [UInt8].self)) }
    }
}
