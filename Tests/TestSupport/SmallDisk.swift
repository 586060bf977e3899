private import Foundation
package import Testing

/// A disk of a few megabytes, in memory, which a test can fill.
package enum SmallDisk {
    /// Whether this test run may mount one; root in most containers may not.
    package static let isAvailable: Bool = {
        let path = Command.temporaryURL("mount").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        guard (try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)) != nil,
            run("/bin/mount", ["-t", "tmpfs", "-o", "size=1m", "batuta-test", path])
        else { return false }
        return run("/bin/umount", [path])
    }()

    /// Mounts one at a path, which is made; `compose/servers remove` unmounts what lies under its folder.
    package static func mount(at path: String, megabytes: Int) async throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try await Command.check(
            "/bin/mount",
            ["-t", "tmpfs", "-o", "mode=755,size=\(megabytes)m", "batuta-test", path]
        )
    }

    /// Lends the path of a disk of a megabyte, and unmounts it.
    package static func with<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let path = Command.temporaryURL("disk").path
        try await mount(at: path, megabytes: 1)
        let result: Result<Value, any Error>
        do { result = .success(try await body(path)) } catch { result = .failure(error) }
        try await Command.check("/bin/umount", ["-l", path])
        return try result.get()
    }

    /// Fills a disk to its last byte with a file; answers that file's path.
    package static func fill(_ path: String) throws -> String {
        let filler = path + "/filler"
        _ = FileManager.default.createFile(atPath: filler, contents: nil)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: filler))
        defer { try? file.close() }
        for size in [65_536, 4_096, 1] {
            let block = Data(repeating: 0x2a, count: size)
            while (try? file.write(contentsOf: block)) != nil {}
        }
        return filler
    }

    private static func run(_ program: String, _ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips a test or suite, with a sentence, where no disk can be mounted.
    package static var requiresSmallDisk: Self {
        .enabled(if: SmallDisk.isAvailable, "This needs to mount a disk of its own, which this user may not.")
    }
}
