import AuditExport
import Foundation
import MerkleLog
import TestSupport
import Testing

@Suite("Writing an export")
struct ExportWriterTests {
    /// Writes an export as a command would, entry by entry; gives the directory.
    private func write(_ export: TestExport, to directory: URL) throws -> UInt64 {
        var writer = try ExportWriter(
            directory: directory.path,
            checkpoint: export.files["checkpoint"] ?? [],
            scope: export.files["scope"]
        )
        for (index, leaf) in export.leaves.enumerated() {
            #expect(writer.count == UInt64(index))
            try writer.append(export.entries[index], leaf: leaf)
        }
        return try writer.finish()
    }

    private func files(in directory: URL) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        let paths = try FileManager.default.subpathsOfDirectory(atPath: directory.path)
        for path in paths {
            let file = directory.appendingPathComponent(path)
            guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
            files[path] = try Array(Data(contentsOf: file))
        }
        return files
    }

    private func withNewDirectory<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let directory = Command.temporaryURL("written")
        defer { try? FileManager.default.removeItem(at: directory) }
        return try body(directory)
    }

    @Test("writes exactly the files of an export", arguments: [1, 2, 255, 256, 257, 700])
    func sizes(size: Int) throws {
        let export = try TestExport(TestLog(entries: size))
        try withNewDirectory { (directory) throws in
            #expect(try write(export, to: directory) == UInt64(size))
            #expect(try files(in: directory) == export.files)
        }
    }

    @Test("leaves out absent entries, and files of entries that would have none")
    func absent() throws {
        var log = TestLog(entries: 900)
        log.seal([200...600])
        let sealed = try TestExport(log, absent: Set(200...600))
        try withNewDirectory { (directory) throws in
            #expect(try write(sealed, to: directory) == 500)
            #expect(try files(in: directory) == sealed.files)
        }
        let scoped = try TestExport(log, tenant: "acme")
        try withNewDirectory { (directory) throws in
            #expect(try write(scoped, to: directory) == 450)
            #expect(try files(in: directory) == scoped.files)
        }
    }

    @Test("takes a directory that is empty, and no other")
    func directories() throws {
        let export = try TestExport(TestLog(entries: 2))
        try withNewDirectory { (directory) throws in
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
            #expect(try write(export, to: directory) == 2)
            let error = try #require(throws: ExportError.self) { try write(export, to: directory) }
            #expect(error.code == .notEmpty)
            #expect(try files(in: directory) == export.files)
            let inside = directory.appendingPathComponent("checkpoint")
            #expect(throws: ExportError.self) { try write(export, to: inside) }
            #expect(throws: ExportError.self) { try write(export, to: directory.appendingPathComponent("a/b")) }
        }
    }

    @Test("does not finish what is not the log of the checkpoint, and leaves no checkpoint then")
    func refusals() throws {
        let export = try TestExport(TestLog(entries: 300))
        let other = try TestExport(TestLog(entries: 300, variant: 1))
        let refuse: (ExportError.Code, (inout ExportWriter) throws -> Void) throws -> Void = { code, body in
            try withNewDirectory { (directory) throws in
                var writer = try ExportWriter(directory: directory.path, checkpoint: export.files["checkpoint"] ?? [])
                let error = try #require(throws: ExportError.self) {
                    try body(&writer)
                    _ = try writer.finish()
                }
                #expect(error.code == code)
                #expect(try files(in: directory)["checkpoint"] == nil)
            }
        }
        try refuse(.wrongCount) { writer in
            for index in 0..<299 { try writer.append(export.entries[index], leaf: export.leaves[index]) }
        }
        try refuse(.wrongCount) { writer in
            for index in 0..<300 { try writer.append(export.entries[index], leaf: export.leaves[index]) }
            try writer.append(nil, leaf: export.leaves[0])
        }
        try refuse(.rootMismatch) { writer in
            for index in 0..<300 { try writer.append(other.entries[index], leaf: other.leaves[index]) }
        }
        try refuse(.invalidEntry) { writer in try writer.append(export.entries[0], leaf: export.leaves[1]) }
        try refuse(.invalidEntry) { writer in try writer.append([], leaf: .leaf([UInt8]())) }
        try refuse(.invalidEntry) { writer in
            let long = [UInt8](repeating: 1, count: 65_536)
            try writer.append(long, leaf: .leaf(long))
        }
    }

    @Test("refuses a scope that is not that of the entries")
    func scopes() throws {
        let export = try TestExport(TestLog(entries: 30), tenant: "acme")
        let scopes = try [
            export.scope(count: 14), export.scope(digest: Array(repeating: 0, count: 32)), export.scope(size: 29),
            export.checkpoint(), Array("acme".utf8),
        ]
        for scope in scopes {
            var changed = export
            changed.files["scope"] = scope
            try withNewDirectory { (directory) throws in
                let error = try #require(throws: ExportError.self) { try write(changed, to: directory) }
                #expect(error.code == .invalidScope)
            }
        }
    }

    @Test("needs a checkpoint of a log with entries")
    func checkpoints() throws {
        let export = try TestExport(TestLog(entries: 3))
        for checkpoint in [[], Array("a\n1\n".utf8), try export.checkpoint(0)] {
            try withNewDirectory { (directory) throws in
                let error = try #require(throws: ExportError.self) {
                    try ExportWriter(directory: directory.path, checkpoint: checkpoint)
                }
                #expect(error.code == .invalidCheckpoint)
                #expect(!FileManager.default.fileExists(atPath: directory.path))
            }
        }
    }
}
