import AuditExport
import Foundation
import MerkleLog
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite("Directories that somebody has filled with anything")
struct HostileFolderTests {
    private static func export() throws -> TestExport { try TestExport(TestLog(entries: 300)) }

    private static func verify(_ directory: URL) throws -> Outcome {
        let keys = try ExportKeys(log: [TestExport.signer.verifierKey])
        return Outcome(try ExportVerifier(keys: keys).verify(directory.path))
    }

    /// Writes an export, changes its directory, and verifies it.
    private static func outcome(_ change: (String) throws -> Void) throws -> Outcome {
        try export().withDirectory { (directory) throws in
            try change(directory.path)
            return try verify(directory)
        }
    }

    /// Takes a file away, whose name gets something else.
    private static func replace(_ path: String, _ make: (String) -> Int32) throws {
        try? FileManager.default.removeItem(atPath: path)
        #expect(make(path) == 0, "\(path): \(String(cString: strerror(errno)))")
    }

    @Test(
        "a link, a pipe or a directory in place of a file is not followed, waited for or read",
        arguments: [
            ("checkpoint", Outcome.bad("checkpoint", "checkpoint")), ("scope", .bad("scope", "scope")),
            ("tile/0/000", .bad("file", "tile/0/000")), ("tile/1/000.p/1", .bad("file", "tile/1/000.p/1")),
            ("tile/entries/001.p/44", .bad("file", "tile/entries/001.p/44")), ("other", .bad("file", "other")),
        ]
    )
    func irregular(path: String, expected: Outcome) throws {
        #expect(try Self.outcome { try Self.replace("\($0)/\(path)") { symlink("/dev/zero", $0) } } == expected)
        #expect(try Self.outcome { try Self.replace("\($0)/\(path)") { symlink("missing", $0) } } == expected)
        #expect(try Self.outcome { try Self.replace("\($0)/\(path)") { mkfifo($0, 0o600) } } == expected)
    }

    @Test("a directory in place of a file is a file that is missing, and matters no more")
    func directories() throws {
        let outcome: (String) throws -> Outcome = { path in
            try Self.outcome { directory in try Self.replace("\(directory)/\(path)") { mkdir($0, 0o700) } }
        }
        #expect(try outcome("checkpoint") == .bad("checkpoint", "checkpoint"))
        #expect(try outcome("tile/0/000") == .bad("file", "tile/0/000"))
        #expect(try outcome("tile/entries/000") == .incomplete("missing", 0))
        #expect(try outcome("scope") == .good)
    }

    @Test("a link to a directory is no directory")
    func links() throws {
        let outcome = try Self.outcome { directory in
            rename("\(directory)/tile/0", "\(directory)/moved")
            #expect(symlink("../moved", "\(directory)/tile/0") == 0)
        }
        // The files of the directory that it leads to come before it.
        #expect(outcome == .bad("file", "moved/000"))
        let loop = try Self.outcome { directory in
            #expect(symlink(".", "\(directory)/tile/0/loop") == 0)
        }
        #expect(loop == .bad("file", "tile/0/loop"))
    }

    @Test(
        "a file that is longer than it can be is not read",
        arguments: [
            ("checkpoint", Outcome.bad("checkpoint", "checkpoint")), ("scope", .bad("scope", "scope")),
            ("tile/0/000", .bad("tile", "tile/0/000")), ("tile/1/000.p/1", .bad("tile", "tile/1/000.p/1")),
            ("tile/entries/000", .bad("bundle", "tile/entries/000")),
        ]
    )
    func long(path: String, expected: Outcome) throws {
        // As large as a file can be, and without any blocks.
        let size = off_t(1) << 42
        let outcome = try Self.outcome { directory in
            try Self.replace("\(directory)/\(path)") { path in
                let file = open(path, O_CREAT | O_WRONLY, 0o600)
                defer { close(file) }
                return ftruncate(file, size)
            }
        }
        #expect(outcome == expected)
    }

    @Test("names may have any bytes")
    func names() throws {
        let make: ([UInt8]) throws -> Outcome = { name in
            try Self.outcome { directory in
                let path = (Array("\(directory)/".utf8) + name + [0]).map { CChar(bitPattern: $0) }
                let file = open(path, O_CREAT, 0o600)
                #expect(file >= 0)
                close(file)
            }
        }
        #expect(try make(Array("tile/entries/\u{301}000".utf8)) == .bad("file", "tile/entries/\u{301}000"))
        #expect(try make(Array("tile/0/\u{301}000".utf8)) == .bad("file", "tile/0/\u{301}000"))
        #expect(try make([0xFF]) == .bad("file", "\u{FFFD}"))
        #expect(try make([0x61, 0xC3, 0x28, 0xE2, 0x82]) == .bad("file", "a\u{FFFD}(\u{FFFD}\u{FFFD}"))
        #expect(try make(Array("\u{1B}[2J\n".utf8)) == .bad("file", "\u{1B}[2J\n"))
        #expect(try make(Array(repeating: 0x61, count: 255)) == .bad("file", String(repeating: "a", count: 255)))
    }

    @Test("the first path that is wrong is that in the order of bytes")
    func order() throws {
        let outcome: ([String]) throws -> Outcome = { paths in
            var export = try Self.export()
            for path in paths { export.files[path] = [] }
            export.files["tile/0/001.p/44"] = nil
            return try export.outcome()
        }
        #expect(try outcome([]) == .bad("file", "tile/0/001.p/44"))
        #expect(try outcome(["tile/0/001.p/45"]) == .bad("file", "tile/0/001.p/44"))
        #expect(try outcome(["tile/0/001.p/43", "zero"]) == .bad("file", "tile/0/001.p/43"))
        #expect(try outcome(["tile/0/0010", "tile/0/001"]) == .bad("file", "tile/0/001"))
        #expect(try outcome(["Z", "a"]) == .bad("file", "Z"))
    }

    @Test("directories may lie deep, with and without files")
    func deep() throws {
        let make: (Int, Bool) throws -> Outcome = { levels, hasFile in
            try Self.outcome { directory in
                var path = directory
                for _ in 0..<levels {
                    path += "/d"
                    #expect(mkdir(path, 0o700) == 0)
                }
                if hasFile { close(open(path + "/f", O_CREAT, 0o600)) }
            }
        }
        #expect(try make(50, false) == .good)
        #expect(try make(50, true) == .bad("file", Array(repeating: "d", count: 50).joined(separator: "/") + "/f"))
        #expect(try make(1_500, false) == .good)
        #expect(try make(300, true) == .bad("file", Array(repeating: "d", count: 300).joined(separator: "/") + "/f"))
    }

    @Test("a directory that is not there, or is none, has no verdict")
    func nothing() throws {
        let keys = try ExportKeys(log: [TestExport.signer.verifierKey])
        let verifier = ExportVerifier(keys: keys)
        for path in ["", Command.temporaryURL("nothing").path, "/dev/null"] {
            let error = #expect(throws: ExportError.self) { try verifier.verify(path) }
            #expect(error?.code == .system)
        }
        let empty = Command.temporaryURL("empty")
        try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: empty) }
        #expect(try Self.verify(empty) == .bad("checkpoint", "checkpoint"))
    }

    @Test("a directory may be named by a link")
    func linked() throws {
        try Self.export().withDirectory { (directory) throws in
            let link = Command.temporaryURL("link")
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: directory)
            defer { try? FileManager.default.removeItem(at: link) }
            #expect(try Self.verify(link) == .good)
        }
    }
}
