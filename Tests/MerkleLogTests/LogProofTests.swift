import MerkleLog
import Testing

@Suite("Proof files")
struct LogProofTests {
    private let log: NoteVerifierKey
    private let witness: NoteVerifierKey
    private let proof: LogProof
    private let leaf = MerkleHash.leaf("258".utf8)

    init() throws {
        log = try NoteVerifierKey(parsing: NoteSamples.logKey)
        witness = try NoteVerifierKey(parsing: NoteSamples.witnessKey)
        proof = try LogProof(parsing: NoteSamples.proof.utf8)
    }

    @Test("a file that another program has made is read, written and verified")
    func otherProgram() throws {
        #expect(proof.index == 258 && proof.extra == [0, 1, 2])
        #expect(proof.hashes == ReferenceTree(count: 300).path(258, 0..<300))
        #expect(proof.checkpoint == (try SignedNote(parsing: NoteSamples.note)))
        #expect(proof.encoded == NoteSamples.proof && proof.bytes == Array(NoteSamples.proof.utf8))
        let (checkpoint, signatures) = try proof.verify(leaf: leaf, origin: NoteSamples.origin, keys: [witness, log])
        #expect(checkpoint.text == NoteSamples.checkpoint)
        #expect(signatures.map(\.key) == [witness, log])
    }

    @Test("files without extra data and without hashes")
    func smallest() throws {
        let signer = try NoteSigner(parsing: NoteSamples.logSigner)
        let note = try Checkpoint(origin: NoteSamples.origin, size: 1, root: leaf).signed(by: signer)
        let small = try LogProof(index: 0, hashes: [], checkpoint: note)
        #expect(small.encoded == "c2sp.org/tlog-proof@v1\nindex 0\n\n\(note.encoded)")
        #expect(try LogProof(parsing: small.bytes) == small)
        #expect(try small.verify(leaf: leaf, origin: NoteSamples.origin, keys: [log]).checkpoint.size == 1)
    }

    @Test("a proof that proves something else is refused")
    func refused() throws {
        let origin = NoteSamples.origin
        expectRefusal(.invalidProof) { () throws(MerkleLogError) in
            _ = try proof.verify(leaf: .leaf("259".utf8), origin: origin, keys: [log])
        }
        expectRefusal(.wrongOrigin) { () throws(MerkleLogError) in
            _ = try proof.verify(leaf: leaf, origin: "example.com/other", keys: [log])
        }
        expectRefusal(.unknownSigner) { () throws(MerkleLogError) in
            _ = try proof.verify(leaf: leaf, origin: origin, keys: [])
        }
        expectRefusal(.unknownSigner) { () throws(MerkleLogError) in
            _ = try proof.verify(leaf: leaf, origin: origin, keys: [witness])
        }
        let changes = try [
            LogProof(index: 257, hashes: proof.hashes, checkpoint: proof.checkpoint),
            LogProof(index: 300, hashes: proof.hashes, checkpoint: proof.checkpoint),
            LogProof(index: 258, hashes: proof.hashes.dropLast(), checkpoint: proof.checkpoint),
            LogProof(index: 258, hashes: proof.hashes + [.empty], checkpoint: proof.checkpoint),
        ]
        for changed in changes {
            expectRefusal(.invalidProof) { () throws(MerkleLogError) in
                _ = try changed.verify(leaf: leaf, origin: origin, keys: [log])
            }
        }
        let text = NoteSamples.checkpoint.replacingFirst("300", with: "301")
        let forged = try LogProof(
            index: 258,
            hashes: proof.hashes,
            checkpoint: SignedNote(text: text, signatures: proof.checkpoint.signatures)
        )
        expectRefusal(.invalidSignature) { () throws(MerkleLogError) in
            _ = try forged.verify(leaf: leaf, origin: origin, keys: [log])
        }
        let signer = try NoteSigner(parsing: NoteSamples.logSigner)
        let plain = try SignedNote(text: "text\n", signatures: [signer.sign("text\n")])
        let other = try LogProof(index: 258, hashes: proof.hashes, checkpoint: plain)
        expectRefusal(.malformedCheckpoint) { () throws(MerkleLogError) in
            _ = try other.verify(leaf: leaf, origin: origin, keys: [log])
        }
    }

