import Foundation
import JSON
import Persistence
import Synchronization
import TestSupport
import Testing

/// Messages that could not be processed, and what operators do about them, with real processes.
@Suite(
    .serialized,
    .requiresServers,
    .installation("letters", [.gateway: 1, .engine: 1, .auditWriter: 2]),
    .timeLimit(.minutes(5))
)
struct DeadLetterTests {
    private let installation: Installation

    init() throws {
        installation = try Installation.required()
    }

    @Test("A13: signals that cannot be processed are put away, and run once when the cause is mended")
    func signalsRunOnceWhenTheCauseIsMended() async throws {
        try await installation.showingLogs {
            try await installation.automate("mended", on: "poison.*")
            try await execute("ALTER TABLE engine.inbox ADD CONSTRAINT no_poison CHECK (signal_type <> 'poison.bad')")
            var receipts: [Installation.Receipt] = []
            for number in 0..<5 {
                receipts.append(try await installation.post(id: "bad-\(number)", type: "poison.bad"))
            }
            try await installation.post(id: "good", type: "poison.good")
            let letters = try await eventually("every bad signal is a letter") {
                try await list("?service=engine&state=waiting")
            } until: {
                $0.count == receipts.count
            }
            expectPoison(letters)
            #expect(Set(letters.compactMap { $0["item_id"]?.stringValue }) == Set(receipts.map(\.signalID.text)))
            let shown = try await installation.read(path(letters[0]))
            #expect(shown["reason"]?.stringValue?.contains("no_poison") == true)
            #expect(shown["body"]?.stringValue?.contains("poison.bad") == true)
            #expect(shown["properties"]?["headers"]?["x-tenant"] == "acme")
            try await waiting(5, .engine)

            let failed = try await batuta("redrive", "--all", "--service", "engine")
            #expect(failed.status == 1)
            #expect(failed.output.contains("5 of 5 letters could not be redriven"), "\(failed.output)")
            #expect(failed.output.contains("no_poison"), "\(failed.output)")
            #expect(try await list("?service=engine").count == 5)

            try await execute("ALTER TABLE engine.inbox DROP CONSTRAINT no_poison")
            let done = try await batuta("redrive", "--all", "--service", "engine")
            #expect(done.status == 0, "\(done.output)")
            #expect(done.output.contains("5 of 5  redriven"), "\(done.output)")
            try await waiting(0, .engine)
            // What is done is not done again.
            for letter in letters {
                let answer = try await installation.client().post("\(path(letter))/redrive", json: "")
                #expect(answer.status == 200)
                #expect(try JSONValue(parsing: answer.body)["state"] == "redriven")
            }
            #expect(try await list("?service=engine&state=redriven&limit=200").count == 5)
            try await Invariants(installation).hold()
            #expect(try await installation.count("SELECT count(*) FROM engine.automation_runs") == 6)
            #expect(try await entries("redrive") == 5)
        }
    }

    @Test func anEntryIsAppendedWhenTheCauseIsMended() async throws {
        try await installation.showingLogs {
            try await execute(
                """
                ALTER TABLE audit.entries ADD CONSTRAINT no_poison
                CHECK (position('Of poisoned-entry' in convert_from(canonical, 'UTF8')) = 0)
                """
            )
            try await installation.automate("poisoned-entry", on: "x.y")
            let letters = try await eventually("the entry is a letter") {
                try await list("?service=audit")
            } until: {
                !$0.isEmpty
            }
            expectPoison(letters)
            // The entries after it in its lane are held.
            try await eventually("later entries wait") {
                try await installation.count("SELECT count(*) FROM audit.early_entries") > 0
            }
            try await execute("ALTER TABLE audit.entries DROP CONSTRAINT no_poison")
            let done = try await batuta("redrive", "audit/\(letters[0]["id"]?.stringValue ?? "")")
            #expect(done.status == 0, "\(done.output)")
            try await Invariants(installation).hold()
        }
    }

