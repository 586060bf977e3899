import AuditExport
import Foundation
import JSON
import MerkleLog
import Persistence
import TestSupport
import Testing

/// What `batuta audit` reads of a log that grows, as processes against real services.
@Suite(
    .serialized,
    .requiresServers,
    .installation("reading", [.gateway: 1, .engine: 1, .auditWriter: 1]),
    .timeLimit(.minutes(5))
)
struct AuditReadingTests {
    private let installation: Installation
    private let folder = Command.temporaryURL("reading")

    init() throws {
        installation = try Installation.required()
    }

    /// `batuta audit …` as somebody with a token.
    private func audit(_ arguments: [String], token: String? = nil) async throws -> Command.Result {
        try await Command.run(
            try BuildFolder.executable("batuta"),
            ["audit"] + arguments
                + ["--url", try installation.client().base, "--token", token ?? installation.token]
        )
    }

    private func verify(_ path: String) async throws -> Command.Result {
        try await Command.run(
            try BuildFolder.executable("batuta"),
            ["audit", "verify", path, "--key", try TestKeys.logVerifierKey(), "--format", "json"]
        )
    }

    private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    private func withFolder(_ body: () async throws -> Void) async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await installation.showingLogs(body)
    }

    /// Has so many runs end, and waits until what they leave is signed.
    private func leave(_ count: Int, of type: String) async throws {
        try await installation.automate(type.replacing(".", with: "-"), on: type)
        for number in 1...count {
            try await installation.post(id: "\(type)-\(number)", type: type)
        }
        try await eventually("\(count) runs are in the log, and signed", within: .seconds(60)) {
            try await installation.count(
                """
                SELECT count(*) FROM audit.entries, audit.head
                WHERE action = 'run.end' AND leaf_index < signed_size
                  AND convert_from(canonical, 'UTF8')::json -> 'after' ->> 'automation_key'
                      = '\(type.replacing(".", with: "-"))'
                """
            )
        } until: {
            $0 == count
        }
    }

    @Test("entries with proofs are written to a file that verifies, and a changed character shows")
    func proofs() async throws {
        try await withFolder {
            try await leave(210, of: "reading.proofs")
            let file = path("runs.jsonl")
            let made = try await audit(["export", "--proofs", file, "--action", "run.end"])
            #expect(made.status == 0, "\(made.output)")
            #expect(made.output.contains("\(file): 210 entries of a log of "), "\(made.output)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["runs.jsonl"])
            #expect(try await verify(file).output == #"{"verdict":"good"}"# + "\n")
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(text.split(separator: "\n").count == 211, "It takes two pages, and has one checkpoint.")

            let changed = text.replacing(#"\"seq\":"#, with: #"\"seq\":1"#, maxReplacements: 1)
            try changed.write(toFile: path("changed.jsonl"), atomically: true, encoding: .utf8)
            let bad = try await verify(path("changed.jsonl"))
            #expect(bad.status == 1)
            #expect(bad.output.contains(#""fault":"entry""#), "\(bad.output)")

            let again = try await audit(["export", "--proofs", file, "--action", "create"])
            #expect(again.status == 1 && again.output.contains("exists already"), "\(again.output)")
            #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
            let refused = try await audit(["export", "--proofs", path("none.jsonl"), "--from", "yesterday"])
            #expect(refused.status == 1 && refused.output.contains("from"), "\(refused.output)")
            let object = try await audit(["export", "--proofs", path("one.jsonl"), "--object-type", "token"])
            #expect(object.status == 0, "\(object.output)")
            #expect(try await verify(path("one.jsonl")).status == 0)
            let names = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
            #expect(names == ["runs.jsonl", "changed.jsonl", "one.jsonl"], "Nothing is left of what was refused.")
        }
    }

    @Test("each page of entries with proofs is itself a file that verifies, and leaves an entry")
    func pages() async throws {
        try await withFolder {
            try await leave(3, of: "reading.pages")
            let client = try installation.client()
            let page = try await client.get("/api/audit/proofs?action=run.end&limit=2")
            let headers = String(describing: page.headers)
            #expect(page.status == 200 && headers.contains("application/jsonl") && headers.contains("cursor="))
            try Data(page.body).write(to: URL(fileURLWithPath: path("page.jsonl")))
            #expect(try await verify(path("page.jsonl")).status == 0)
            let size = try #require(
                try JSONDocument(parsing: Array(page.body.prefix { $0 != UInt8(ascii: "\n") })).root["checkpoint"]?
                    .stringValue?.split(separator: "\n")[1]
            )
            try await eventually("the query is in the log") {
                try await installation.count(
                    """
                    SELECT count(*) FROM audit.entries WHERE action = 'audit.query'
                      AND convert_from(canonical, 'UTF8')::jsonb -> 'after' = '{"action":"run.end","size":\(size)}'
                    """
                ) == 1
            }
            #expect(try await client.get("/api/audit/proofs?cursor=x").status == 400)
        }
    }

    @Test("a tenant's token exports the tenant's entries with a signed word of how many they are")
    func tenantExport() async throws {
        try await withFolder {
            let token = try await installation.addTenant("foreign")
            let foreign = try installation.client(token: token)
            let made = try await foreign.post("/admin/api/tokens", json: #"{"name":"reader","role":"auditor"}"#)
            let auditor = try #require(try JSONValue(parsing: made.body)["token"]?.stringValue, "\(made.text)")
            try await leave(1, of: "reading.export")
            try await eventually("the other tenant's entry is signed") {
                try await installation.count(
                    "SELECT count(*) FROM audit.entries, audit.head WHERE tenant = 'foreign' AND leaf_index < signed_size"
                )
            } until: {
                $0 > 0
            }
            let exported = try await audit(["export", "--output", path("export")], token: auditor)
            #expect(exported.status == 0, "\(exported.output)")
            let good = try await verify(path("export"))
            #expect(good.output == #"{"verdict":"good"}"# + "\n")
            let scope = try String(contentsOfFile: path("export/scope"), encoding: .utf8)
            #expect(scope.contains("\ntenant foreign\nentries 1\n"), "\(scope)")
            let other = try #require(
                try await installation.texts("SELECT object_id FROM audit.entries WHERE action = 'run.end' LIMIT 1")
                    .first
            )
            let names = try #require(FileManager.default.enumerator(atPath: path("export")))
            let files = names.compactMap { $0 as? String }.filter { $0.hasPrefix("tile/entries/") }
            let contents = files.compactMap { FileManager.default.contents(atPath: path("export/\($0)")) }
            #expect(!contents.isEmpty && !contents.contains { $0.range(of: Data(other.utf8)) != nil })

            let forged = scope.replacing("entries 1\n", with: "entries 2\n")
            try forged.write(toFile: path("export/scope"), atomically: true, encoding: .utf8)
            #expect(try await verify(path("export")).status == 1)
        }
    }

    @Test("a witness that the log knows cosigns it, and the log shows the signature")
    func witness() async throws {
        try await withFolder {
            try await leave(1, of: "reading.witness")
            let signer = try NoteSigner(parsing: TestKeys.witness())
            let isMade = FileManager.default.createFile(
                atPath: path("key"),
                contents: Data("\(signer.text)\n".utf8),
                attributes: [.posixPermissions: 0o600]
            )
            try #require(isMade)
            var signed: Set<String> = []
            for round in 1...2 {
                let looked = try await audit([
                    "witness", "--key", path("key"), "--state", path("seen"), "--log-key",
                    try TestKeys.logVerifierKey(), "--once",
                ])
                #expect(looked.status == 0, "\(looked.output)")
                #expect(looked.output.hasPrefix("signed \(TestKeys.logName) with "), "\(looked.output)")
                signed.insert(looked.output)
                try await leave(1, of: "reading.witness\(round)")
            }
            #expect(signed.count == 2, "The second is another checkpoint, which continues the first.")
            #expect(try await installation.count("SELECT count(DISTINCT size) FROM audit.cosignatures") == 2)
        }
    }

    @Test("a token of the installation's own tenant exports the entries of any tenant, and no other token does")
    func tenants() async throws {
        try await withFolder {
            try await leave(2, of: "reading.tenants")
            let token = try await installation.addTenant("batuta")
            let file = path("default.jsonl")
            let arguments = ["export", "--proofs", file, "--action", "run.end", "--tenant", Installation.tenant]
            let made = try await audit(arguments, token: token)
            #expect(made.status == 0, "\(made.output)")
            #expect(try await verify(file).status == 0)
            #expect(try String(contentsOfFile: file, encoding: .utf8).contains("reading-tenants"))
            let refused = try await audit(["export", "--proofs", path("none.jsonl"), "--tenant", "batuta"])
            #expect(refused.status == 1 && refused.output.contains("403"), "\(refused.output)")
            try await eventually("the query says whose entries it was for") {
                try await installation.count(
                    """
                    SELECT count(*) FROM audit.entries WHERE tenant = 'batuta' AND action = 'audit.query'
                      AND convert_from(canonical, 'UTF8')::jsonb -> 'after' ->> 'tenant' = '\(Installation.tenant)'
                    """
                ) > 0
            }
        }
    }

    @Test("reads that hang take two connections and eight places, and hold up neither appending nor signing")
    func slowReads() async throws {
        try await withFolder {
            try await leave(1, of: "reading.slow")
            let export = try await installation.client().post("/api/audit/exports", json: "{}")
            let id = try #require(try JSONValue(parsing: export.body)["export_id"]?.stringValue, "\(export.text)")
            let client = HTTPTestClient(
                base: try installation.client().base,
                headers: installation.authorization,
                client: TestConnections.many
            )
            // It has all reads of the export wait.
            try await installation.sql.withTransaction { transaction in
                try await transaction.execute(PostgresStatement("LOCK TABLE audit.exports IN ACCESS EXCLUSIVE MODE"))
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 1...24 {
                        group.addTask { try await client.get("/api/audit/exports/\(id)/entries").status }
                    }
                    for _ in 1...16 {
                        let status = try await group.next()
                        #expect(status == 503, "There are places for eight.")
                    }
                    let waiting = try await eventually("reads wait for the table") {
                        try await installation.count(
                            """
                            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                            AND wait_event_type = 'Lock' AND application_name LIKE 'audit-writer/%'
                            """
                        )
                    } until: {
                        $0 >= 2
                    }
                    #expect(waiting == 2)
                    try await leave(3, of: "reading.beside")
                    group.cancelAll()
                }
            }
        }
    }

    @Test(
        "the options of the two kinds of export do not mix",
        arguments: [
            [], ["--output", "x", "--proofs", "y"], ["--proofs", "y", "--whole"], ["--output", "x", "--actor", "a"],
        ]
    )
    func options(_ arguments: [String]) async throws {
        #expect(try await audit(["export"] + arguments).status == 64)
    }
}
