import AuditExport
import Checkpoints
import Contracts
import Domain
import Foundation
import MerkleLog
import Messaging
import Persistence
import TestSupport
import Testing

@testable import AuditWriterCore

/// A week that was sealed is gone, and what is left still verifies.
@Suite(.requiresServers, .timeLimit(.minutes(5)))
struct SealTests {
    @Test("the rest of the log is appended to, signed, exported and verified as before")
    func theRestVerifies() async throws {
        try await Self.withOldWeek { log in
            // 600 entries of the old week, among them one of now; then enough to fill their tiles.
            try await log.append(300, old: true)
            try await log.append(1, old: false)
            try await log.append(300, old: true)
            try await log.append(200, old: false)
            let before = try #require(try await log.appender().sign(takingOver: true))
            let (count, ranges) = try await log.seal()
            #expect(count == 600)
            #expect(ranges == "[[0, 299], [301, 600]]")
            // The week that takes its place is protected, and what was sealed is its owner's.
            let triggers = try await log.superuser.execute(
                PostgresStatement(
                    """
                    SELECT c.relname LIKE 'sealed%', count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                    WHERE c.relname LIKE '%entries_' || to_char(date_trunc('week', now() - interval '70 days'), 'YYYYMMDD')
                    GROUP BY 1
                    """
                )
            )
            #expect(triggers.count == 1)
            #expect(try #require(triggers.first).decode(0, as: Bool.self) == false)
            #expect(try #require(triggers.first).decode(1, as: Int64.self) == 2)
            try await log.append(10, old: false)
            try await log.leave("seal", after: #"{"ranges":\#(ranges.filter { $0 != " " })}"#)
            let signed = try #require(try await log.appender().sign(takingOver: true))
            let verdict = try await log.verified(signed, known: before)
            #expect(verdict.name == "good", "\(verdict)")
        }
    }

    @Test("a week whose entry is not in the export is missing")
    func withoutItsEntryItIsMissing() async throws {
        try await Self.withOldWeek { log in
            try await log.append(256, old: true)
            try await log.append(10, old: false)
            _ = try await log.appender().sign(takingOver: true)
            _ = try await log.seal()
            let signed = try #require(try await log.appender().sign(takingOver: true))
            let verdict = try await log.verified(signed)
            #expect(verdict.name == "incomplete" && verdict.fault?.place == "0", "\(verdict)")
        }
    }

    @Test("what is not in full tiles under a checkpoint, and what is young, is not sealed")
    func whatCannotBeSealed() async throws {
        try await Self.withOldWeek { log in
            try await log.append(256, old: true)
            await #expect(throws: PostgresError.self) { try await log.seal() }
            _ = try await log.appender().sign(takingOver: true)
            try await log.append(100, old: true)
            _ = try await log.appender().sign(takingOver: true)
            let error = await #expect(throws: PostgresError.self) { try await log.seal() }
            #expect(error?.message.contains("full tiles") == true)
            for week in ["date_trunc('week', now())::date", "'2001-01-01'::date", "NULL"] {
                let error = await #expect(throws: PostgresError.self) { try await log.seal(week) }
                #expect(error?.sqlState == "22023")
            }
            #expect(try await log.count() == 356)
            let refused = await #expect(throws: PostgresError.self) {
                try await log.database.client.execute(.simple("SELECT audit.seal_week('2001-01-01')"))
            }
            #expect(refused?.sqlState == "42501", "The service itself takes nothing out of the log.")
        }
    }

    /// A log with a partition of some weeks ago.
    private final class Log {
        let database: ServiceDatabase
        let superuser: PostgresClient
        let signer: NoteSigner
        private let folder = Command.temporaryURL("checkpoints").path
        private var writer: LogAppender?
        private var seq: Int64 = 0

        init(_ database: ServiceDatabase, _ superuser: PostgresClient) throws {
            self.database = database
            self.superuser = superuser
            signer = try NoteSigner.generate(name: "example.com/audit", kind: .log)
        }

        func appender() throws -> LogAppender {
            if let writer {
                return writer
            }
            let made = LogAppender(
                database: database.client,
                authority: CheckpointAuthority(
                    signers: [signer],
                    journal: try CheckpointJournal(directory: folder, origin: signer.name)
                ),
                logger: ServiceDatabase.logger
            )
            writer = made
            return made
        }

