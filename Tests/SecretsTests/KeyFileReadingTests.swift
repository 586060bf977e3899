import Foundation
import Glibc
import Secrets
import Testing

@Suite("Reading a key file from the disk")
final class KeyFileReadingTests {
    private let folder: URL
    private var path: String { folder.appendingPathComponent("keys").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("batuta-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    private func write(_ text: String, mode: mode_t = 0o600) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try #require(chmod(path, mode) == 0)
    }

    private func error(_ path: String) throws -> SecretsError {
        try #require(throws: SecretsError.self) { try SecretKeyRing(contentsOf: path) }
    }

    @Test("a file of its owner's is read", arguments: [mode_t(0o600), 0o400, 0o700])
    func read(mode: mode_t) throws {
        try write("k1 \(Samples.firstKey)\n", mode: mode)
        #expect(try SecretKeyRing(contentsOf: path).keyIDs == ["k1"])
    }

    @Test("a link to such a file is followed, as where an orchestrator mounts secrets")
    func link() throws {
        try write("k1 \(Samples.firstKey)\n")
        let link = folder.appendingPathComponent("link").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        #expect(try SecretKeyRing(contentsOf: link).keyIDs == ["k1"])
    }

    @Test(
        "a file that others have any right to is refused, and the sentence says what to do",
        arguments: [mode_t(0o640), 0o604, 0o644, 0o660, 0o602, 0o620, 0o610, 0o601, 0o777]
    )
    func exposed(mode: mode_t) throws {
        try write("k1 \(Samples.firstKey)\n", mode: mode)
        let error = try error(path)
        #expect(error.code == .exposedKeyFile)
        #expect(error.message.contains("chmod 600"))
        #expect(!error.message.contains(path))
    }

    @Test("what is no file is refused without waiting for it")
    func noFile() throws {
        #expect(try error(folder.path).code == .notAFile)
        #expect(try error("/dev/zero").code == .notAFile)
        let pipe = folder.appendingPathComponent("pipe").path
        try #require(mkfifo(pipe, 0o600) == 0)
        #expect(try error(pipe).code == .notAFile)
    }

    @Test("a missing file is said to be missing")
    func missing() throws {
        let error = try error(path)
        #expect(error.code == .unreadableKeyFile)
        #expect(error.message.contains("no such file") && !error.message.contains(path))
    }

    @Test("a file that is too long is refused, and one of the greatest length read whole")
    func long() throws {
        let line = "k1 \(Samples.firstKey)\n"
        let last = "\nk2 \(Samples.secondKey)"
        let filling = String(repeating: "#", count: 65_536 - line.utf8.count - last.utf8.count)
        try write(line + filling + last)
        #expect(try SecretKeyRing(contentsOf: path).keyIDs == ["k1", "k2"])
        try write(line + filling + "#" + last)
        #expect(try error(path).code == .keyFileTooLarge)
    }

    @Test("an empty file has no key")
    func empty() throws {
        try write("")
        #expect(try error(path).code == .noKeys)
    }
}
