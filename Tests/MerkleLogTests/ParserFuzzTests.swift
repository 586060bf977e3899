import MerkleLog
import TestSupport
import Testing

@Suite("Notes, keys, checkpoints, proofs and paths from mutated bytes")
struct ParserFuzzTests {
    /// What is read from bytes, written again; nil where nothing is.
    private typealias Reader = @Sendable ([UInt8]) -> [UInt8]?

    @Test("nothing traps, and what is read is written again as the same bytes")
    func mutations() {
        var random = SeededGenerator.random()
        expectFixedPoints(of: [NoteSamples.note, "a\n\n\u{2014} b AAAAAAA=\n"], using: &random) {
            (try? SignedNote(parsing: $0))?.bytes
        }
        expectFixedPoints(of: [NoteSamples.logLine, "\u{2014} b AAAAAAA="], using: &random) { bytes in
            String(validating: bytes, as: UTF8.self).flatMap { (try? NoteSignature(parsing: $0))?.line }.map {
                Array($0.utf8)
            }
        }
        expectFixedPoints(of: [NoteSamples.checkpoint, "a\n0\n\(MerkleHash.empty.base64)\n"], using: &random) { bytes in
            String(validating: bytes, as: UTF8.self).flatMap { (try? Checkpoint(parsing: $0))?.text }.map {
                Array($0.utf8)
            }
        }
        expectFixedPoints(of: [NoteSamples.proof], using: &random) { (try? LogProof(parsing: $0))?.bytes }
        expectFixedPoints(of: ["tile/0/x001/x234/067.p/17", "tile/3/004", "tile/1/x123/000"], using: &random) { bytes in
            String(validating: bytes, as: UTF8.self).flatMap { Tile(path: $0)?.path }.map { Array($0.utf8) }
        }
        expectFixedPoints(of: [MerkleHash.empty.base64], using: &random) { bytes in
            String(validating: bytes, as: UTF8.self).flatMap { MerkleHash(base64: $0)?.base64 }.map { Array($0.utf8) }
        }
    }

    @Test("a changed key is not a key: its id tells")
    func keys() {
        var random = SeededGenerator.random()
        for _ in 0..<2_000 {
            for (text, isPrivate) in [(NoteSamples.logKey, false), (NoteSamples.witnessSigner, true)] {
                let bytes = mutated(Array(text.utf8), using: &random)
                guard let changed = String(validating: bytes, as: UTF8.self) else { continue }
                let again =
                    isPrivate
                    ? (try? NoteSigner(parsing: changed))?.text : (try? NoteVerifierKey(parsing: changed))?.description
                // The digits of the id may be in either case.
                #expect(again == nil || again == text && changed.lowercased() == text.lowercased(), "\(changed)")
            }
        }
    }

    private func expectFixedPoints(of texts: [String], using random: inout SeededGenerator, _ read: Reader) {
        var accepted = 0
        for text in texts {
            let good = Array(text.utf8)
            #expect(read(good) == good, "\(text)")
            for _ in 0..<2_000 {
                let bytes = mutated(good, using: &random)
                guard let again = read(bytes) else { continue }
                #expect(again == bytes, "\(String(decoding: bytes, as: UTF8.self))")
                accepted += 1
            }
        }
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            #expect(read(bytes) == nil)
        }
        #expect(accepted > 10, "Too few mutations of \(texts) were taken for this test to say anything.")
    }

    /// Pieces that are likely to touch a rule.
    private static let pieces = [
        "\n", "\n\n", " ", "+", "=", "==", "\u{2014} ", "0", "1", "9", "-", "/", "x", ".p/", "A", "B", "\u{212A}",
        "e\u{301}",
        "\u{a0}", "\r", "\0", "extra AA==\n", "index 7\n", "\u{2014} a AAAAAAB=\n", "18446744073709551616",
    ].map { Array($0.utf8) }

    private func mutated(_ bytes: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...2, using: &random) {
            let at = Int.random(in: 0...bytes.count, using: &random)
            let length = Int.random(in: 0...min(4, bytes.count - at), using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes.removeSubrange(at..<at + length)
            case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
            case 2: bytes.insert(contentsOf: bytes[at..<at + length], at: at)
            case 3 where at < bytes.count: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            default:
                bytes.replaceSubrange(at..<at + length, with: Self.pieces.randomElement(using: &random) ?? [])
            }
        }
        return bytes
    }
}
