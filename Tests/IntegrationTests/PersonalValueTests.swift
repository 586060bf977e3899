import Foundation
import JSON
import Persistence
import TestSupport
import Testing

/// What is declared personal, from the decision of a person to its erasure, with real processes.
@Suite(
    .serialized,
    .requiresServers,
    .installation("personal", [.gateway: 1, .engine: 1, .auditWriter: 2]),
    .timeLimit(.minutes(5))
)
struct PersonalValueTests: SystemTests {
    let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    @Test(
        "what is declared personal stands by its hash alone, and once it is erased nothing holds it or brings it back"
    )
    func erasure() async throws {
        try await installation.showingLogs {
            let name = Self.unique("ada-lovelace")
            let run = try await approve(name)
            let entry = try await eventually("the approval is in the log") {
                try await installation.texts(Self.entry(of: run))
            } until: {
                $0.count == 1
            }[0]
            #expect(!entry.contains(name))
            let decision = try JSONValue(parsing: Array(entry.utf8))["after"]?["decision"]
            let hashes = try ["comment", "form"].map { member in
                try #require(decision?[member]?["$kept"]?["sha256"]?.stringValue, "\(entry)")
            }
            try await eventually("both values are kept") {
                try await installation.count("SELECT count(*) FROM audit.kept_bodies WHERE body LIKE '%\(name)%'") == 2
            }
            try await eventually("they have left the outbox", within: .seconds(60)) {
                try await installation.count(Self.copies(of: name, besides: "audit.kept_bodies")) == 0
            }
            var commands: [String] = []
            for hash in hashes {
                commands.append(try await command(of: hash))
                let erased = try await erase(hash)
                #expect(erased.status == 200, "\(erased.text)")
                #expect(try JSONValue(parsing: erased.body)["erased"] == true)
                #expect(try await erase(hash).status == 404)
            }
            #expect(try await installation.count(Self.copies(of: name)) == 0)

            try await resend(commands)
            #expect(try await installation.count(Self.copies(of: name)) == 0)
            #expect(try await installation.count("SELECT count(*) FROM audit.kept_bodies WHERE erased_at IS NULL") == 0)
            #expect(try await installation.count("SELECT count(*) FROM audit.dead_letters") == 0)
            let item = try await installation.read("/api/audit/objects/run/\(run)")["items"]?.arrayValue?
                .first { $0["action"] == "run.approve" }
            #expect(item?["erased"] == true)
            try await expectGood()
        }
    }

    /// A person approves a run with a comment and a form that name somebody; answers the run.
    private func approve(_ name: String) async throws -> String {
        let key = Self.unique("personal")
        try await automate(
            key,
            on: key,
            steps: """
                {"name":"ask","action_key":"flow.approval","input":{"title":"Go?","allow_requester":true,
                 "form":{"type":"object","properties":{"who":{"type":"string","x-personal":true}}}}}
                """
        )
        let receipt = try await installation.post(id: key, type: key)
        let waiting = try await run(of: receipt.signalID, "waiting")
        let id = try #require(waiting["run_id"]?.stringValue)
        let approved = try await installation.client().post(
            "/api/runs/\(id)/steps/ask/approve",
            json: #"{"form":{"who":"\#(name)"},"comment":"Ask \#(name)"}"#
        )
        #expect(approved.status == 200, "\(approved.text)")
        let ended = try await run(of: receipt.signalID, "succeeded")
        // The run itself has them as long as it is kept.
        #expect(ended["steps"]?[0]?["output"]?["form"]?["who"]?.stringValue == name)
        return id
    }

    /// Erases a value by its hash in base64.
    private func erase(_ hash: String) async throws -> HTTPTestClient.Response {
        let bytes = try #require(Data(base64Encoded: hash))
        let digits = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        return try await installation.client().post(
            "/admin/api/audit/kept/\(digits)/erase",
            json: #"{"reason":"asked for"}"#
        )
    }

    // MARK: - The database