    @Test func poisonOfNobodyIsDiscardedByTheTenantOfNobody() async throws {
        try await installation.showingLogs {
            let message = UUID().text
            installation.poison.withLock { _ = $0.insert(message) }
            try await installation.broker.publish(
                [0xFF, 0x00],
                to: "engine.signals",
                properties: ["message_id": .string(message), "headers": [:]]
            )
            try await eventually("it is a letter") {
                try await installation.count("SELECT count(*) FROM engine.dead_letters WHERE tenant IS NULL") == 1
            }
            let id = try await installation.texts(
                "SELECT dead_letter_id::text FROM engine.dead_letters WHERE tenant IS NULL"
            )[0]
            let path = "/admin/api/dead-letters/engine/\(id)"
            #expect(try await installation.client().get(path).status == 404)
            #expect(try await list("").allSatisfy { $0["id"]?.stringValue != id })
            let client = try installation.client(token: try await token(of: "batuta"))
            let shown = try await client.get(path)
            #expect(try JSONValue(parsing: shown.body)["body"] == "/wA=")
            #expect(try await client.post("\(path)/redrive", json: "").status == 422)
            #expect(try await client.post("\(path)/discard", json: "{}").status == 422)
            for reason in ["somebody's trial", "again"] {
                let answer = try await client.post("\(path)/discard", json: #"{"reason":"\#(reason)"}"#)
                #expect(try JSONValue(parsing: answer.body)["discard_reason"] == "somebody's trial")
            }
            #expect(try await client.post("\(path)/redrive", json: "").status == 409)
            #expect(try await client.get("/admin/api/dead-letters?service=jobs").status == 400)
            #expect(try await client.get("/admin/api/dead-letters/jobs/\(id)").status == 404)
            try await Invariants(installation).hold()
            #expect(try await entries("discard") == 1)
        }
    }

    // MARK: - What the tests share

    private func execute(_ statement: String) async throws {
        _ = try await installation.sql.execute(.simple(statement))
    }

    private func list(_ query: String) async throws -> [JSONValue] {
        try await installation.read("/admin/api/dead-letters\(query)")["items"]?.arrayValue ?? []
    }

    private func path(_ letter: JSONValue) -> String {
        "/admin/api/dead-letters/\(letter["service"]?.stringValue ?? "")/\(letter["id"]?.stringValue ?? "")"
    }

    /// The invariants expect these letters.
    private func expectPoison(_ letters: [JSONValue]) {
        installation.poison.withLock { $0.formUnion(letters.compactMap { $0["message_id"]?.stringValue }) }
    }

    private func waiting(_ count: Int, _ service: SystemService) async throws {
        try await eventually("the gauge shows \(count)") {
            let text = try await installation.replica(service).metrics.get("/metrics").text
            return text.contains("\nbatuta_dead_letters_waiting \(count)\n")
                || text.contains("\nbatuta_dead_letters_waiting \(count).0\n")
        }
    }

    private func entries(_ action: String) async throws -> Int {
        try await installation.count(
            "SELECT count(*) FROM audit.entries WHERE convert_from(canonical, 'UTF8')::jsonb ->> 'action' = '\(action)'"
        )
    }

    /// Runs `batuta dead-letters`.
    private func batuta(_ arguments: String...) async throws -> (status: Int32, output: String) {
        let process = try ServiceProcess(
            "batuta",
            arguments: ["dead-letters"] + arguments,
            environment: [
                "BATUTA_URL": try installation.replica(.gateway).client().base, "BATUTA_TOKEN": installation.token,
            ]
        )
        let status = try await process.waitForExit(within: .seconds(60))
        return (status, process.log)
    }

    /// An administrator's token of a tenant that no operation of this release makes.
    private func token(of tenant: String) async throws -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let token = "bat_" + String((0..<43).compactMap { _ in letters.randomElement() })
        for statement in [
            "INSERT INTO gateway.tenants (tenant, name) VALUES ('\(tenant)', 'Nobody')",
            """
            INSERT INTO gateway.api_tokens (token_id, tenant, name, role, token_hash, created_by)
            VALUES (gen_random_uuid(), '\(tenant)', 'admin', 'admin', sha256('\(token)'), 'tests')
            """,
            "UPDATE gateway.identity_generation SET generation = generation + 1",
        ] {
            try await execute(statement)
        }
        return token
    }
}

extension UUID {
    fileprivate var text: String { uuidString.lowercased() }
}
