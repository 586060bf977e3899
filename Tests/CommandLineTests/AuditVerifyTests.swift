import AuditExport
import Foundation
import MerkleLog
import TestSupport
import Testing

@testable import CommandLineCore

/// `batuta audit verify` as a process: what it prints, and how it ends.
@Suite struct AuditVerifyTests {
    /// Entries of a lane whose name would change the colour of a terminal.
    private static let entries = (1...4).map { number in
        let text =
            #"{"action":"create","actor":{"id":"w","type":"worker"},"after":null,"before":null,"epoch":1,"#
            + #""id":"\#(number)","object":{"id":"\#(number)","type":"action"},"outcome":"done","#
            + #""producer":"engine/\u001b[31m/0","seq":\#(number),"tenant":"default","#
            + #""time":"2026-11-21T01:29:15.123456Z","v":1}"#
        return Array(text.utf8)
    }

    private let signer: NoteSigner
    private let folder = Command.temporaryURL("audit")

    init() throws {
        signer = try NoteSigner(name: "example.com/audit", kind: .log, seed: Array(repeating: 5, count: 32))
    }

    /// Has a closure look at a folder with an export of the first entries, and removes it.
    private func withExport(of count: Int, _ body: (String) async throws -> Void) async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("export").path
        var writer = try ExportWriter(directory: path, checkpoint: checkpoint(count))
        for entry in Self.entries.prefix(count) {
            try writer.append(entry, leaf: .leaf(entry))
        }
        #expect(try writer.finish() == UInt64(count))
        try Data(checkpoint(4)).write(to: folder.appendingPathComponent("known"))
        try Data("\n\(signer.verifierKey)\n".utf8).write(to: folder.appendingPathComponent("keys"))
        try await body(path)
    }

    private func checkpoint(_ count: Int) throws -> [UInt8] {
        let root = MerkleHash.root(over: Self.entries.prefix(count).map { MerkleHash.leaf($0) })
        let head = try Checkpoint(origin: signer.name, size: UInt64(count), root: root)
        return try SignedNote(
            text: head.text,
            signatures: [signer.sign(head.text), signer.cosigner.cosign(head.text, time: 1_795_000_000)]
        ).bytes
    }

    private func verify(_ arguments: [String]) async throws -> Command.Result {
        try await Command.run(try BuildFolder.executable("batuta"), ["audit", "verify"] + arguments)
    }

    @Test func aGoodExport() async throws {
        try await withExport(of: 3) { path in
            let key = signer.verifierKey.description
            let json = try await verify([path, "--key", key, "--format", "json"])
            #expect(json.status == 0)
            #expect(json.output == #"{"verdict":"good"}"# + "\n")
            let text = try await verify([path, "--key", "@\(folder.path)/keys"])
            #expect(text.status == 0)
            #expect(text.output.hasPrefix("good: nothing was changed, and nothing is missing\n"))
            #expect(text.output.contains("signed    2026-11-18T11:06:40Z by the log\n"))
            #expect(text.output.contains("entries   3\nlanes     1 open, 0 ended\n"))
            #expect(text.output.contains(#"engine/\u{1b}[31m/0, epoch 1: up to 3"# + "\n"))
            #expect(text.output.contains("No earlier checkpoint was given"))
            let same = try await verify([path, "--key", key, "--known", "\(path)/checkpoint"])
            #expect(same.status == 0)
            #expect(!same.output.contains("No earlier checkpoint"))
        }
    }

    @Test func aBadExport() async throws {
        try await withExport(of: 3) { path in
            let arguments = [path, "--key", signer.verifierKey.description, "--known", "\(folder.path)/known"]
            let json = try await verify(arguments + ["--format", "json"])
            #expect(json.status == 1)
            #expect(json.output == #"{"fault":"cut","place":"4","verdict":"bad"}"# + "\n")
            let text = try await verify(arguments)
            #expect(text.status == 1)
            #expect(text.output.hasPrefix("bad: fault cut, place 4\nThe export has 3 entries, the log had 4 before"))
            try Data().write(to: URL(fileURLWithPath: "\(path)/\u{1B}[2J\u{202E}"))
            let escaped = try await verify(Array(arguments.prefix(3)))
            #expect(escaped.status == 1)
            #expect(escaped.output.hasPrefix(#"bad: fault file, place \u{1b}[2J\u{202e}"# + "\n"))
        }
    }

    @Test func anIncompleteExport() async throws {
        try await withExport(of: 2) { path in
            try FileManager.default.removeItem(atPath: "\(path)/tile/entries/000.p/2")
            let arguments = [path, "--key", signer.verifierKey.description]
            let json = try await verify(arguments + ["--format", "json"])
            let expected = #"{"fault":"missing","place":"0","verdict":"incomplete"}"# + "\n"
            #expect(json.status == 3)
            #expect(json.output == expected)
            let text = try await verify(arguments)
            #expect(text.status == 3)
            #expect(text.output.contains("entries   0, 2 are absent\n"))
        }
    }

    @Test func entriesWithProofs() async throws {
        try await withExport(of: 4) { _ in
            let file = folder.appendingPathComponent("proofs.jsonl")
            let leaves = Self.entries.map { MerkleHash.leaf($0) }
            let proof = [leaves[0], .node(leaves[2], leaves[3])]
            var lines = ProofsLine.head(checkpoint: String(decoding: try checkpoint(4), as: UTF8.self))
            lines += ProofsLine.entry(Self.entries[1], index: 1, proof: proof)
            try Data(lines).write(to: file)
            let arguments = [file.path, "--key", signer.verifierKey.description]
            #expect(try await verify(arguments + ["--format", "json"]).output == #"{"verdict":"good"}"# + "\n")
            #expect(try await verify(arguments).output.hasPrefix("good: every entry is in the log; "))
            #expect(try await verify(arguments + ["--known", "\(folder.path)/known"]).status == 64)
            try Data(lines + Array("{}\n".utf8)).write(to: file)
            let json = try await verify(arguments + ["--format", "json"])
            #expect(json.status == 1)
            #expect(json.output == #"{"fault":"entry","place":"line 3","verdict":"bad"}"# + "\n")
        }
    }

    @Test func nothingIsToldWhereTheCallIsWrong() async throws {
        try await withExport(of: 1) { path in
            let key = signer.verifierKey.description
            for arguments in [
                [path], ["--key", key], [path, "--key", "key"], [path, "--key", key, "--format", "xml"],
                [path, "--key", key, "--witness-key", key], [path, "--key", "@\(path)/checkpoint"],
            ] {
                let result = try await verify(arguments)
                #expect(result.status == 64, "\(arguments): \(result.output)")
            }
            for arguments in [
                [path, "--key", "key"], [path, "--key", "@\(path)/checkpoint"],
                [path, "--key", key, "--witness-key", "key"],
            ] {
                let result = try await verify(arguments)
                #expect(
                    result.output.contains("is no verifier key") && result.output.contains("`batuta audit key show`")
                )
                #expect(!result.output.contains("Usage:") && !result.output.contains("SUBCOMMANDS"), "\(result.output)")
            }
            for arguments in [
                ["\(path)/nothing", "--key", key], [path, "--key", "@\(path)/nothing"],
                [path, "--key", key, "--known", "\(path)/nothing"], ["/dev/null", "--key", key],
            ] {
                let result = try await verify(arguments)
                #expect(result.status == 2, "\(arguments): \(result.output)")
                #expect(result.output.hasPrefix("Error: "), "\(result.output)")
            }
        }
    }

    @Test func textForATerminalDoesNothingToIt() {
        #expect(
            AuditVerifyReport.printable("a\u{1B}[2J\r\n\u{7F}\u{85}\u{202E}\u{2028}\u{AD}é€😀\u{301} b")
                == "a\\u{1b}[2J\\u{d}\\u{a}\\u{7f}\\u{85}\\u{202e}\\u{2028}\\u{ad}é€😀\u{301} b"
        )
    }
}
