import Foundation
import JSON
import NIOHTTP1
import Persistence
import TestSupport
import Testing

/// A whole system that loses its database and goes on from a backup.
@Suite(
    .serialized,
    .requiresServers,
    .installation("restore", [.gateway: 1, .engine: 1, .auditWriter: 1]),
    .timeLimit(.minutes(5))
)
struct RestoreTests {
    private static let signalType = "restore.a"

    private let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    @Test func goesOnFromABackup() async throws {
        let file = Command.temporaryURL("backup")
        defer { try? FileManager.default.removeItem(at: file) }
        try await installation.showingLogs {
            try await installation.automate("restore-a", on: Self.signalType, steps: 2)
            try await backUpUnderLoad(to: file)
            try await leaveTheFutureInTheBroker()

            try await installation.restore(from: file)
            try await forgetTheSignatures()
            let nameless = try await installation.batuta(["restored"], .database, .broker)
            #expect(nameless.status == 1)
            #expect(nameless.output.contains("Give the name of its key with --log"), "\(nameless.output)")
            #expect(nameless.output.contains("nothing was changed"))
            #expect(try await installation.broker.queueNames().contains("engine.signals"))
            let restored = try await installation.batuta(
                ["restored", "--log", TestKeys.logName, "--reason", "the disk was lost"],
                .database,
                .broker
            )
            #expect(restored.status == 0, "\(restored.output)")
            #expect(restored.output.contains("deleted the queue engine.signals"), "\(restored.output)")
            #expect(restored.output.contains("deleted the queue audit.writer"), "\(restored.output)")
            #expect(try await installation.broker.queueNames() == ["engine.actions"])
            let now = Int(Date().timeIntervalSince1970 * 1_000)
            for replica in installation.all { try await replica.start() }

            try await sendAgainWhatIsGone()
            try await Invariants(installation).hold()
            try await everyRuleHolds()
            // No lane since then has an epoch that one before may have had.
            let low = try await installation.count(
                "SELECT count(*) FROM gateway.lanes WHERE opened_at > now() - interval '1 hour' AND epoch > \(now - 600_000)"
            )
            #expect(low > 0)
            let entries = try await installation.texts(
                """
                SELECT convert_from(canonical, 'UTF8')::jsonb ->> 'reason' FROM audit.entries
                WHERE convert_from(canonical, 'UTF8')::jsonb ->> 'action' = 'restore'
                """
            )
            #expect(entries == ["the disk was lost"])
        }
    }

    /// Signals before, during and after the backup; and a command that refuses to work while services run.
    private func backUpUnderLoad(to file: URL) async throws {
        let load = SignalLoad(installation, prefix: "restore", types: [Self.signalType, "restore.none"], clients: 3)
        try await load.during { load in
            async let early = installation.batuta(["restored"], .database, .broker)
            try await load.acknowledges(20)
            try await installation.backUp(to: file)
            try await load.acknowledges(20)
            let refused = try await early
            #expect(refused.status == 1)
            #expect(refused.output.contains("stop every service first; nothing was changed"), "\(refused.output)")
        }
        try await Invariants(installation).rest()
        try await everyRuleHolds()
    }

    /// Stops everything with entries and signals in the queues that the backup knows nothing of.
    private func leaveTheFutureInTheBroker() async throws {
        try await installation.replica(.auditWriter).terminate()
        for number in 0..<5 {
            let receipt = try await installation.post(id: "late-\(number)", type: Self.signalType)
            try await eventually("the engine has processed it") {
                try await installation.count(
                    "SELECT count(*) FROM engine.inbox WHERE signal_id = '\(receipt.signalID.uuidString)'"
                )
            } until: {
                $0 == 1
            }
        }
        try await installation.replica(.engine).kill()
        for number in 0..<5 { try await installation.post(id: "later-\(number)", type: Self.signalType) }
        try await eventually("both queues hold something") {
            try await installation.broker.messageCounts()
        } until: {
            $0["engine.signals", default: 0] > 0 && $0["audit.writer", default: 0] > 0
        }
        try await installation.replica(.gateway).kill()
    }

    /// Makes the restored log one that was not signed yet: the journals of its writers know more than it does.
    private func forgetTheSignatures() async throws {
        try await installation.withSuperuser(of: installation.database) { owner in
            try await owner.executeScript(
                """
                SET session_replication_role = replica;
                DELETE FROM audit.checkpoints;
                UPDATE audit.head SET origin = NULL, signed_size = 0, signed_root = NULL
                """
            )
        }
    }

    /// What clients have to do: whatever was acknowledged after the backup is sent again, under the same ids.
    private func sendAgainWhatIsGone() async throws {
        let stored = Set(try await installation.texts("SELECT id FROM gateway.signals"))
        let acknowledged = installation.history.acknowledged
        let gone = acknowledged.keys.filter { !stored.contains($0) }
        #expect(!stored.isEmpty)
        #expect(gone.count > 10)
        installation.history.forget(gone)
        for id in gone.sorted() {
            #expect(try await !installation.post(id: id, type: Self.signalType).isDuplicate)
        }
        // One that the backup holds is known as it was, and starts nothing a second time.
        let kept = try #require(acknowledged.first { stored.contains($0.key) })
        let again = try await installation.client().send(
            .POST,
            "/api/signals",
            headers: SignalBody.structured,
            body: SignalBody.event(id: kept.key, type: try await type(of: kept.key), data: #"{"text":"ñ €","n":1}"#)
        )
        #expect(try JSONValue(parsing: again.body)["duplicate"]?.boolValue == true)
        #expect(try SignalBody.signalID(again) == kept.value)
    }

    private func type(of id: String) async throws -> String {
        try #require(try await installation.texts("SELECT type FROM gateway.signals WHERE id = '\(id)'").first)
    }

    /// `batuta check` has nothing to say.
    private func everyRuleHolds() async throws {
        let check = try await installation.batuta(["check", "--json"], .database)
        #expect(check.status == 0, "\(check.output)")
        let report = try JSONValue(parsing: Array(check.output.utf8))
        #expect(report["broken"]?.int64Value == 0, "\(check.output)")
        #expect((report["rules"]?.arrayValue ?? []).count > 20)
    }
}
