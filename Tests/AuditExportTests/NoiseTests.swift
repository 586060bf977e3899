import AuditExport
import Foundation
import MerkleLog
import TestSupport
import Testing

@Suite("Random bytes")
struct NoiseTests {
    private static let alphabet = Array("{}[]\":,\\u0e-+.\n\u{2014} =AB/09 tile\u{E9}".utf8) + [0, 0xFF, 0xC3, 0x80]

    static func noise(using random: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: 0...300, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
    }

    @Test("in place of a file never trap, and are never good")
    func files() throws {
        var random = SeededGenerator.random()
        let bases = try [TestExport(TestLog(entries: 5)), TestExport(TestLog(entries: 300), tenant: "acme")]
        for _ in 0..<150 {
            let base = bases.randomElement(using: &random) ?? bases[0]
            var export = base
            let path = base.files.keys.sorted().randomElement(using: &random) ?? ""
            export.files[path] = Self.noise(using: &random)
            #expect(try export.outcome() != .good, "\(path)")
        }
    }

    @Test("kept as a checkpoint never trap, and are never good")
    func known() throws {
        var random = SeededGenerator.random()
        let base = try TestExport(TestLog(entries: 2))
        for _ in 0..<60 {
            #expect(try base.outcome(known: [Self.noise(using: &random)]) == .bad("known", 1))
        }
    }

    @Test("that the log has taken as an entry never trap, and are found")
    func entries() throws {
        var random = SeededGenerator.random()
        var counts = (good: 0, bad: 0)
        for _ in 0..<150 {
            var log = TestLog(entries: 3, lanes: 1)
            log.replace(1, NoisyEntry.bytes(of: log.entries[1], using: &random))
            let outcome = try TestExport(log).outcome()
            if outcome == .bad("entry", 1) { counts.bad += 1 } else { counts.good += 1 }
            #expect(outcome.verdict != "bad" || ["1", "2"].contains(outcome.place), "\(outcome)")
        }
        #expect(counts.bad > 50 && counts.good > 5, "\(counts)")
    }

    @Test("nested more deeply than entries are no entries")
    func deep() throws {
        let outcome: (Int) throws -> Outcome = { depth in
            var log = TestLog()
            let (open, close) = (String(repeating: "[", count: depth), String(repeating: "]", count: depth))
            log.add(after: open + close)
            return try TestExport(log).outcome()
        }
        #expect(try outcome(79) == .good)
        #expect(try outcome(80) == .bad("entry", 0))
        #expect(try outcome(30_000) == .bad("entry", 0))
    }
}

/// Entries that were changed in their bytes, some of which are entries still.
enum NoisyEntry {
    private static let pieces = [
        "\"", ",", "{}", "[1,2]", "null", "1", "0", "-1", "1.5", "1e+21", "9007199254740991", "9007199254740992", " ",
        "\\n",
        "\\u0041", "\u{E9}", "e\u{301}", "\u{1F600}", "\\/", "true", "\"x\"", "\"\"", "a", "Z", "\\u001f", "\u{7F}",
    ]

    /// Something that may stand in JSON.
    static func piece(using random: inout SeededGenerator) -> [UInt8] {
        Array((pieces.randomElement(using: &random) ?? "").utf8)
    }

    static func bytes(of entry: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
        var bytes = entry
        for _ in 0..<Int.random(in: 1...2, using: &random) {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            let piece = piece(using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.insert(contentsOf: piece, at: at)
            case 2: bytes.remove(at: at)
            default: replaceValue(&bytes, with: piece, using: &random)
            }
        }
        return bytes.isEmpty ? [0] : bytes
    }

    /// Puts something in place of one member's value.
    static func replaceValue(_ bytes: inout [UInt8], with piece: [UInt8], using random: inout SeededGenerator) {
        let colons = bytes.indices.filter { bytes[$0] == UInt8(ascii: ":") }
        guard let colon = colons.randomElement(using: &random) else { return }
        let ends = Array(",}".utf8)
        let end = bytes[(colon + 1)...].firstIndex { ends.contains($0) } ?? bytes.endIndex
        bytes.replaceSubrange((colon + 1)..<end, with: piece)
    }
}
