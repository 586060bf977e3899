import ArgumentParser
import Checkpoints
import Persistence
import TestSupport
import Testing

@testable import CommandLineCore

@Suite("batuta restored and the log's name", .timeLimit(.minutes(2)))
struct LogSuccessionTests {
    private static let name = "example.com/audit"

    /// By what the head says: what the operator names, and under which name the log goes on at the second 1795258800, or
    /// what is said otherwise.
    private static let cases: [(origin: String?, signed: Int, given: String?, next: String?, sentence: String)] = [
        (nil, 0, nil, nil, "with --log"),
        (nil, 0, name, "example.com/audit/1795258800", ""),
        // The name of a key may itself end with a number.
        (nil, 0, "example.com/audit/2", "example.com/audit/2/1795258800", ""),
        (name, 5, nil, "example.com/audit/1795258800", ""),
        (name, 5, name, "example.com/audit/1795258800", ""),
        ("example.com/audit/1795000000", 5, name, "example.com/audit/1795258800", ""),
        ("example.com/audit/2", 5, "example.com/audit/2", "example.com/audit/2/1795258800", ""),
        (name, 5, "example.com/other", nil, "holds the audit log example.com/audit, and --log names example.com/other"),
        // Nothing was signed under a name that an earlier call has given: it may have been the wrong one.
        ("example.com/typo/1795000000", 0, name, "example.com/audit/1795258800", ""),
        ("example.com/audit/1795000000", 0, nil, "example.com/audit/1795258800", ""),
    ]

    @Test("a log goes on under a name of its key, and one that does not say its name is given it", .requiresServers)
    func names() async throws {
        try await ServiceDatabase.with(.audit) { (database) async throws in
            var configuration = database.configuration
            configuration.sessionSettings["role"] = nil
            try await DatabaseSession.with(configuration) { (client) async throws in
                for example in Self.cases {
                    try await Self.put(example.origin, example.signed, client)
                    let succession = LogSuccession(database: client, name: example.given)
                    let before = try await Self.head(client)
                    do {
                        let ended = try await succession.ended()
                        #expect(try await Self.head(client) == before, "Asking changes nothing.")
                        let next = try await succession.begin(after: ended, at: 1_795_258_800)
                        #expect(next == example.next, "\(example)")
                        #expect(try await Self.head(client) == [next, "0"])
                        #expect(ended.name == example.origin ?? example.given)
                    } catch let error as CommandLineError {
                        #expect(example.next == nil && error.message.contains(example.sentence), "\(example): \(error)")
                        #expect(error.message.contains("nothing was changed"))
                        #expect(try await Self.head(client) == before)
                    }
                }
            }
        }
    }

    @Test("what names no log is refused before anything is done", arguments: ["", "a b", "a+b", "ü"])
    func forms(name: String) throws {
        let error = try #require(throws: (any Error).self) {
            try BatutaCommand.parseAsRoot(["restored", "--log", name])
        }
        #expect(BatutaCommand.message(for: error).contains("--log takes the name of a log"))
        #expect(try BatutaCommand.parseAsRoot(["restored", "--log", Self.name]) is RestoredCommand)
    }

    private static func put(_ origin: String?, _ signed: Int, _ client: PostgresClient) async throws {
        let name = origin.map { "'\($0)'" } ?? "NULL"
        try await client.executeScript(
            """
            SET session_replication_role = replica;
            UPDATE audit.head SET size = 9, origin = \(name), signed_size = \(signed),
                                  signed_root = \(signed > 0 ? "sha256('')" : "NULL");
            SET session_replication_role = origin
            """
        )
    }

    private static func head(_ client: PostgresClient) async throws -> [String?] {
        let rows = try await client.execute(PostgresStatement("SELECT origin, signed_size::text FROM audit.head"))
        let row = try #require(rows.first)
        return [try row.decode(0), try row.decode(1)]
    }
}
