import Foundation
import Persistence
import TestSupport
import Testing

/// A database whose disk runs full under load, and is freed again.
@Suite(
    .serialized,
    .requiresPrivateServers,
    .requiresSmallDisk,
    .privateInstallation("disk", [.gateway: 1, .engine: 1, .auditWriter: 1], databaseDisk: 400),
    .timeLimit(.minutes(10))
)
struct FullDiskTests {
    private let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    @Test func signalsAreRefusedAndEverythingGoesOnAfterwards() async throws {
        try await installation.showingLogs {
            try await installation.automate("stored", on: "disk.*", steps: 2)
            try await installation.postBatches(200, of: 50, prefix: "before", type: "disk.before")
            let filler = installation.servers.directory + "/servers/postgres/filler"
            try fill(filler)
            try await eventually("a batch is refused for want of space", within: .seconds(60)) {
                try fill(filler)
                return try await installation.postBatch((0..<50).map { _ in UUID().uuidString }, type: "disk.full")
            } until: {
                !$0
            }
            for replica in installation.all { #expect(replica.isRunning, "\(replica.name)") }
            try FileManager.default.removeItem(atPath: filler)
            // After the log ran full, the server may have ended; a supervisor starts it again.
            try await installation.privateServers?.startPostgres()
            for id in installation.history.unknown.sorted() {
                while try await !installation.postBatch([id], type: "disk.full") {
                    try await Task.sleep(for: .milliseconds(100))
                }
            }
            try await installation.postBatches(200, of: 50, prefix: "after", type: "disk.after")
            try await Invariants(installation).hold()
            let halves = try await installation.count(
                """
                SELECT count(*) FROM gateway.signal_keys k FULL JOIN gateway.signals s USING (signal_id)
                WHERE k.signal_id IS NULL OR s.signal_id IS NULL
                """
            )
            #expect(halves == 0, "a signal's key and the signal are stored together")
            #expect(installation.history.unknown.isEmpty)
            #expect(try await installation.restartEnded() == [], "no service ends because the disk is full")
        }
    }

    /// Writes until the disk takes no more.
    private func fill(_ path: String) throws {
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? file.close() }
        try file.seekToEnd()
        for size in [1 << 20, 1 << 12] {
            let block = Data(count: size)
            while (try? file.write(contentsOf: block)) != nil {}
        }
    }
}