        func append(_ count: Int, old: Bool) async throws {
            let now = UUIDv7.milliseconds(of: UUIDv7.make()) ?? 0
            let milliseconds = old ? now - 70 * 86_400_000 : now
            for _ in 0..<count {
                seq += 1
                let id = UUIDv7.make(milliseconds: milliseconds, high: 0, low: UInt64(seq))
                try await append(Entries.canonical(seq: seq, tenant: "acme", id: id), tenant: "acme")
            }
        }

        func leave(_ action: String, after: String) async throws {
            seq += 1
            let draft = AuditDraft(
                id: UUIDv7.make(),
                time: .now(),
                tenant: "batuta",
                actor: AuditActor(type: .system, id: "batuta"),
                action: action,
                object: AuditObject(type: "partition", id: "week"),
                after: .canonical(Array(after.utf8))
            )
            try await append(draft.canonicalBytes(producer: Entries.producer, epoch: 1, seq: seq), tenant: "batuta")
        }

        private func append(_ line: [UInt8], tenant: String) async throws {
            let message = try EntryMessage(Entries.delivery([line], seq: seq, tenant: tenant))
            _ = try await appender().append([message])
        }

        func seal(
            _ week: String = "date_trunc('week', now() - interval '70 days')::date"
        ) async throws -> (Int64, String) {
            let rows = try await superuser.execute(
                PostgresStatement("SELECT entries, ranges FROM audit.seal_week(\(week))")
            )
            let row = try #require(rows.first)
            return (try row.decode(0), try row.decode(1))
        }

        func count() async throws -> Int64 {
            try #require(
                try await database.client.execute(PostgresStatement("SELECT count(*) FROM audit.entries")).first
            ).decode(0)
        }

        /// Exports the whole log as a checkpoint covers it, and verifies that.
        func verified(_ signed: SignedCheckpoint, known: SignedCheckpoint? = nil) async throws -> ExportVerdict {
            let path = Command.temporaryURL("export").path
            var writer = try ExportWriter(directory: path, checkpoint: signed.note.bytes)
            let rows = try await database.client.execute(
                PostgresStatement("SELECT leaf_index, canonical FROM audit.entries", isReadOnly: true)
            )
            var entries: [UInt64: [UInt8]] = [:]
            for row in rows { entries[UInt64(try row.decode(0, as: Int64.self))] = try row.decode(1) }
            let tiles = TileRepository(database: database.client)
            for index in 0..<signed.checkpoint.size {
                guard let entry = entries[index] else {
                    let tile = Tile(level: 0, index: index / 256, width: 256)
                    let hashes = try await tiles.tiles([tile], deadline: .now + .seconds(30))
                    try writer.append(nil, leaf: try #require(hashes[tile])[Int(index % 256)])
                    continue
                }
                try writer.append(entry, leaf: .leaf(entry))
            }
            _ = try writer.finish()
            let verifier = ExportVerifier(
                keys: try ExportKeys(log: [signer.verifierKey]),
                known: known.map { [$0.note.bytes] } ?? []
            )
            return try verifier.verify(path)
        }
    }

    private static func withOldWeek(_ body: (Log) async throws -> Void) async throws {
        try await ServiceDatabase.with(.audit) { database in
            try await database.executeAsSuperuser(
                """
                DO $$
                DECLARE
                    week timestamptz := date_trunc('week', now() - interval '70 days', 'UTC');
                    name text := 'entries_' || to_char(week AT TIME ZONE 'UTC', 'YYYYMMDD');
                BEGIN
                    EXECUTE format('CREATE TABLE audit.%I (LIKE audit.entries INCLUDING ALL)', name);
                    EXECUTE format('ALTER TABLE audit.entries ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)',
                        name, audit.uuid7_floor(week), audit.uuid7_floor(week + interval '7 days'));
                END $$
                """
            )
            var superuser = database.configuration
            superuser.sessionSettings["role"] = nil
            try await ServiceDatabase.withClient(superuser) { client in
                try await body(try Log(database, client))
            }
        }
    }
}
