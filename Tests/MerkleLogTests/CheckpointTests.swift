import MerkleLog
import Testing

@Suite("Checkpoints")
struct CheckpointTests {
    @Test("a checkpoint is read and written")
    func roundTrip() throws {
        let checkpoint = try Checkpoint(parsing: NoteSamples.checkpoint)
        #expect(checkpoint.origin == NoteSamples.origin && checkpoint.size == 300)
        #expect(checkpoint.root == ReferenceTree(count: 300).root(300))
        #expect(checkpoint.text == NoteSamples.checkpoint)
        for size: UInt64 in [0, 1, (1 << 63) - 1] {
            let other = try Checkpoint(origin: "a", size: size, root: .empty)
            #expect(other.text == "a\n\(size)\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
            #expect(try Checkpoint(parsing: other.text) == other)
        }
    }

    @Test("what is not exactly a checkpoint is refused, extension lines too")
    func malformed() {
        let good = NoteSamples.checkpoint
        let rows: [(MerkleLogError.Code, String)] = [
            (.malformedCheckpoint, ""), (.malformedCheckpoint, "\n\n\n"),
            (.malformedCheckpoint, String(good.dropLast())),
            (.malformedCheckpoint, good + "\n"), (.malformedCheckpoint, good + "extension\n"),
            (.malformedCheckpoint, good + " "), (.malformedCheckpoint, "\n" + good),
            (.malformedCheckpoint, good.replacingFirst("300", with: "0300")),
            (.malformedCheckpoint, good.replacingFirst("300", with: "+300")),
            (.malformedCheckpoint, good.replacingFirst("300", with: "-1")),
            (.malformedCheckpoint, good.replacingFirst("300", with: "300 ")),
            (.malformedCheckpoint, good.replacingFirst("300", with: "")),
            (.malformedCheckpoint, good.replacingFirst("300", with: "0x12c")),
            (.malformedCheckpoint, good.replacingFirst("300", with: "٣٠٠")),
            (.malformedCheckpoint, good.replacingFirst("300", with: "9223372036854775808")),
            (.malformedCheckpoint, good.replacingFirst("300", with: "18446744073709551616")),
            (.malformedCheckpoint, good.replacingFirst("rak=", with: "ral=")),
            (.malformedCheckpoint, good.replacingFirst("rak=", with: "rak")),
            (.invalidOrigin, good.replacingFirst("\n300", with: "\r\n300")),
            (.invalidOrigin, good.replacingFirst("example.com/audit", with: "")),
            (.invalidOrigin, good.replacingFirst("/", with: "+")), (.invalidOrigin, " " + good),
            (.invalidOrigin, good.replacingFirst("a", with: "é")),
            (.invalidOrigin, good.replacingFirst("e", with: "\u{212A}")),
        ]
        for (code, text) in rows {
            expectRefusal(code, "\(text)") { () throws(MerkleLogError) in _ = try Checkpoint(parsing: text) }
        }
    }

    @Test("an origin is one word of printable ASCII")
    func origins() {
        for origin in ["a", "example.com/audit", "!~", String(repeating: "x", count: 255)] {
            #expect(Checkpoint.isOrigin(origin), "\(origin)")
            #expect((try? Checkpoint(origin: origin, size: 1, root: .empty)) != nil)
        }
        for origin in [
            "", " ", "a b", "a\n", "a\nb", "a+b", "é", "\u{7f}", "\t", "\u{a0}", String(repeating: "x", count: 256),
        ] {
            #expect(!Checkpoint.isOrigin(origin), "\(origin)")
            expectRefusal(.invalidOrigin) { () throws(MerkleLogError) in
                _ = try Checkpoint(origin: origin, size: 1, root: .empty)
            }
        }
        for size in [1 << 63, UInt64.max] {
            expectRefusal(.sizeOutOfRange) { () throws(MerkleLogError) in
                _ = try Checkpoint(origin: "a", size: size, root: .empty)
            }
        }
    }
}