    @Test("what is not exactly a proof file is refused")
    func malformed() {
        let good = NoteSamples.proof
        let rows: [(MerkleLogError.Code, String)] = [
            (.malformedProof, ""), (.malformedProof, "c2sp.org/tlog-proof@v1"), (.malformedProof, "\n" + good),
            (.malformedProof, good.replacingFirst("@v1", with: "@v2")),
            (.malformedProof, good.replacingFirst("@v1\n", with: "@v1\n\n")),
            (.malformedProof, good.replacingFirst("extra AAEC\n", with: "extra \n")),
            (.malformedProof, good.replacingFirst("extra AAEC\n", with: "extra AAE\n")),
            (.malformedProof, good.replacingFirst("extra AAEC\n", with: "extra AAEC \n")),
            (.malformedProof, good.replacingFirst("extra AAEC\n", with: "extra AAEC\nextra AAEC\n")),
            (.malformedProof, good.replacingFirst("extra AAEC\n", with: "other AAEC\n")),
            (.malformedProof, good.replacingFirst("index 258\n", with: "")),
            (.malformedProof, good.replacingFirst("index 258", with: "index 0258")),
            (.malformedProof, good.replacingFirst("index 258", with: "index  258")),
            (.malformedProof, good.replacingFirst("index 258", with: "index")),
            (.malformedProof, good.replacingFirst("index 258", with: "index -1")),
            (.malformedProof, good.replacingFirst("index 258", with: "index 9223372036854775808")),
            (.malformedProof, good.replacingFirst("index 258", with: "Index 258")),
            (.malformedProof, good.replacingFirst("fucG", with: "fuc")),
            (.malformedProof, good.replacingFirst("fucG", with: " fucG")),
            (.malformedProof, good.replacingFirst("ObA=", with: "ObB=")),
            (.malformedProof, good.replacingFirst("\n\nexample", with: "\nexample")),
            (.malformedNote, String(good.dropLast())),
            (.malformedNote, good + "\n"),
        ]
        for (code, text) in rows {
            expectRefusal(code, "\(text)") { () throws(MerkleLogError) in _ = try LogProof(parsing: text.utf8) }
        }
        let bytes = Array(good.utf8)
        for (offset, byte) in [(3, 0xff), (30, 0xff), (40, 0xff), (bytes.count - 3, 0xff)] as [(Int, UInt8)] {
            var broken = bytes
            broken[offset] = byte
            #expect(throws: MerkleLogError.self) { try LogProof(parsing: broken) }
        }
    }

    @Test("a file has at most 64 hashes and 2 MiB")
    func limits() throws {
        let note = proof.checkpoint
        let most = try LogProof(index: (1 << 63) - 1, hashes: Array(repeating: .empty, count: 64), checkpoint: note)
        #expect(try LogProof(parsing: most.bytes) == most)
        let more = most.encoded.replacingFirst("\n\n", with: "\n\(MerkleHash.empty.base64)\n\n")
        expectRefusal(.malformedProof) { () throws(MerkleLogError) in _ = try LogProof(parsing: more.utf8) }
        expectRefusal(.malformedProof) { () throws(MerkleLogError) in
            _ = try LogProof(index: 0, hashes: Array(repeating: .empty, count: 65), checkpoint: note)
        }
        expectRefusal(.sizeOutOfRange) { () throws(MerkleLogError) in
            _ = try LogProof(index: 1 << 63, hashes: [], checkpoint: note)
        }
        let extra = [UInt8](repeating: 1, count: LogProof.maximumSize / 4 * 3)
        expectRefusal(.tooLarge) { () throws(MerkleLogError) in
            _ = try LogProof(index: 0, extra: extra, hashes: [], checkpoint: note)
        }
        let large = try LogProof(index: 0, extra: extra.dropLast(3_000), hashes: [], checkpoint: note)
        #expect(try LogProof(parsing: large.bytes) == large)
        let padding = [UInt8](repeating: 10, count: LogProof.maximumSize)
        expectRefusal(.tooLarge) { () throws(MerkleLogError) in _ = try LogProof(parsing: large.bytes + padding) }
    }
}
