import Foundation
import JSON
import TestSupport
import Testing

/// The log under faults: whatever dies, it has no double entry, no gap and no fork, and two verifiers find it good.
@Suite(
    "The audit log under faults",
    .serialized,
    .requiresServers,
    .installation("auditlog", [.gateway: 1, .engine: 1, .auditWriter: 2]),
    .timeLimit(.minutes(10))
)
struct AuditLogFaultTests {
    private let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    @Test(
        "A writer is killed at every step of appending and signing",
        arguments: [
            "after_delivery_before_commit:2", "in_audit_append:1", "in_audit_append:3", "after_commit_before_ack:2",
            "before_checkpoint_is_kept:1", "before_checkpoint_is_kept:3", "after_checkpoint_is_kept:1",
            "after_checkpoint_is_kept:2",
        ]
    )
    func dies(at crash: String) async throws {
        try await installation.showingLogs {
            let word = crash.filter { $0.isLetter || $0.isNumber }
            let type = "crash.\(word)"
            try await installation.automate(word, on: type, steps: 1)
            // One alone appends and signs: the one that is to die.
            let replicas = installation.replicas(of: .auditWriter)
            for replica in replicas { try await replica.terminate() }
            try await replicas[0].start(crashingAt: crash)
            var round = 0
            while replicas[0].isRunning && round < 300 {
                try await installation.postBatches(20, of: 10, prefix: "\(crash)-\(round)", type: type)
                round += 1
            }
            try await replicas[0].waitForCrash()
            try await installation.restartEnded()
            try await Invariants(installation).hold()
            try await expectGood()
        }
    }

    @Test("Both writers are killed again and again while they append and sign")
    func isKilledAtAnyMoment() async throws {
        try await installation.showingLogs {
            try await installation.automate("killed", on: "killed.*", steps: 1)
            for round in 0..<6 {
                let replica = try installation.replica(.auditWriter, round % 2)
                let size = try await installation.count("SELECT size FROM audit.head")
                async let posted: Void = installation.postBatches(
                    250,
                    of: 10,
                    prefix: "killed-\(round)",
                    type: "killed.x"
                )
                try await eventually("the log grows") {
                    try await installation.count("SELECT size FROM audit.head") > size + 100
                }
                try await replica.kill()
                try await posted
                try await installation.restartEnded()
            }
            // As long as a dead writer's lease runs, nobody closes its lane.
            try await eventually("the leases of the dead have run out", within: .seconds(60)) {
                try await installation.count("SELECT count(*) FROM audit.instances WHERE lease_until > now()")
            } until: {
                $0 == 2
            }
            try await Invariants(installation).hold()
            try await expectGood()
        }
    }

    // MARK: - Verifying

    /// The whole log is exported and good, as are all checkpoints that any replica has ever kept.
    private func expectGood() async throws {
        let size = try await installation.count("SELECT size FROM audit.head")
        try await eventually("everything is signed") {
            try await installation.count("SELECT signed_size FROM audit.head") >= size
        }
        // Before the export: the log goes on, and is signed, while that is made.
        let notes = try journals()
        let folder = Command.temporaryURL("export").path
        let exported = try await installation.batuta(["audit", "export", "--whole", "--output", folder], .database)
        try #require(exported.status == 0, "\(exported.output)")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let known = try notes.enumerated().map { number, note in
            let path = Command.temporaryURL("known-\(number)").path
            try note.write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }
        #expect(!known.isEmpty)
        defer { for path in known { try? FileManager.default.removeItem(atPath: path) } }
        var arguments = [folder, "--key", try TestKeys.logVerifierKey(), "--format", "json"]
        for path in known { arguments += ["--known", path] }
        let ours = try await installation.batuta(["audit", "verify"] + arguments)
        #expect(ours.status == 0, "\(ours.output)")
        let script = BuildFolder.repository.appending(path: "Tests/AuditVerifier/verify_export.py").path
        let theirs = try await Command.run("/usr/bin/env", ["python3", script] + arguments)
        #expect(theirs.status == 0 && theirs.output == ours.output, "\(theirs.output) \(ours.output)")
    }

    /// Every checkpoint in the journals of the replicas.
    private func journals() throws -> [String] {
        var notes: [String] = []
        for replica in installation.replicas(of: .auditWriter) {
            let folder = try #require(replica.environment["BATUTA_AUDIT_STATE_DIR"])
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasSuffix(".checkpoints")
            {
                for line in try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8).split(separator: "\n") {
                    notes.append(try #require(try JSONDocument(parsing: String(line)).root["note"]?.stringValue))
                }
            }
        }
        return notes
    }
}