    /// The body of a command `audit.keep`, as the outbox had it.
    private func command(of hash: String) async throws -> String {
        try #require(
            try await installation.texts(
                """
                SELECT json_build_object('body', body, 'body_hash', encode(body_hash, 'base64'),
                                         'salt', encode(salt, 'base64'))::text
                FROM audit.kept_bodies WHERE body_hash = decode('\(hash)', 'base64')
                """
            ).first
        )
    }

    /// Lets the engine send commands again that the audit-writer has forgotten, as after a loss.
    private func resend(_ commands: [String]) async throws {
        let engine = try installation.replica(.engine)
        try await engine.terminate()
        let sent = "message_type = 'batuta.audit.keep'"
        let ids = try await installation.texts(
            "SELECT message_id::text FROM engine.outbox WHERE \(sent) ORDER BY message_id"
        )
        try #require(ids.count == commands.count)
        for (id, body) in zip(ids, commands) {
            try await execute(
                "UPDATE engine.outbox SET body = convert_to('\(body)', 'UTF8') WHERE message_id = '\(id)'"
            )
        }
        try await execute(
            """
            UPDATE engine.lanes l SET commands_cleared = o.seq - 1, commands_verified = o.seq - 1, commands_confirmed = o.seq - 1
            FROM (SELECT epoch, min(first_seq) AS seq FROM engine.outbox WHERE \(sent) GROUP BY epoch) AS o
            WHERE l.epoch = o.epoch
            """
        )
        let inbox = "audit.inbox WHERE command_id IN (SELECT message_id FROM engine.outbox WHERE \(sent))"
        try await execute("DELETE FROM \(inbox)")
        try await engine.start()
        try await eventually("the commands are carried out once more", within: .seconds(60)) {
            try await installation.count("SELECT count(*) FROM \(inbox)") == commands.count
        }
        try await eventually("they have left the outbox once more", within: .seconds(60)) {
            try await installation.count("SELECT count(*) FROM engine.outbox WHERE \(sent) AND body <> ''") == 0
        }
    }

    private func execute(_ statement: String) async throws {
        _ = try await installation.sql.execute(.simple(statement))
    }

    private static func entry(of run: String) -> String {
        """
        SELECT convert_from(canonical, 'UTF8') FROM audit.entries
        WHERE object_id = '\(run)' AND action = 'run.approve'
        """
    }

    /// Counts what holds a word of all that is on its way to the log, in it or beside it.
    private static func copies(of word: String, besides left: String = "") -> String {
        let services = ["gateway", "engine", "audit"]
        let columns =
            ["audit.kept_bodies convert_to(body,'UTF8')", "audit.entries canonical", "audit.early_entries canonical"]
            + services.flatMap { schema in
                [
                    "\(schema).outbox body", "\(schema).dead_letters body",
                    "\(schema).dead_letters convert_to(reason,'UTF8')", "\(schema).requests convert_to(answer,'UTF8')",
                ]
            }
        let counts = columns.compactMap { column in
            let parts = column.split(separator: " ")
            return parts[0] == left
                ? nil : "SELECT count(*) AS n FROM \(parts[0]) WHERE position('\(word)'::bytea IN \(parts[1])) > 0"
        }
        return "SELECT sum(n)::bigint FROM (\(counts.joined(separator: " UNION ALL "))) AS counts"
    }

    // MARK: - The log

    /// The whole log verifies, by an export of it.
    private func expectGood() async throws {
        let size = try await installation.count("SELECT size FROM audit.head")
        try await eventually("everything is signed") {
            try await installation.count("SELECT signed_size FROM audit.head") >= size
        }
        // What is on its way just then would be missing from one export, and be in the next.
        let verified = try await eventually("an export is whole") {
            let folder = Command.temporaryURL("export").path
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let exported = try await installation.batuta(["audit", "export", "--whole", "--output", folder], .database)
            try #require(exported.status == 0, "\(exported.output)")
            return try await installation.batuta([
                "audit", "verify", folder, "--key", try TestKeys.logVerifierKey(), "--format", "json",
            ])
        } until: {
            $0.status != 3
        }
        #expect(verified.status == 0, "\(verified.output)")
    }
}
