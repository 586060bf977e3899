import ArgumentParser
import Foundation
import Persistence
import Testing

@testable import CommandLineCore

@Suite struct MigrateCommandTests {
    private static let server = ProcessInfo.processInfo.environment["BATUTA_TEST_POSTGRES"].flatMap {
        $0.isEmpty ? nil : $0
    }
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The lines that a command prints.
    private static func run(_ arguments: [String]) async throws -> [String] {
        let command = try #require(try BatutaCommand.parseAsRoot(["migrate"] + arguments) as? MigrateCommand)
        var lines: [String] = []
        try await command.run { lines.append($0) }
        return lines
    }

    @Test func usageIsExitCode64() throws {
        for arguments in [["migrate", "--nope"], ["nope"], ["migrate", "more"]] {
            let error = try #require(throws: (any Error).self) { try BatutaCommand.parseAsRoot(arguments) }
            #expect(BatutaCommand.exitCode(for: error).rawValue == 64, "\(arguments)")
        }
        let error = CommandLineError(.file, "a sentence")
        #expect(BatutaCommand.exitCode(for: error).rawValue == 1)
        #expect(BatutaCommand.message(for: error).contains("a sentence"))
    }

    @Test func aBadAddressIsUsageAndNotShown() async throws {
        let error = try await #require(throws: (any Error).self) {
            try await Self.run(["--database-url", "postgres://user:secret@host:x/d"])
        }
        #expect(BatutaCommand.exitCode(for: error).rawValue == 64)
        #expect(!BatutaCommand.fullMessage(for: error).contains("secret"))
    }

    @Test func readsSettingsFromFiles() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try Data("postgres://a\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try EnvironmentSetting.value("X", in: ["X_FILE": file.path]) == "postgres://a")
        #expect(try EnvironmentSetting.value("X", in: ["X": "b"]) == "b")
        #expect(try EnvironmentSetting.value("X", in: ["X": ""]) == nil)
        #expect(throws: CommandLineError.self) {
            try EnvironmentSetting.value("X", in: ["X": "b", "X_FILE": file.path])
        }
        #expect(throws: CommandLineError.self) { try EnvironmentSetting.value("X", in: ["X_FILE": file.path + "-not"]) }
    }

    @Test(.enabled(if: server != nil, "needs BATUTA_TEST_POSTGRES, the URL of a Postgres server's superuser"))
    func plansMigratesAndThenDoesNothing() async throws {
        try await Self.withDatabase { (url) async throws in
            let passwords = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).json")
            defer { try? FileManager.default.removeItem(at: passwords) }
            // The same as in every test, because roles belong to the whole server.
            let content = Dictionary(
                uniqueKeysWithValues: ServiceSchema.allCases.map { ($0.name, "for-tests-\($0.name)") }
            )
            try JSONEncoder().encode(content).write(to: passwords)
            try FileManager.default.setAttributes([.posixPermissions: 0o600 as NSNumber], ofItemAtPath: passwords.path)
            let arguments = [
                "--database-url", url, "--passwords-file", passwords.path,
                "--migrations", Self.repository.appendingPathComponent("Migrations").path,
            ]
            let plan = try await Self.run(arguments + ["--plan"])
            #expect(plan.contains("gateway: would apply 0001 foundation"))
            // Nothing was done; other tests may have had to do with the roles meanwhile.
            let schemas = try await Self.run(arguments + ["--plan"]).filter { !$0.hasPrefix("access: ") }
            #expect(schemas == plan.filter { !$0.hasPrefix("access: ") })
            let lines = try await Self.run(arguments)
            #expect(lines.first == "passwords are in \(passwords.path)")
            let pattern = #/gateway: applied 0001 foundation in \d+ ms/#
            #expect(lines.contains { $0.wholeMatch(of: pattern) != nil })
            #expect(try await Self.run(arguments + ["--plan"]) == ["nothing to do"])
            let again = try await Self.run(arguments)
            #expect(again.dropFirst().allSatisfy { $0.contains(": at version ") })
            #expect(again.count == 1 + ServiceSchema.allCases.count)
        }
    }

    private static func withDatabase(_ body: (String) async throws -> Void) async throws {
        let configuration = try PostgresConfiguration(url: server ?? "")
        let name = "batuta_test_\(UUID().uuidString.lowercased().filter { $0 != "-" })"
        try await DatabaseSession.with(configuration) { (owner) async throws in
            try await owner.execute(.simple("CREATE DATABASE \(name)"))
            var components = try #require(URLComponents(string: server ?? ""))
            components.path = "/\(name)"
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(try #require(components.string)))
            } catch {
                result = .failure(error)
            }
            try await owner.execute(.simple("DROP DATABASE \(name) WITH (FORCE)"))
            try result.get()
        }
    }
}
