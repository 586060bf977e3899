import Foundation
import JSON
import NIOHTTP1
import TestSupport
import Testing

extension IntegrationTests {
    /// Replicas with another first key seal everything anew, and others with the old one first seal it back.
    @Test func secretsAreSealedAnewAtTheStart() async throws {
        let name = Self.unique("keys")
        let secret = try await makeHook(name, kind: "github")
        let body = Array(#"{"zen":"x"}"#.utf8)
        let set = try await installation.client().send(
            .PUT,
            "/admin/api/secrets/\(name)",
            headers: ["Content-Type": "application/json"],
            body: Array(#"{"value":"a value"}"#.utf8)
        )
        #expect(set.status == 200, "\(set.text)")

        let old = try String(contentsOfFile: try TestKeys.path(), encoding: .utf8)
        let key = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
        let new = "rotated \(key)\n"
        for (text, first) in [(new + old, "rotated"), (old + new, "tests")] {
            try await withKeys(text) { processes in
                for (table, column) in [("engine.secrets", "sealed"), ("gateway.hooks", "secret")] {
                    try await eventually("all of \(table) is sealed with \(first)") {
                        let others = "substring(\(column) FROM 3 FOR \(first.utf8.count)) <> '\(first)'::bytea"
                        return try await installation.count("SELECT count(*) FROM \(table) WHERE \(others)") == 0
                    }
                }
                for (process, kind) in zip(processes, ["engine.secret", "gateway.hook"]) {
                    let client = HTTPTestClient(base: "http://127.0.0.1:\(process.metricsPort)")
                    try await eventually("the gauge says so") {
                        try await client.get("/metrics").text
                            .contains(#"batuta_secrets_under_old_keys{kind="\#(kind)"} 0"#)
                    }
                }
            }
        }
        // The making of each is in the audit log, and nothing else about them.
        for schema in ["gateway", "engine"] {
            let entries = try await installation.count(
                """
                SELECT count(*) FROM \(schema).outbox
                WHERE destination = 'audit' AND position('\(name)'::bytea IN body) > 0
                """
            )
            #expect(entries == 1, "\(schema)")
        }
        let push = Self.gitHub("ping", delivery: name, body, secret)
        #expect(try await deliver(name, push, body).map(\.type) == ["github.ping"])
    }

    /// Starts an engine and a gateway beside the others, with a key file of their own.
    private func withKeys(_ text: String, _ body: ([ServiceProcess]) async throws -> Void) async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).keys")
        let isMade = FileManager.default.createFile(
            atPath: file.path,
            contents: Data(text.utf8),
            attributes: [.posixPermissions: 0o600]
        )
        try #require(isMade)
        defer { try? FileManager.default.removeItem(at: file) }
        let processes = try [SystemService.engine, .gateway].map { service in
            try installation.replica(service).launchBeside(["BATUTA_SECRET_KEYS_FILE": file.path])
        }
        for process in processes { try await process.waitUntilReady(within: .seconds(60)) }
        try await body(processes)
        for process in processes {
            #expect(try await process.terminate(within: .seconds(45)) == 0, "\(process.logTail())")
        }
    }
}
