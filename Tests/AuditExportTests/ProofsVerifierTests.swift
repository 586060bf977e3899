import AuditExport
import Foundation
import JSON
import MerkleLog
import TestSupport
import Testing

@Suite("Entries with proofs")
struct ProofsVerifierTests {
    private let export: TestExport

    init() throws { export = try TestExport(TestLog(entries: 300)) }

    private func outcome(_ lines: [[UInt8]], keys: [NoteSigner] = [TestExport.signer]) throws -> Outcome {
        let file = Command.temporaryURL("proofs.jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(lines.joined()).write(to: file)
        let keys = try ExportKeys(log: keys.map(\.verifierKey))
        return Outcome(try ProofsVerifier(keys: keys).verify(file.path))
    }

    private func changed(_ line: [UInt8], _ old: String, _ new: String) -> [UInt8] {
        Array(String(decoding: line, as: UTF8.self).replacingOccurrences(of: old, with: new).utf8)
    }

    private func added(_ members: String, _ line: [UInt8]) -> [UInt8] { Array("{\(members)".utf8) + line.dropFirst() }

    @Test("are written as the format says")
    func form() throws {
        let lines = export.proofs([299])
        let head = try JSONDocument(parsing: lines[0]).root
        #expect(head["checkpoint"]?.stringValue.map { Array($0.utf8) } == export.files["checkpoint"])
        #expect(String(decoding: lines[0], as: UTF8.self).hasSuffix("\",\"format\":\"batuta.audit.proofs\",\"v\":1}\n"))
        let proof = TestTree.inclusion(299, export.leaves[...]).map { "\"\($0.base64)\"" }.joined(separator: ",")
        let text = String(decoding: lines[1], as: UTF8.self)
        #expect(text.hasSuffix("}\",\"index\":299,\"proof\":[\(proof)]}\n"))
        #expect(
            try JSONDocument(parsing: lines[1]).root["entry"]?.stringValue.map { Array($0.utf8) }
                == export.log.entries[299]
        )
    }

    @Test("are good where each is in the log", arguments: [[], [0], [299], [256, 3, 3, 255], Array(0..<300)])
    func good(indexes: [Int]) throws {
        let lines = export.proofs(indexes)
        #expect(try outcome(lines) == .good)
        let shorter = lines.dropLast() + [Array(lines[lines.count - 1].dropLast())]
        #expect(try outcome(Array(shorter)) == .good)
    }

    @Test("of a log with one entry have no hashes")
    func single() throws {
        let one = try TestExport(TestLog(entries: 1))
        #expect(try outcome(one.proofs([0])) == .good)
    }

    @Test("have a first line that says what they are")
    func heads() throws {
        let lines = export.proofs([7])
        let refused = Outcome.bad("checkpoint", "checkpoint")
        let heads: [[UInt8]] = [
            [], [10], Array("{}\n".utf8), changed(lines[0], "proofs", "proof"), changed(lines[0], "\"v\":1", "\"v\":2"),
            changed(lines[0], "\"checkpoint\"", "\"point\""), changed(lines[0], "\\n300\\n", "\\n299\\n"), [0xFF, 10],
            changed(lines[0], "{", "{\"v\":1,"), Array(lines[0].dropLast()), Array(repeating: 32, count: 1 << 21),
            ProofsLine.head(checkpoint: ""),
            try ProofsLine.head(checkpoint: String(decoding: export.checkpoint(0), as: UTF8.self)),
        ]
        for head in heads {
            #expect(try outcome([head, lines[1]]) == refused, "\(String(decoding: head.prefix(400), as: UTF8.self))")
        }
        #expect(try outcome([]) == refused)
        #expect(try outcome(lines, keys: [TestExport.key(TestExport.signer.name, seed: 9)]) == refused)
    }

