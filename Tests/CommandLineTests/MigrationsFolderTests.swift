import CommandLineCore
import Foundation
import Testing

@Suite struct MigrationsFolderTests {
    private let root = FileManager.default.temporaryDirectory.appendingPathComponent("batuta-\(UUID().uuidString)")

    private func make(_ path: String) throws -> URL {
        let folder = root.appendingPathComponent(path)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    @Test func looksAboveTheExecutableThenHere() throws {
        defer { try? FileManager.default.removeItem(at: root) }
        let executable = try make("package/.build/debug").appendingPathComponent("batuta")
        let here = try make("here")
        #expect(throws: CommandLineError.self) {
            try MigrationsFolder.locate(nil, executable: executable, current: here)
        }
        _ = try make("here/Migrations/every-schema")
        #expect(
            try MigrationsFolder.locate(nil, executable: executable, current: here).path
                == here.appendingPathComponent("Migrations").path
        )
        let above = try make("package/Migrations/every-schema").deletingLastPathComponent()
        #expect(
            try MigrationsFolder.locate(nil, executable: executable, current: here).resolvingSymlinksInPath().path
                == above.resolvingSymlinksInPath().path
        )
    }

    @Test func takesWhatIsNamed() throws {
        defer { try? FileManager.default.removeItem(at: root) }
        let named = try make("named")
        #expect(try MigrationsFolder.locate(named.path).path == named.path)
        #expect(throws: CommandLineError.self) { try MigrationsFolder.locate(named.path + "-not") }
    }
}
