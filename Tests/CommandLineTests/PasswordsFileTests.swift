import CommandLineCore
import Foundation
import Persistence
import Testing

@Suite struct PasswordsFileTests {
    private let folder: URL
    private var path: String { folder.appendingPathComponent("passwords.json").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("batuta-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func write(_ text: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: NSNumber(value: mode)], ofItemAtPath: path)
    }

    private func message() throws -> String {
        try #require(throws: CommandLineError.self) { try PasswordsFile(path: path).readOrMake() }.message
    }

    @Test func makesAFileThatOnlyItsOwnerReads() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = PasswordsFile(path: path)
        #expect(try file.read() == nil)
        let made = try file.readOrMake()
        #expect(made.isNew)
        #expect(Set(made.passwords.keys) == Set(ServiceSchema.allCases))
        #expect(Set(made.passwords.values).count == ServiceSchema.allCases.count)
        #expect(made.passwords.values.allSatisfy { $0.count == 32 })
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        let again = try file.readOrMake()
        #expect(!again.isNew)
        #expect(again.passwords == made.passwords)
        // Nothing lies beside it.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["passwords.json"])
    }

    @Test func ofSeveralAtOnceOneMakesIt() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = PasswordsFile(path: path)
        let results = try await withThrowingTaskGroup(of: (passwords: [ServiceSchema: String], isNew: Bool).self) {
            group in
            for _ in 0..<16 { group.addTask { try await Self.readOrMake(file) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.count { $0.isNew } == 1)
        #expect(Set(results.map(\.passwords)).count == 1)
    }

    @concurrent
    private static func readOrMake(
        _ file: PasswordsFile
    ) async throws -> (passwords: [ServiceSchema: String], isNew: Bool) {
        try file.readOrMake()
    }

    @Test func refusesAFileThatOthersMayRead() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write("{}", mode: 0o640)
        #expect(try message().contains("640"))
    }

    @Test(arguments: [
        (#"{"gateway": "a"}"#, "engine, scheduler, jobs, audit"), (#"{"gatewai": "a"}"#, "gatewai"),
        (#"["a"]"#, "no JSON object"), (#"{"gateway": 1}"#, "no JSON object"), ("", "no JSON object"),
    ])
    func refusesWhatIsNotWhole(_ text: String, _ expected: String) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write(text)
        #expect(try message().contains(expected))
    }

    @Test func refusesAFolderThatIsNotThere() throws {
        try FileManager.default.removeItem(at: folder)
        #expect(try message().contains("cannot make"))
    }
}