    @Test("are found where they are not what the log has, by their index")
    func entries() throws {
        let lines = export.proofs([7, 40])
        let other = export.proofs([41])[1]
        let wrong: [(String, [UInt8])] = [
            ("7", changed(lines[1], "create", "delete")), ("8", changed(lines[1], "\"index\":7", "\"index\":8")),
            ("300", changed(lines[1], "\"index\":7", "\"index\":300")),
            ("7", changed(lines[1], "\"proof\":[", "\"proof\":[\"\",")),
            ("7", changed(lines[1], "\"proof\"", "\"proofs\"")), ("7", changed(lines[1], "\"entry\"", "\"enter\"")),
            ("7", changed(lines[1], "\"proof\":[", "\"proof\":[\"\(MerkleHash.empty.base64)\",")),
            ("7", changed(lines[1], "=\"", "\"")), ("7", changed(lines[1], "\"proof\":[", "\"proof\":[null,")),
            ("41", changed(other, "acme", "acne")),
            ("9007199254740991", changed(lines[1], "\"index\":7", "\"index\":9007199254740991")),
        ]
        for (place, line) in wrong {
            #expect(try outcome([lines[0], lines[2], line, lines[1]]) == .bad("entry", place), "\(place)")
        }
    }

    @Test("may have members that nobody knows, and a mebibyte in a line")
    func limits() throws {
        let lines = export.proofs([7])
        let padded: (Int) -> [UInt8] = { size in
            let length = size - (lines[1].count - 1) - #""a":"","#.utf8.count
            return added(#""a":"\#(String(repeating: "x", count: length))","#, lines[1])
        }
        #expect(try outcome([lines[0], padded(1 << 20)]) == .good)
        #expect(try outcome([lines[0], padded(1 << 20).dropLast()]) == .good)
        #expect(try outcome([lines[0], padded((1 << 20) + 1)]) == .bad("entry", "line 2"))
    }

    @Test("are found by their line where they have no index")
    func lines() throws {
        let lines = export.proofs([7, 40])
        let wrong: [[UInt8]] = [
            [10], Array("{}\n".utf8), Array("[]\n".utf8), Array("{\n".utf8), [0xFF, 10],
            changed(lines[1], "\"index\":7", "\"index\":-7"), changed(lines[1], "\"index\":7", "\"index\":7.0"),
            changed(lines[1], "\"index\":7", "\"index\":\"7\""),
            changed(lines[1], "\"index\":7", "\"index\":9007199254740992"),
            added(" ", lines[1]), changed(lines[1], "create", #"\u0063reate"#), added(#""z":1,"#, lines[1]),
            added(#""a":"\ud800","#, lines[1]),
            added("\"a\":\(String(repeating: "[", count: 80) + String(repeating: "]", count: 80)),", lines[1]),
            changed(lines[1], "\"index\":7", "\"index\":7,\"index\":7"), changed(lines[1], "\"index\"", "\"place\""),
            changed(lines[1], "}\n", " x}\n"), Array(repeating: 32, count: 1 << 21) + lines[1],
        ]
        for line in wrong {
            #expect(try outcome([lines[0], lines[2], line, lines[1]]) == .bad("entry", "line 3"))
        }
    }

    @Test("of which a bit was changed are never good")
    func random() throws {
        var random = SeededGenerator.random()
        let small = try TestExport(TestLog(entries: 5))
        let lines = small.proofs([2, 4])
        for _ in 0..<200 {
            var changed = lines
            let line = Int.random(in: 0..<3, using: &random)
            let at = Int.random(in: 0..<changed[line].count - 1, using: &random)
            changed[line][at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            let outcome = try outcome(changed)
            #expect(outcome.verdict == "bad", "\(String(decoding: changed[line], as: UTF8.self))")
            #expect(outcome.fault == (line == 0 ? "checkpoint" : "entry"))
        }
    }

    @Test("are in a regular file")
    func irregular() throws {
        let keys = try ExportKeys(log: [TestExport.signer.verifierKey])
        for path in ["/dev/null", "/dev/zero", Command.temporaryURL("nothing").path] {
            #expect(throws: ExportError.self) { try ProofsVerifier(keys: keys).verify(path) }
        }
    }
}
